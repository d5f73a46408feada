"""What happens to conversations and concerns the layers above: told in its own unit (`kernel.unit.Unit.tell`)."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.conversations.model import Conversation


@dataclass(frozen=True, slots=True)
class ConversationsRested:
    """Conversations have become INACTIVE or CLOSED, each by the event numbered `rested_at`. They are locked."""

    conversations: Sequence[Conversation]
