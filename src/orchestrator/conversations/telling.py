"""Events of a unit's changes, in the order that clients rely on."""

from collections.abc import Iterable

from orchestrator.conversations import schemas
from orchestrator.conversations.model import Conversation
from orchestrator.domain.events import EventType
from orchestrator.outbox.record import Outbox
from orchestrator.participants import schemas as participant_schemas
from orchestrator.participants.service import Attendance


def tell(outbox: Outbox, touched: Iterable[Conversation], attendance: Attendance) -> None:
    """CONVERSATION_CREATED comes before PARTICIPANT_ADDED and PARTICIPANT_UPDATED, those before what is said."""
    by_key = {(conversation.account_id, conversation.id): conversation for conversation in touched}
    for conversation in by_key.values():
        if conversation.is_new:
            outbox.append(conversation, EventType.CONVERSATION_CREATED, schemas.to_event(conversation))
    for event, members in (
        (EventType.PARTICIPANT_ADDED, attendance.added),
        (EventType.PARTICIPANT_UPDATED, attendance.changed),
    ):
        for member in members:
            conversation = by_key[member.account_id, member.conversation_id]
            outbox.append(conversation, event, participant_schemas.to_wire(member))
