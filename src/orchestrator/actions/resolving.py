"""Which addresses a message goes from and to: settled once, when the action is asked for.

Rules (contract: conversations.md section 10.1; Twilio's OpenAPI file): a participant and a channel, a participant who
has one address, or an address and its channel. With a participant and an address the participant counts. A
participant with several addresses on the channel is met where it was last met there in this conversation, so that a
reply goes to the number that wrote, and from the number that was written to. What comes of it is judged by
`actions.safety`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.actions import store
from orchestrator.actions.model import Correspondent, Message
from orchestrator.actions.safety import Named, check_presence, check_replies, check_sender, in_question
from orchestrator.actions.schemas import SendMessageParticipant, SendMessagePayload, to_content
from orchestrator.conversations.model import Conversation
from orchestrator.domain.addresses import Address, Channel, InvalidAddress, parse
from orchestrator.kernel.fields import refused
from orchestrator.kernel.unit import Unit
from orchestrator.participants.model import OwnedAddress, Participant

SENDABLE = (Channel.SMS, Channel.RCS, Channel.WHATSAPP, Channel.CHAT)

_FROM = "/payload/from"
_LONGEST_THREAD = 256
"""Characters of a `channelId` (conversations.md section 2.7)."""


async def resolve(
    unit: Unit, conversation: Conversation, payload: SendMessagePayload, *, sid: str | None = None
) -> Message:
    """The message with every address known; `sid` is the one chosen for it. Raises BadRequest naming the field."""
    resolver = _Resolver(unit, conversation)
    sender = await resolver.correspondent(_FROM, payload.from_)
    check_sender(conversation, _FROM, sender)
    recipients: list[Named] = []
    for position, wanted in enumerate(payload.to):
        named = await resolver.recipient(f"/payload/to/{position}", wanted)
        _check_recipient(named.pointer, named.recipient, sender, [other.recipient for other in recipients])
        recipients.append(named)
    check_presence(conversation, recipients)
    if not payload.force:
        await _judge(unit, conversation, recipients)
    message = Message(
        account_id=conversation.account_id,
        sender=sender,
        recipients=tuple(named.recipient for named in recipients),
        content=to_content(payload.content),
        channel_settings=payload.channel_settings or {},
        sid=sid,
    )
    _check_thread(message)
    return message


async def _judge(unit: Unit, conversation: Conversation, recipients: Sequence[Named]) -> None:
    """Raise BadRequest for a recipient who would be met elsewhere than where it wrote last, and nobody has said so."""
    persons = in_question(conversation, recipients)
    if ids := {id_ for theirs in persons.values() for id_ in theirs}:
        said = await store.last_said(unit, conversation.account_id, conversation.id, ids)
        check_replies(recipients, persons, said)


@dataclass(frozen=True, slots=True)
class _Resolver:
    """Finds addresses among the participants of one conversation."""

    unit: Unit
    conversation: Conversation

    async def recipient(self, pointer: str, wanted: SendMessageParticipant) -> Named:
        """Whom the message is to, and whether the caller has written that very address."""
        found = await self.correspondent(pointer, wanted)
        address = found.address
        written = wanted.address and _parsed(pointer, address.channel, wanted.address).canonical
        return Named(pointer, found, by_address=written == address.canonical)

    async def correspondent(self, pointer: str, named: SendMessageParticipant) -> Correspondent:
        """Whom the caller means by what stands at this place."""
        if named.participant_id is not None:
            found = await self._of_participant(pointer, named.participant_id, named)
        elif named.address is None:
            raise refused(pointer, "name a participantId, or an address with its channel")
        elif named.channel is None:
            raise refused(pointer, "an address is named with its channel", named.address)
        else:
            found = Correspondent(_parsed(pointer, named.channel, named.address))
        if found.address.channel not in SENDABLE:
            channel = found.address.channel
            raise refused(pointer, f"{channel} is not sendable; send on {', '.join(SENDABLE)}", channel)
        return found

    async def _of_participant(self, pointer: str, participant_id: str, named: SendMessageParticipant) -> Correspondent:
        participant = self._participant(pointer, participant_id)
        candidates = [own for own in participant.addresses if named.channel in (None, own.channel)]
        if not candidates:
            where = f" on {named.channel}" if named.channel else ""
            raise refused(pointer, f"participant {participant.id} has no address{where}", participant.id)
        if named.address is not None:
            candidates = _those_meant(pointer, candidates, named.address)
        own = candidates[0] if len(candidates) == 1 else await self._last_used(participant, candidates, named.channel)
        if own is None:
            listed = ", ".join(f"{own.channel} {own.address}" for own in candidates)
            wanted = "an address" if named.channel else "a channel"
            raise refused(pointer, f"participant {participant.id} has several addresses, name {wanted}: {listed}")
        return Correspondent(Address(own.channel, own.address, own.canonical), participant.id)

    def _participant(self, pointer: str, participant_id: str) -> Participant:
        for member in self.conversation.participants:
            if member.id == participant_id:
                return member
        message = f"conversation {self.conversation.id} has no participant {participant_id}"
        raise refused(pointer, message, participant_id)

    async def _last_used(
        self, participant: Participant, candidates: Sequence[OwnedAddress], channel: Channel | None
    ) -> OwnedAddress | None:
        """The address of its latest communication on the channel, if it is one of these."""
        if channel is None:
            return None
        last = await store.last_address(self.unit, participant, channel)
        used = None if last is None else parse(channel, last).canonical
        return next((own for own in candidates if own.canonical == used), None)


def _those_meant(pointer: str, candidates: Sequence[OwnedAddress], address: str) -> list[OwnedAddress]:
    """Those of a participant's addresses that the given one is; all of them when it is none."""
    meant = [own for own in candidates if _parsed(pointer, own.channel, address).canonical == own.canonical]
    return meant or list(candidates)


def _parsed(pointer: str, channel: Channel, address: str) -> Address:
    try:
        return parse(channel, address)
    except InvalidAddress as error:
        raise refused(pointer, str(error), address) from error


def _check_recipient(
    pointer: str, recipient: Correspondent, sender: Correspondent, others: Sequence[Correspondent]
) -> None:
    """Raise BadRequest unless the recipient is somebody else, on the sender's channel."""
    if recipient.address.channel is not sender.address.channel:
        message = f"the channel is {recipient.address.channel}, that of {_FROM} is {sender.address.channel}"
        raise refused(pointer, message, recipient.address.channel)
    if _same(recipient, sender):
        raise refused(pointer, f"the recipient is the sender, {sender.address.address}", recipient.address.address)
    for position, other in enumerate(others):
        if _same(recipient, other):
            raise refused(pointer, f"the recipient is that of /payload/to/{position}", recipient.address.address)


def _same(one: Correspondent, other: Correspondent) -> bool:
    if one.participant_id is not None and one.participant_id == other.participant_id:
        return True
    return one.address.canonical == other.address.canonical


def _check_thread(message: Message) -> None:
    """A chat is told by its id, which is in no address. Raises BadRequest."""
    if message.channel is not Channel.CHAT:
        return
    thread = message.channel_settings.get("channelId")
    if not (isinstance(thread, str) and thread.strip() and len(thread) <= _LONGEST_THREAD):
        expected = f"CHAT needs the id of the chat, a text of at most {_LONGEST_THREAD} characters"
        raise refused("/payload/channelSettings/channelId", expected)
