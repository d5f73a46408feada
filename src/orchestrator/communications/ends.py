"""Author and recipients of a communication that a caller puts into a conversation: found there, or made to join."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

from orchestrator.communications.model import Communication, place_of
from orchestrator.conversations import holding
from orchestrator.conversations.model import Conversation
from orchestrator.conversations.telling import tell
from orchestrator.domain.addresses import Address
from orchestrator.domain.identity import ParticipantType
from orchestrator.domain.linking import Linking
from orchestrator.domain.messages import DeliveryStatus
from orchestrator.kernel.fields import refused
from orchestrator.kernel.unit import Unit
from orchestrator.outbox.record import Outbox
from orchestrator.participants import service as participants
from orchestrator.participants.introducing import Directory, Identified, Introduction
from orchestrator.participants.model import Participant, owned_address
from orchestrator.participants.service import Attendance, Party


@dataclass(frozen=True, slots=True)
class End:
    """An author or a recipient, as the caller names it."""

    address: Address
    participant_id: str | None = None
    """The participant who owns the address; None: whoever does, or somebody new."""
    type: ParticipantType = ParticipantType.UNKNOWN
    """Of somebody new. A CUSTOMER's profile is found or made, an UNKNOWN one is looked up only."""
    delivery_status: DeliveryStatus | None = None
    """How far it got to a recipient."""
    pointer: str = ""
    """Its place in the request."""


Key = tuple[str, str, str]
"""Account id, configuration id, grouping key."""


class Ends:
    """The ends of one communication, the author first. Nobody writes to an end that is not a participant.

    Identifiers and grouping keys are locked before the conversation: so first `expect`, then lock, then `attend`.
    Traffic may bring somebody in between.
    """

    def __init__(self, unit: Unit, outbox: Outbox, ends: Sequence[End], *, linking: Linking) -> None:
        self._unit = unit
        self._outbox = outbox
        self.named = ends
        self._linking = linking
        self._identified: dict[Address, Identified] = {}
        self._settled: dict[End, str] = {}
        self._taken: set[Key] = set()

    def settle(self, known: Communication) -> None:
        """Leave alone whom the communication has already: they are who they were, whoever owns the address by now."""
        were = {place_of(shown): shown["participantId"] for shown in (known.author, *known.recipients)}
        for end in self.named:
            participant_id = were.get((end.address.channel, end.address.canonical))
            if participant_id is not None and end.participant_id in (None, participant_id):
                self._settled[end] = participant_id

    async def expect(self, seen: Conversation) -> None:
        """Recognise those who are not in the conversation yet, and take the grouping keys that they bring.

        A key that another conversation holds stays there: traffic between those two goes on landing in that one.
        """
        if all(_is_there(seen.participants, end) for end in self._open()):
            return
        seen = await holding.turn(self._unit, seen)
        members = seen.participants
        strangers = [end for end in self._open() if not any(member.has(end.address) for member in members)]
        directory = Directory(seen.account_id, seen.settings.memory_store_id, self._linking)
        introductions = [Introduction(end.type, (owned_address(end.address),)) for end in strangers]
        identified = await directory.identify(self._unit, introductions)
        self._identified = {end.address: who for end, who in zip(strangers, identified, strict=True)}
        expected = deepcopy(members)
        self._join(Attendance(), seen, expected)
        self._taken = holding.keys(seen, expected) - seen.keys()
        await holding.take(self._unit, self._outbox, seen, self._taken)

    async def attend(self, conversation: Conversation) -> list[Participant]:
        """The participant that each end is. The conversation is locked. Raises BadRequest for a wrong participantId."""
        for end in self._open():
            _check(conversation, end)
        attendance, members = Attendance(), conversation.participants
        nobody_new = not self._taken and all(_is_there(members, end) for end in self._open())
        before = set() if nobody_new else conversation.keys()
        joined = self._join(attendance, conversation, members)
        if not nobody_new:
            new = holding.keys(conversation, members) - before - self._taken
            await holding.drop(self._unit, conversation, members, self._taken)
            await holding.take(self._unit, self._outbox, conversation, new)
        await participants.write(self._unit, attendance)
        tell(self._outbox, [conversation], attendance)
        known = {member.id: member for member in members}
        return [joined[end] if end in joined else known[self._settled[end]] for end in self.named]

    def _open(self) -> list[End]:
        return [end for end in self.named if end not in self._settled]

    def _join(
        self, attendance: Attendance, conversation: Conversation, members: list[Participant]
    ) -> dict[End, Participant]:
        key = (conversation.account_id, conversation.id)
        author = self.named[0]
        return {
            end: participants.attend(
                self._unit, attendance, key, members, self._party(end, author if end is not author else self.named[-1])
            )
            for end in self._open()
        }

    def _party(self, end: End, facing: End) -> Party:
        of_type, profile_id = self._identified.get(end.address, (end.type, None))
        return Party(end.address, facing.address, of_type, profile_id)


def _is_there(members: Sequence[Participant], end: End) -> bool:
    return any(member.owned(end.address) for member in members)


def _check(conversation: Conversation, end: End) -> None:
    """Raise BadRequest when the caller names a participant who is not there, or does not own the address."""
    if end.participant_id is None:
        return
    pointer = f"{end.pointer}/participantId"
    named = next((one for one in conversation.participants if one.id == end.participant_id), None)
    if named is None:
        raise refused(pointer, f"conversation {conversation.id} has no such participant", end.participant_id)
    if named.owned(end.address) is None:
        channel, address = end.address.channel, end.address.address
        raise refused(pointer, f"this participant does not own the {channel} address {address}", end.participant_id)
