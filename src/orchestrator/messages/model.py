"""A message that was asked for: from whom, to whom, what, and how far it got."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from orchestrator.actions.model import Content, Correspondent, Message
from orchestrator.domain.addresses import Address, Channel, parse
from orchestrator.domain.messages import DeliveryStatus

STATUS_CALLBACK = "StatusCallback"
"""Form field with the URL that is told how far the message gets."""

_PREFIXES = {Channel.SMS: "", Channel.WHATSAPP: "whatsapp:", Channel.RCS: "rcs:"}


class MessageStatus(StrEnum):
    """Twilio's words for how far a message got, as far as they are used here."""

    ACCEPTED = "accepted"
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


WORDS = {
    DeliveryStatus.INITIATED: MessageStatus.ACCEPTED,
    DeliveryStatus.IN_PROGRESS: MessageStatus.QUEUED,
    DeliveryStatus.DELIVERED: MessageStatus.DELIVERED,
    DeliveryStatus.READ: MessageStatus.READ,
    DeliveryStatus.FAILED: MessageStatus.FAILED,
}
"""What a message is called that a provider has got so far."""

TOLD = (MessageStatus.SENT, MessageStatus.DELIVERED)
"""Of what a status callback tells, in this order, where nobody but us sends the message."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks to be sent."""

    sender: Address
    recipient: Address
    content: Content
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The other form fields: text, or a list of texts where one is repeated."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One row."""

    account_id: str
    sid: str
    wanted: Wanted
    by_provider: bool
    """Somebody else sends it, and tells the status callback; else it is delivered by being captured."""
    created_at: datetime
    updated_at: datetime
    status: MessageStatus = MessageStatus.QUEUED
    error_code: int | None = None
    error_message: str | None = None
    sent_at: datetime | None = None
    captured_at: datetime | None = None
    """When the capture rules have had it, whatever they made of it."""
    told: int = 0
    """How many of `TOLD` the status callback is done with."""
    attempts: int = 0
    """At telling the next one."""
    handed_over_at: datetime | None = None
    """Since when the provider may have it; None again once it has answered."""
    next_attempt_at: datetime | None = None
    """When it may be claimed; while it is claimed, when the claim lapses. None: nothing is left to do."""

    @property
    def status_callback(self) -> str | None:
        url = self.wanted.settings.get(STATUS_CALLBACK)
        return url if isinstance(url, str) and url else None

    def for_sender(self) -> Message:
        """What an `ActionSender` takes."""
        wanted = self.wanted
        return Message(
            self.account_id,
            Correspondent(wanted.sender),
            (Correspondent(wanted.recipient),),
            wanted.content,
            wanted.settings,
        )


def read_address(text: str) -> Address:
    """An address as Twilio writes it: a prefix tells the channel. Raises InvalidAddress."""
    text = text.strip()
    lowered = text.lower()
    channel = next((one for one, prefix in _PREFIXES.items() if prefix and lowered.startswith(prefix)), Channel.SMS)
    parsed = parse(channel, text)
    return Address(channel, _PREFIXES[channel] + parsed.canonical, parsed.canonical)
