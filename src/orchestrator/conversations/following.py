"""Open conversations follow their customers' profiles, when two become one and when one is taken apart again.

Whoever takes part in an open conversation with an id that is no more has the other one from then on; closed
conversations keep the old text. Conversations never become one: where several then mean the key of one profile, new
traffic goes to the one with the latest communication (contract: memory.md 6.6).

Everything happens in the unit that merges or splits. It has the turn of the store alone, so nobody takes the key of a
profile meanwhile. It locks the conversations before it changes their keys, the other way round than everybody else:
keys that are held change only under the lock of the conversation that holds them, or waits for them.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from orchestrator.conversations import holding, service
from orchestrator.conversations.model import Conversation
from orchestrator.domain.events import EventType
from orchestrator.domain.identity import recognition
from orchestrator.domain.linking import Linking
from orchestrator.kernel.unit import Unit, Units
from orchestrator.memory import identity
from orchestrator.memory.happenings import ParticipantKey, ProfilesMerged, ProfileSplit
from orchestrator.memory.identity import Subject
from orchestrator.outbox.record import Outbox
from orchestrator.participants import schemas
from orchestrator.participants import service as participants
from orchestrator.participants.model import OwnedAddress, Participant
from orchestrator.participants.service import Attendance


@dataclass(frozen=True, slots=True)
class _Member:
    """Somebody who takes part in an open conversation."""

    conversation: Conversation
    participant: Participant

    @property
    def key(self) -> ParticipantKey:
        return (self.conversation.id, self.participant.id)


def listen(units: Units, linking: Linking) -> None:
    """Follow every merge and every split in units that are opened here."""
    units.listeners[ProfilesMerged] = follow_merge
    units.listeners[ProfileSplit] = partial(follow_split, linking=linking)


async def follow_merge(unit: Unit, happened: ProfilesMerged) -> set[ParticipantKey]:
    """Whoever has the profile that was merged away has the survivor; returns who that was."""
    profile_ids = {happened.survivor_id, happened.merged_id}
    outbox = Outbox(unit)
    conversations = await service.lock_open_with(unit, outbox, happened.account_id, profile_ids)
    moving = _members(conversations, happened.merged_id)
    await _move(unit, outbox, moving, happened.survivor_id)
    await holding.settle(unit, conversations, profile_ids)
    await outbox.write()
    return {member.key for member in moving}


async def follow_split(unit: Unit, happened: ProfileSplit, *, linking: Linking) -> list[dict[str, Any]]:
    """The restored profile's participants have it again; returns those of whom nobody can tell whose they are.

    Its own are those who had it before the merge, and those who are found as nobody but it by all their addresses.
    Whoever is found as one by some addresses and as the other by others stays as it is.
    """
    profile_ids = {happened.profile_id, happened.restored_id}
    outbox = Outbox(unit)
    conversations = await service.lock_open_with(unit, outbox, happened.account_id, profile_ids)
    of_both = _members(conversations, happened.profile_id)
    found = await _found_as(unit, happened, of_both, linking)
    unclear = [member for member in of_both if found[member.key].keys() >= profile_ids]
    moving = [
        member
        for member in of_both
        if member not in unclear
        and (member.key in happened.participants or found[member.key].keys() == {happened.restored_id})
    ]
    await _move(unit, outbox, moving, happened.restored_id)
    await holding.settle(unit, conversations, profile_ids)
    await outbox.write()
    return [_shown(member, found[member.key][happened.restored_id]) for member in unclear]


_Found = dict[str, list[OwnedAddress]]
"""The addresses by which somebody is found as each profile."""


async def _found_as(
    unit: Unit, happened: ProfileSplit, members: Collection[_Member], linking: Linking
) -> dict[ParticipantKey, _Found]:
    """As whom each member is found, now that the identifiers are back."""
    asked = [
        (member.key, own, Subject(happened.account_id, happened.store_id, by))
        for member in members
        for own in member.participant.addresses
        if (by := recognition(own.value, linking=linking)) is not None
    ]
    profiles = await identity.look_up(unit, {subject for _, _, subject in asked})
    found: dict[ParticipantKey, _Found] = {member.key: {} for member in members}
    for key, own, subject in asked:
        if (profile_id := profiles[subject]) is not None:
            found[key].setdefault(profile_id, []).append(own)
    return found


def _members(conversations: Collection[Conversation], profile_id: str) -> list[_Member]:
    """Those who have a profile, whatever part they take."""
    return [
        _Member(conversation, participant)
        for conversation in conversations
        for participant in conversation.participants
        if participant.profile_id == profile_id
    ]


async def _move(unit: Unit, outbox: Outbox, members: Collection[_Member], profile_id: str) -> None:
    """Give members another profile, and tell of it."""
    if not members:
        return
    for member in members:
        participant = member.participant
        participant.profile_id, participant.updated_at = profile_id, max(unit.now, participant.updated_at)
        outbox.append(member.conversation, EventType.PARTICIPANT_UPDATED, schemas.to_wire(participant))
    await participants.write(unit, Attendance(changed=[member.participant for member in members]))
    await service.save(unit, list({member.conversation.id: member.conversation for member in members}.values()))


def _shown(member: _Member, addresses: Collection[OwnedAddress]) -> dict[str, Any]:
    """Somebody unclear, with the addresses that are the restored profile's."""
    return {
        "conversationId": member.conversation.id,
        "participantId": member.participant.id,
        "addresses": [{"channel": own.channel.value, "address": own.address} for own in addresses],
    }
