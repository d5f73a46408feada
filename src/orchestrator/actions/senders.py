"""What performing an action needs of the one who sends, and every way in which sending can end.

Each way says how much is known: the message is on its way, it certainly is not, or nobody can tell. A message is
handed over again only if it certainly is not, or if a second handing over changes nothing.
"""

from dataclasses import dataclass
from typing import Protocol

from orchestrator.actions.model import Message
from orchestrator.domain.messages import DeliveryStatus


@dataclass(frozen=True, slots=True)
class Sent:
    """The message is on its way."""

    message_sid: str
    delivery_status: DeliveryStatus = DeliveryStatus.IN_PROGRESS
    """Of every recipient."""
    text: str | None = None
    """What was really sent, where the sender tells: a template rendered, for instance."""
    arrived: bool = False
    """It has been delivered by now; no report will tell."""


class Refused(Exception):
    """The message was not sent, and would not be another time. The text says why."""

    def __init__(self, reason: str, *, code: int | None = None) -> None:
        super().__init__(reason)
        self.code = code
        """Twilio's error code, where the provider tells one."""


class NotNow(Exception):
    """The message was not sent; the sender may take it later."""

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        """Seconds the sender asks us to wait."""


class Uncertain(Exception):
    """The message may have been sent, or not. The text says what happened."""


class ActionSender(Protocol):
    """Sends messages. No transaction is open meanwhile."""

    def is_repeatable(self, message: Message) -> bool:
        """Whether handing it over a second time makes the same message, not a second one."""

    async def send(self, message: Message) -> Sent:
        """Send a message. Raises Refused, NotNow or Uncertain."""

    async def aclose(self) -> None:
        """Free what the sender holds."""
