"""The story of a message, top to bottom.

It is told of a whole batch at once: each step is one set-based statement or a few, and a single message is a batch of
one. Locks are taken in one order: receipt, identifier, key, conversation, and then what belongs to the conversation.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.communications import service as communications
from orchestrator.communications.model import Communication
from orchestrator.conversations import schemas as conversation_schemas
from orchestrator.conversations import service as conversations
from orchestrator.conversations.model import Conversation
from orchestrator.domain.addresses import Channel
from orchestrator.domain.events import EventType
from orchestrator.domain.grouping import grouping_key
from orchestrator.domain.identity import ParticipantType
from orchestrator.domain.lifecycle import Status
from orchestrator.domain.messages import DeliveryStatus, InboundMessage
from orchestrator.ingest import receipts
from orchestrator.ingest.capturing import capture
from orchestrator.ingest.identifying import Policy, identify
from orchestrator.ingest.landing import Landing, Outcome, Side
from orchestrator.kernel.ids import COMMUNICATION, new_id
from orchestrator.kernel.unit import Unit
from orchestrator.outbox.record import Outbox
from orchestrator.participants import schemas as participant_schemas
from orchestrator.participants import service as participants
from orchestrator.participants.model import Participant
from orchestrator.participants.service import Attendance, Party


@dataclass(frozen=True, slots=True)
class Landed:
    """A landing and the conversation it reached."""

    landing: Landing
    conversation: Conversation


async def ingest(unit: Unit, messages: Sequence[InboundMessage], policy: Policy) -> list[tuple[Outcome, ...]]:
    """Land messages in the right conversations.

    Returns, in the order of the messages, the outcome of each: one per configuration that captured it.
    """
    outbox = Outbox(unit)
    fresh = await receipts.claim(unit, messages)
    landings = await capture(unit, fresh)
    await identify(unit, landings, policy)
    landed = await _find_conversations(unit, outbox, landings)
    spoken = await _attend(unit, outbox, landed)
    await communications.append(unit, outbox, spoken)
    await conversations.save(unit, _distinct(landed))
    await outbox.write()
    captured = {id(one.landing.message) for one in landed}
    await receipts.note_uncaptured(unit, [message for message in fresh if id(message) not in captured])
    return _outcomes(messages, fresh, landed)


async def _find_conversations(unit: Unit, outbox: Outbox, landings: Sequence[Landing]) -> list[Landed]:
    """The open conversation of each landing's grouping key: one that is there, or a new one."""
    for landing in landings:
        customer = landing.customer
        landing.key = grouping_key(
            landing.configuration.settings.grouping_type,
            landing.author.address,
            landing.recipient.address,
            customer.profile_id if customer else None,
        )
    wanted = {landing.group_key: landing.configuration for landing in landings}
    opened = await conversations.open_for(unit, outbox, wanted)
    return [Landed(landing, opened[landing.group_key]) for landing in landings if landing.group_key in opened]


async def _attend(unit: Unit, outbox: Outbox, landed: Sequence[Landed]) -> list[communications.Appended]:
    """Both parties take part: find or add them, tell of what is new, and make the communications they spoke."""
    attendance = Attendance()
    spoken = []
    for one in landed:
        ends = one.landing.sides
        author, recipient = (
            _join(unit, attendance, one.conversation, side, facing)
            for side, facing in zip(ends, ends[::-1], strict=True)
        )
        one.landing.outcome = _outcome(one.conversation)
        conversations.communicate(unit, outbox, one.conversation, one.landing.message.channel)
        spoken.append((one.conversation, _communication(unit, one, author, recipient)))
    await participants.write(unit, attendance)
    _tell(outbox, _distinct(landed), attendance)
    return spoken


def _join(unit: Unit, attendance: Attendance, conversation: Conversation, side: Side, facing: Side) -> Participant:
    key = (conversation.account_id, conversation.id)
    party = Party(side.address, facing.address, side.type, side.profile_id)
    return participants.attend(unit, attendance, key, conversation.participants, party)


def _outcome(conversation: Conversation) -> Outcome:
    if conversation.is_new and not conversation.activity:
        return Outcome.NEW
    return Outcome.REOPENED if conversation.status is Status.INACTIVE else Outcome.JOINED


def _communication(unit: Unit, one: Landed, author: Participant, recipient: Participant) -> Communication:
    message = one.landing.message
    receiver = _end(one.landing.recipient, recipient)
    if (delivery_status := _delivery_status(one.landing)) is not None:
        receiver["deliveryStatus"] = delivery_status
    return Communication(
        account_id=one.conversation.account_id,
        conversation_id=one.conversation.id,
        id=new_id(COMMUNICATION),
        author=_end(one.landing.author, author),
        recipients=[receiver],
        content=message.content,
        occurred_at=message.occurred_at or unit.now,
        created_at=unit.now,
        updated_at=unit.now,
        channel_id=message.channel_id,
        resource_id=message.resource_id,
        trace=one.landing.trace(),
    )


def _delivery_status(landing: Landing) -> DeliveryStatus | None:
    """What the provider told. Otherwise a message of ours is on its way, and any other has arrived; speech has none."""
    message = landing.message
    if message.delivery_status is not None or message.channel is Channel.VOICE:
        return message.delivery_status
    ours = landing.author.type is ParticipantType.AGENT
    return DeliveryStatus.IN_PROGRESS if ours else DeliveryStatus.DELIVERED


def _end(side: Side, participant: Participant) -> dict[str, str]:
    """The author or a recipient, as the communication shows it; always with its participant."""
    return {"address": side.address.address, "channel": side.address.channel, "participantId": participant.id}


def _tell(outbox: Outbox, touched: Iterable[Conversation], attendance: Attendance) -> None:
    """CONVERSATION_CREATED comes before PARTICIPANT_ADDED, that before COMMUNICATION_CREATED."""
    by_key = {(conversation.account_id, conversation.id): conversation for conversation in touched}
    for conversation in by_key.values():
        if conversation.is_new:
            outbox.append(conversation, EventType.CONVERSATION_CREATED, conversation_schemas.to_event(conversation))
    for event, members in (
        (EventType.PARTICIPANT_ADDED, attendance.added),
        (EventType.PARTICIPANT_UPDATED, attendance.changed),
    ):
        for member in members:
            conversation = by_key[member.account_id, member.conversation_id]
            outbox.append(conversation, event, participant_schemas.to_wire(member))


def _distinct(landed: Iterable[Landed]) -> list[Conversation]:
    return list({id(one.conversation): one.conversation for one in landed}.values())


def _outcomes(
    messages: Sequence[InboundMessage], fresh: Sequence[InboundMessage], landed: Sequence[Landed]
) -> list[tuple[Outcome, ...]]:
    reached: dict[int, list[Outcome]] = {id(message): [] for message in fresh}
    for one in landed:
        reached[id(one.landing.message)].append(one.landing.outcome)
    return [
        tuple(reached[id(message)]) or (Outcome.UNCAPTURED,) if id(message) in reached else (Outcome.DUPLICATE,)
        for message in messages
    ]
