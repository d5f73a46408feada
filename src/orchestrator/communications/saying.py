"""Communications that a caller, or an action, puts into a conversation: as traffic does, but into one that is named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from orchestrator.communications import service
from orchestrator.communications.ends import End, Ends
from orchestrator.communications.model import Communication, party, place_of
from orchestrator.conversations import service as conversations
from orchestrator.conversations.model import Conversation
from orchestrator.domain.lifecycle import Status
from orchestrator.domain.linking import Linking
from orchestrator.domain.messages import Origin
from orchestrator.kernel.fields import refused
from orchestrator.kernel.ids import COMMUNICATION, new_id
from orchestrator.kernel.unit import Unit
from orchestrator.outbox.record import Outbox
from orchestrator.participants.model import Participant

__all__ = ["End", "Saying", "revise", "say"]


@dataclass(frozen=True, slots=True)
class Saying:
    """What is said."""

    author: End
    recipients: tuple[End, ...]
    content: Mapping[str, Any]
    """`{"type": "TEXT" | "TRANSCRIPTION", "text": …, "transcription": …}` as the API returns it."""
    channel_id: str | None = None
    resource_id: str | None = None
    """The provider's id of this very message; the second one of a conversation updates the first."""
    occurred_at: datetime | None = None
    action_id: str | None = None
    """The action that says it; None: a caller does."""

    @property
    def ends(self) -> tuple[End, ...]:
        return (self.author, *self.recipients)


async def say(
    unit: Unit, account_id: str, conversation_id: str, saying: Saying, *, linking: Linking
) -> tuple[Communication, bool]:
    """Put a communication into a conversation; returns it, and whether it is a new one.

    Participants are found or join, timers start anew, an INACTIVE conversation is ACTIVE again. A repeat of a
    `resourceId` updates content and recipients of the one that is there, and is no new activity. Raises NotFound;
    BadRequest when the conversation is CLOSED, and for a participant that is not there or does not own the address.
    """
    outbox = Outbox(unit)
    ends = Ends(unit, outbox, saying.ends, linking=linking)
    conversation = await _enter(unit, account_id, conversation_id, ends)
    known = await service.of_resource(unit, conversation, saying.resource_id)
    if known is None:
        trace = _trace(conversation, saying)
        conversations.communicate(unit, outbox, conversation, saying.author.address.channel)
        communication = _new(unit, conversation, saying, await ends.attend(conversation))
        communication.trace = trace
        await service.append(unit, outbox, [(conversation, communication)])
    else:
        check_author(known, saying.author)
        ends.settle(known)
        changed = replace(known, content=saying.content)
        communication = await _change(unit, outbox, conversation, ends, known, changed)
    await conversations.save(unit, [conversation])
    await outbox.write()
    return communication, known is None


async def revise(unit: Unit, known: Communication, saying: Saying, *, linking: Linking) -> Communication:
    """Replace a communication that was looked at, but for its author and `resourceId`: they are what it is.

    What is left out is deleted, or goes back to its default: `occurredAt` to the time of creation. One
    COMMUNICATION_UPDATED if it is different afterwards. Raises NotFound and BadRequest as `say`.
    """
    check_author(known, saying.author)
    outbox = Outbox(unit)
    ends = Ends(unit, outbox, saying.ends, linking=linking)
    ends.settle(known)
    conversation = await _enter(unit, known.account_id, known.conversation_id, ends)
    known = await service.find(unit, known.account_id, known.id, in_conversation=known.conversation_id)
    changed = replace(
        known, content=saying.content, channel_id=saying.channel_id, occurred_at=_moment(known, saying.occurred_at)
    )
    communication = await _change(unit, outbox, conversation, ends, known, changed)
    await conversations.save(unit, [conversation])
    await outbox.write()
    return communication


def check_author(known: Communication, author: End) -> None:
    """Raise BadRequest when a communication was said by somebody else."""
    said_by = known.author
    if place_of(said_by) != (author.address.channel, author.address.canonical):
        pointer, given = f"{author.pointer}/address", author.address.address
    elif author.participant_id not in (None, said_by["participantId"]):
        pointer, given = f"{author.pointer}/participantId", author.participant_id
    else:
        return
    raise refused(
        pointer,
        f"communication {known.id} was said by {said_by['address']} on {said_by['channel']}, who is participant "
        f"{said_by['participantId']}; that never changes",
        given,
    )


def _moment(known: Communication, given: datetime | None) -> datetime:
    """When a replaced communication was said. Answers give whole seconds: such a time, sent back, changes nothing."""
    if given is None:
        return known.created_at
    return known.occurred_at if given == known.occurred_at.replace(microsecond=0) else given


async def _enter(unit: Unit, account_id: str, conversation_id: str, ends: Ends) -> Conversation:
    """The conversation, locked. Raises NotFound, and BadRequest when it is CLOSED."""
    seen = await conversations.find(unit, account_id, conversation_id)
    conversations.require_open(unit, seen)
    await ends.expect(seen)
    conversation = await conversations.lock(unit, account_id, conversation_id)
    conversations.require_open(unit, conversation)
    return conversation


def _trace(conversation: Conversation, saying: Saying) -> dict[str, Any]:
    """Why it is there: nothing captured it."""
    trace: dict[str, Any] = {"outcome": "PLACED", "origin": Origin.ACTION if saying.action_id else Origin.API}
    if saying.action_id:
        trace["actionId"] = saying.action_id
    if conversation.status is Status.INACTIVE:
        trace["reopened"] = True
    return trace


def _new(unit: Unit, conversation: Conversation, saying: Saying, people: Sequence[Participant]) -> Communication:
    author, *recipients = _shown(saying.ends, people)
    return Communication(
        account_id=conversation.account_id,
        conversation_id=conversation.id,
        id=new_id(COMMUNICATION),
        author=author,
        recipients=recipients,
        content=saying.content,
        occurred_at=saying.occurred_at or unit.now,
        created_at=unit.now,
        updated_at=unit.now,
        channel_id=saying.channel_id,
        resource_id=saying.resource_id,
    )


async def _change(
    unit: Unit,
    outbox: Outbox,
    conversation: Conversation,
    ends: Ends,
    known: Communication,
    changed: Communication,
) -> Communication:
    """Write what has changed, with the recipients as the ends say."""
    _, *recipients = _shown(ends.named, await ends.attend(conversation))
    return await service.change(unit, outbox, conversation, known, replace(changed, recipients=recipients))


def _shown(ends: Sequence[End], people: Sequence[Participant]) -> list[dict[str, Any]]:
    """The author and the recipients, as the communication shows them."""
    return [party(end.address, person, end.delivery_status) for end, person in zip(ends, people, strict=True)]
