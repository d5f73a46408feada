"""The sender that sends nothing: a message is delivered by being captured. For everything but real traffic."""

from orchestrator.actions.model import Message
from orchestrator.actions.senders import Sent
from orchestrator.kernel.ids import new_sid


class Loopback:
    """Every message arrives at once, under the SID that was chosen when it was asked for."""

    def is_repeatable(self, message: Message) -> bool:
        return message.sid is not None

    async def send(self, message: Message) -> Sent:
        return Sent(message.sid or new_sid("SM"), arrived=True)

    async def aclose(self) -> None:
        """Nothing is held."""
