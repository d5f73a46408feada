"""Participants that a caller describes: recognised in the memory store, then joining or revised."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from orchestrator.domain.identity import ParticipantType, recognition_of_all
from orchestrator.domain.linking import Linking
from orchestrator.kernel.ids import PARTICIPANT, new_id
from orchestrator.kernel.unit import Unit
from orchestrator.memory import identity
from orchestrator.memory.identity import Subject
from orchestrator.participants.model import OwnedAddress, Participant
from orchestrator.participants.store import ConversationKey

_RECOGNISED = (ParticipantType.CUSTOMER, ParticipantType.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Introduction:
    """A participant as a caller describes it."""

    type: ParticipantType = ParticipantType.UNKNOWN
    addresses: tuple[OwnedAddress, ...] = ()
    name: str | None = None
    profile_id: str | None = None


Identified = tuple[ParticipantType, str | None]
"""What somebody is, and which profile."""


@dataclass(frozen=True, slots=True)
class Directory:
    """Where customers are recognised."""

    account_id: str
    store_id: str
    linking: Linking

    async def identify(self, unit: Unit, introductions: Sequence[Introduction]) -> list[Identified]:
        """What each of them is. Customers get a profile, others who may be one are looked up (conversations.md 7).

        A profile that the caller names is not looked up; who might be a customer is one then. The sides that are ours
        have the one that is named, or none. One that was merged away is the one that it is part of by now; one that
        is not there is taken as it is (contract: memory.md 6.5). A missing store stops nobody.
        """
        named = {one.profile_id for one in introductions if one.profile_id is not None}
        canonical = await identity.canonical(unit, self.account_id, self.store_id, named) if named else {}
        subjects = [self._subject(one) for one in introductions]
        asked = [(one.type, subject) for one, subject in zip(introductions, subjects, strict=True) if subject]
        customers = {subject for of_type, subject in asked if of_type is ParticipantType.CUSTOMER}
        others = {subject for of_type, subject in asked if of_type is ParticipantType.UNKNOWN} - customers
        found = await identity.recognise_or_create(unit, customers) if customers else {}
        found |= await identity.recognise(unit, others) if others else {}
        return [
            _identified(one.type, found[subject].profile_id if subject else canonical.get(one.profile_id or ""))
            for one, subject in zip(introductions, subjects, strict=True)
        ]

    def _subject(self, introduction: Introduction) -> Subject | None:
        """Who is to be looked up; nobody where the caller has said it, or no address tells."""
        if introduction.profile_id is not None or introduction.type not in _RECOGNISED:
            return None
        addresses = (own.value for own in introduction.addresses)
        by = recognition_of_all(addresses, linking=self.linking)
        return None if by is None else Subject(self.account_id, self.store_id, by)


def _identified(of_type: ParticipantType, profile_id: str | None) -> Identified:
    is_customer = of_type in _RECOGNISED and profile_id is not None
    return (ParticipantType.CUSTOMER if is_customer else of_type), profile_id


def join(unit: Unit, key: ConversationKey, introduction: Introduction, identified: Identified) -> Participant:
    """The new participant. Nothing is written."""
    participant_id = new_id(PARTICIPANT)
    name = introduction.name if introduction.name is not None else _name(introduction.addresses, participant_id)
    of_type, profile_id = identified
    addresses = list(introduction.addresses)
    return Participant(*key, participant_id, name, of_type, unit.now, unit.now, profile_id, addresses)


def revise(unit: Unit, participant: Participant, introduction: Introduction, identified: Identified) -> Participant:
    """The participant as the caller describes it, whole; equal to the one given when that changes nothing."""
    name = introduction.name if introduction.name is not None else _name(introduction.addresses, participant.id)
    of_type, profile_id = identified
    revised = replace(
        participant, name=name, type=of_type, profile_id=profile_id, addresses=list(introduction.addresses)
    )
    if revised != participant:
        revised.updated_at = max(unit.now, participant.updated_at)
    return revised


def _name(addresses: Sequence[OwnedAddress], participant_id: str) -> str:
    """Official clients need a name: the first address, or the id of somebody without one."""
    return addresses[0].address if addresses else participant_id
