"""Participants: who an address belongs to in a conversation, made where nobody owns it yet.

The conversation is locked by the unit, so its participants change one unit at a time.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from orchestrator.domain.addresses import Address
from orchestrator.domain.identity import ParticipantType
from orchestrator.kernel.ids import PARTICIPANT, new_id
from orchestrator.kernel.paging import Page, PageRequest
from orchestrator.kernel.unit import Unit
from orchestrator.participants import store
from orchestrator.participants.model import OwnedAddress, Participant, owned_address
from orchestrator.participants.store import ConversationKey


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who wrote or was written to, as far as the traffic tells."""

    address: Address
    facing: Address
    """The other end of the communication."""
    type: ParticipantType
    profile_id: str | None = None
    channel_id: str | None = None
    """Id of the channel's own thing that the address now stands for, such as a call; None: as it was."""


@dataclass(slots=True)
class Attendance:
    """Who joined or changed in one unit, and what has to be written for it."""

    added: list[Participant] = field(default_factory=list)
    changed: list[Participant] = field(default_factory=list)
    gained: list[tuple[Participant, OwnedAddress]] = field(default_factory=list)
    """Addresses that participants did not own before."""
    moved: list[tuple[Participant, OwnedAddress]] = field(default_factory=list)
    """Addresses that stand for another call or chat now."""


async def of_conversations(
    unit: Unit, conversations: Collection[ConversationKey]
) -> dict[ConversationKey, list[Participant]]:
    """The participants of each conversation, oldest first."""
    return await store.of_conversations(unit, conversations) if conversations else {}


async def of_conversation(unit: Unit, account_id: str, conversation_id: str) -> list[Participant]:
    """The participants of one conversation, oldest first."""
    key = (account_id, conversation_id)
    return (await store.of_conversations(unit, [key]))[key]


async def list_page(unit: Unit, account_id: str, conversation_id: str, page: PageRequest) -> Page[Participant]:
    """A page of a conversation's participants, oldest first."""
    ids = await store.page_of_ids(unit, account_id, conversation_id, page)
    by_id = {one.id: one for one in await of_conversation(unit, account_id, conversation_id)}
    # Those of a conversation that was deleted between the two statements are left out.
    return Page([by_id[row.id] for row in ids.items if row.id in by_id], ids.next_token, ids.previous_token)


def attend(
    unit: Unit, attendance: Attendance, key: ConversationKey, members: list[Participant], party: Party
) -> Participant:
    """The participant a party is; joins the members when it is new. Nothing is written before `write`.

    In order: the owner of the address on its channel; the owner of the same address on another channel, a customer
    of the same profile, or our own side (which may use several numbers, but does not write to itself) gains the
    address; else somebody new joins.
    """
    owner = _owner(members, party)
    if owner is None:
        owner = Participant(
            *key, new_id(PARTICIPANT), party.address.address, party.type, unit.now, unit.now, party.profile_id
        )
        members.append(owner)
        attendance.added.append(owner)
    learned = _learn(owner, party)
    if (_gain(attendance, owner, party) or learned) and owner not in attendance.added + attendance.changed:
        owner.updated_at = unit.now
        attendance.changed.append(owner)
    return owner


def _gain(attendance: Attendance, owner: Participant, party: Party) -> bool:
    """Give the participant the address, or the address its call or chat. True when that is news."""
    address = owner.owned(party.address)
    if address is None:
        address = owned_address(party.address, party.channel_id)
        owner.addresses.append(address)
        attendance.gained.append((owner, address))
        return True
    if party.channel_id in (None, address.channel_id):
        return False
    address.channel_id = party.channel_id
    if (owner, address) not in attendance.gained:
        attendance.moved.append((owner, address))
    return True


def joining(newcomers: Sequence[Participant]) -> Attendance:
    """What has to be written for new participants."""
    return Attendance(list(newcomers), gained=[(one, own) for one in newcomers for own in one.addresses])


async def replace(unit: Unit, participant: Participant) -> None:
    """Write a participant that was revised, with the addresses it has now."""
    await store.delete_addresses(unit, participant)
    await write(unit, Attendance(changed=[participant], gained=[(participant, own) for own in participant.addresses]))


async def write(unit: Unit, attendance: Attendance) -> None:
    """Write everybody who joined or changed."""
    if attendance.added:
        await store.insert(unit, attendance.added)
    if attendance.changed:
        await store.update(unit, attendance.changed)
    if attendance.gained:
        await store.insert_addresses(unit, attendance.gained)
    if attendance.moved:
        await store.update_addresses(unit, attendance.moved)


def _owner(members: Sequence[Participant], party: Party) -> Participant | None:
    address = party.address
    for member in members:
        if member.owned(address):
            return member
    for member in members:
        if member.has(address):
            return member
    if party.type is ParticipantType.CUSTOMER and party.profile_id is not None:
        customers = (member for member in members if member.type is ParticipantType.CUSTOMER)
        return next((customer for customer in customers if customer.profile_id == party.profile_id), None)
    if party.type is ParticipantType.AGENT:
        # Our side may answer from several numbers; it stays one participant (contract: conversations.md Q17).
        agents = (member for member in members if member.type is ParticipantType.AGENT)
        return next((agent for agent in agents if not agent.has(party.facing)), None)
    return None


def _learn(owner: Participant, party: Party) -> bool:
    """A customer who was UNKNOWN, or had no profile, and is recognised now. True when that is news."""
    if party.type is not ParticipantType.CUSTOMER or party.profile_id is None or owner.profile_id is not None:
        return False
    if owner.type not in (ParticipantType.UNKNOWN, ParticipantType.CUSTOMER):
        return False
    owner.type, owner.profile_id = ParticipantType.CUSTOMER, party.profile_id
    return True
