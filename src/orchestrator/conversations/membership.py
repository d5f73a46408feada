"""Participants that a caller adds to a conversation, or describes anew.

Lock order: our turn, then identifiers, then grouping keys, then the conversation. So identifiers and keys are taken by
what is seen before the lock, and looked at again under it: traffic may have brought somebody.
"""

from dataclasses import replace

from orchestrator.conversations import service
from orchestrator.conversations.holding import AddressConflict, drop, hold, turn
from orchestrator.conversations.model import Conversation
from orchestrator.domain.events import EventType
from orchestrator.domain.linking import Linking
from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.unit import Unit
from orchestrator.outbox.record import Outbox
from orchestrator.participants import introducing, schemas
from orchestrator.participants import service as participants
from orchestrator.participants.introducing import Directory, Introduction
from orchestrator.participants.model import Participant

Keys = set[tuple[str, str, str]]
"""Grouping keys, each with account id and configuration id."""


async def add(unit: Unit, seen: Conversation, introduction: Introduction, *, linking: Linking) -> Participant:
    """Add a participant to a conversation that was looked at.

    Raises AddressConflict when another participant, or another open conversation, holds an address; BadRequest when
    the conversation is CLOSED.
    """
    seen = await turn(unit, seen)
    service.require_open(unit, seen)
    directory = Directory(seen.account_id, seen.settings.memory_store_id, linking)
    (identified,) = await directory.identify(unit, [introduction])
    joining = introducing.join(unit, (seen.account_id, seen.id), introduction, identified)
    outbox = Outbox(unit)
    taken = await _hold(unit, outbox, seen, joining)
    conversation = await service.lock(unit, seen.account_id, seen.id)
    service.require_open(unit, conversation)
    await drop(unit, conversation, _with(conversation, joining), taken)
    await _hold(unit, outbox, conversation, joining)
    await participants.write(unit, participants.joining([joining]))
    await _record(unit, outbox, conversation, EventType.PARTICIPANT_ADDED, joining)
    return joining


async def revise(
    unit: Unit,
    seen: Conversation,
    participant_id: str,
    introduction: Introduction,
    *,
    keep_addresses: bool,
    linking: Linking,
) -> Participant:
    """Replace what is known of a participant; PARTICIPANT_UPDATED if it is different afterwards.

    Raises NotFound; AddressConflict and BadRequest as `add`.
    """
    seen = await turn(unit, seen)
    service.require_open(unit, seen)
    before = participant_of(seen, participant_id)
    described = _described(introduction, before, keep_addresses=keep_addresses)
    directory = Directory(seen.account_id, seen.settings.memory_store_id, linking)
    (identified,) = await directory.identify(unit, [described])
    outbox = Outbox(unit)
    taken = await _hold(unit, outbox, seen, introducing.revise(unit, before, described, identified))
    conversation = await service.lock(unit, seen.account_id, seen.id)
    service.require_open(unit, conversation)
    before = participant_of(conversation, participant_id)
    described = _described(introduction, before, keep_addresses=keep_addresses)
    revised = introducing.revise(unit, before, described, identified)
    await drop(unit, conversation, _with(conversation, revised), taken)
    if revised == before:
        return before
    await _hold(unit, outbox, conversation, revised)
    await participants.replace(unit, revised)
    await _record(unit, outbox, conversation, EventType.PARTICIPANT_UPDATED, revised)
    return revised


def participant_of(conversation: Conversation, participant_id: str) -> Participant:
    """The participant of this id. Raises NotFound."""
    for member in conversation.participants:
        if member.id == participant_id:
            return member
    raise NotFound(f"conversation {conversation.id} has no participant {participant_id}")


def _described(introduction: Introduction, participant: Participant, *, keep_addresses: bool) -> Introduction:
    return replace(introduction, addresses=tuple(participant.addresses)) if keep_addresses else introduction


async def _hold(unit: Unit, outbox: Outbox, conversation: Conversation, member: Participant) -> Keys:
    """The member's addresses belong to nobody else, here or in another open conversation. Raises AddressConflict.

    Returns the keys that are held with the member.
    """
    for other in conversation.participants:
        if other.id == member.id:
            continue
        for own in member.addresses:
            if other.owned(own.value):
                raise AddressConflict(
                    f"{own.channel} address {own.address} already belongs to participant {other.id}", other.id
                )
    return await hold(unit, outbox, conversation, _with(conversation, member))


def _with(conversation: Conversation, member: Participant) -> list[Participant]:
    """The participants once this one is as it shall be."""
    others = [one for one in conversation.participants if one.id != member.id]
    return sorted([*others, member], key=lambda one: one.id)


async def _record(
    unit: Unit, outbox: Outbox, conversation: Conversation, event: EventType, member: Participant
) -> None:
    conversation.participants = _with(conversation, member)
    outbox.append(conversation, event, schemas.to_wire(member))
    await service.save(unit, [conversation])
    await outbox.write()
