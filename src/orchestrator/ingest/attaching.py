"""Calls join the conversations where they belong, once; later fragments need not repeat where that is."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace

from orchestrator.conversations import holding
from orchestrator.conversations import service as conversations
from orchestrator.conversations.model import Conversation
from orchestrator.domain.lifecycle import has_ended
from orchestrator.domain.messages import InboundMessage
from orchestrator.ingest.attributes import Attribute
from orchestrator.ingest.batch import Outdated
from orchestrator.ingest.belonging import Belongings
from orchestrator.ingest.calls import remember
from orchestrator.ingest.landing import ConversationKey, Landing
from orchestrator.ingest.voice import Call, CallEvent, CallKey
from orchestrator.kernel.unit import Unit
from orchestrator.outbox.record import Outbox
from orchestrator.participants import service as participants
from orchestrator.participants.model import Participant
from orchestrator.participants.service import Attendance


async def take_keys(unit: Unit, outbox: Outbox, landings: Sequence[Landing]) -> None:
    """Take the grouping keys that newcomers bring to the conversations that calls name, before those are locked.

    A key that another conversation holds stays there: what those two say elsewhere goes on landing in that one.
    """
    for landing in landings:
        seen = landing.target
        if not isinstance(seen, Conversation):
            continue
        landing.taken = seen.keys(_expected(unit, landing, seen)) - seen.keys()
        if landing.taken:
            await holding.take(unit, outbox, seen, landing.taken)


def _expected(unit: Unit, landing: Landing, conversation: Conversation) -> list[Participant]:
    """Who takes part once the parties of a call do."""
    expected = deepcopy(conversation.participants)
    for party in landing.parties():
        participants.attend(unit, Attendance(), (conversation.account_id, conversation.id), expected, party)
    return expected


async def enter(
    unit: Unit, landings: Sequence[Landing], opened: Iterable[Conversation]
) -> dict[ConversationKey, Conversation]:
    """The conversations that calls name, locked, and those that were opened by their keys: each is one object.

    Raises Outdated when one has ended since it was looked at.
    """
    reached = {(conversation.account_id, conversation.id): conversation for conversation in opened}
    named = {
        (landing.target.account_id, landing.target.id)
        for landing in landings
        if isinstance(landing.target, Conversation)
    }
    if strange := named - reached.keys():
        reached |= await conversations.lock_all(unit, strange)
    for key in named:
        if key not in reached or has_ended(reached[key].life, unit.now):
            raise Outdated(f"conversation {key[1]} has ended")
    await _drop_unmeant(unit, landings, reached)
    return reached


async def _drop_unmeant(
    unit: Unit, landings: Sequence[Landing], reached: Mapping[ConversationKey, Conversation]
) -> None:
    """Free the keys that were taken by what was seen before the lock, and that nobody means any more."""
    for landing in landings:
        if landing.taken and isinstance(landing.target, Conversation):
            conversation = reached[landing.target.account_id, landing.target.id]
            await holding.drop(unit, conversation, _expected(unit, landing, conversation), landing.taken)


async def note(
    unit: Unit, messages: Sequence[InboundMessage], belongings: Belongings, landings: Sequence[Landing]
) -> None:
    """Remember what these events tell of where their calls belong, and which calls are attached there now."""
    attached = {id(landing.message): landing.by.value for landing in landings if isinstance(landing.by, Attribute)}
    told: dict[CallKey, Call] = {}
    for message in messages:
        belonging = belongings.get(id(message))
        if belonging is None or not isinstance(message, CallEvent):
            continue
        if belonging.is_told or belonging.attaches:
            call = message.call
            before = told.get(call.key, call)
            told[call.key] = replace(
                call,
                attribute=call.attribute or before.attribute,
                attached_to=attached.get(id(message), before.attached_to),
            )
    if told:
        await remember(unit, told.values())
