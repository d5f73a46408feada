"""What callers change of a conversation: its status, name, metadata, and who is told of its events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from orchestrator.conversations import service
from orchestrator.conversations.model import MOST_METADATA, Conversation
from orchestrator.domain.configuration import StatusCallback
from orchestrator.domain.lifecycle import Status
from orchestrator.kernel.fields import refused
from orchestrator.kernel.unit import Unit
from orchestrator.outbox.record import Outbox


class Keep(Enum):
    """A field that stays as it is, where None is a value."""

    KEEP = auto()


@dataclass(frozen=True, slots=True)
class Change:
    """What a caller wants."""

    status: Status | None = None
    """None: as it is."""
    name: str | Keep | None = Keep.KEEP
    metadata: Mapping[str, str] | None = None
    """The whole of it; None: as it is."""
    merged: Mapping[str, str | None] = field(default_factory=dict)
    """Entries to set, or with None to remove."""
    callbacks: tuple[StatusCallback, ...] | Keep | None = Keep.KEEP
    """The conversation's own; None: the configuration's again."""


async def change(unit: Unit, account_id: str, conversation_id: str, wish: Change) -> Conversation:
    """Change a conversation; one CONVERSATION_UPDATED if its status, name or metadata is different afterwards.

    Raises NotFound, and BadRequest when the conversation is CLOSED. One whose closing time has passed can only be
    closed.
    """
    conversation = await service.lock(unit, account_id, conversation_id)
    before = (conversation.status, conversation.name, dict(conversation.metadata))
    after = (
        wish.status or conversation.status,
        conversation.name if wish.name is Keep.KEEP else wish.name,
        _metadata(conversation, wish),
    )
    callbacks = conversation.own_callbacks if wish.callbacks is Keep.KEEP else wish.callbacks
    if before == after and callbacks == conversation.own_callbacks:
        return conversation
    if conversation.status is Status.CLOSED or wish.status is not Status.CLOSED:
        service.require_open(unit, conversation)
    outbox = Outbox(unit)
    conversation.own_callbacks = callbacks
    status, conversation.name, conversation.metadata = after
    if before != after:
        service.change_status(unit, outbox, conversation, status)
    await service.save(unit, [conversation])
    await outbox.write()
    return conversation


def _metadata(conversation: Conversation, wish: Change) -> dict[str, str]:
    merged: dict[str, str | None] = {
        **(conversation.metadata if wish.metadata is None else wish.metadata),
        **wish.merged,
    }
    metadata = {name: value for name, value in merged.items() if value is not None}
    if len(metadata) > MOST_METADATA:
        raise refused(
            "/metadata", f"a conversation has at most {MOST_METADATA} entries, this would make {len(metadata)}"
        )
    return metadata
