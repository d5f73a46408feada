"""The story of a message, top to bottom.

It is told of a whole batch at once: each step is one set-based statement or a few, and a single message is a batch of
one. A call that says where it belongs goes the same way before anything is said, as a message without content. Locks
are taken in one order: receipt, identifier, key, conversation, what belongs to the conversation, and then the call.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.communications import service as communications
from orchestrator.configurations import service as configurations
from orchestrator.configurations.model import Configuration
from orchestrator.conversations import service as conversations
from orchestrator.conversations.model import Conversation
from orchestrator.conversations.telling import tell
from orchestrator.domain.grouping import grouping_key
from orchestrator.domain.lifecycle import Status
from orchestrator.domain.messages import InboundMessage
from orchestrator.ingest import attaching, diagnostics, receipts, unlanded
from orchestrator.ingest.attributes import Attribute
from orchestrator.ingest.batch import Outdated
from orchestrator.ingest.belonging import Belongings, find_belongings
from orchestrator.ingest.capturing import capture
from orchestrator.ingest.composing import compose
from orchestrator.ingest.identifying import Policy, identify
from orchestrator.ingest.landing import ConversationKey, GroupKey, Landing, Outcome
from orchestrator.ingest.receipts import Reported, Trace
from orchestrator.kernel.unit import Unit
from orchestrator.outbox.record import Outbox
from orchestrator.participants import service as participants
from orchestrator.participants.model import Participant
from orchestrator.participants.service import Attendance


@dataclass(frozen=True, slots=True)
class Landed:
    """A landing and the conversation it reached."""

    landing: Landing
    conversation: Conversation


@dataclass(frozen=True, slots=True)
class Story:
    """What became of a batch."""

    outcomes: list[tuple[Outcome, ...]]
    """In the order of the messages, of each: one per conversation that it reached."""
    landed: list[Landed]
    spoken: list[communications.Appended]
    """What was said: one for each landing of a message with content."""
    uncaptured: list[tuple[InboundMessage, Trace]]
    outbox: Outbox


async def ingest(unit: Unit, messages: Sequence[InboundMessage], policy: Policy) -> list[tuple[Outcome, ...]]:
    """Land messages in the right conversations.

    Returns, in the order of the messages, the outcome of each: one per conversation that it reached.
    """
    return (await play(unit, messages, policy)).outcomes


async def play(unit: Unit, messages: Sequence[InboundMessage], policy: Policy) -> Story:
    """The same, with everything that there is to tell of it."""
    outbox = Outbox(unit)
    fresh, reported = await receipts.claim(unit, messages)
    belongings = await find_belongings(unit, fresh)
    landings = await capture(unit, fresh, belongings)
    await identify(unit, landings, policy)
    landed = await _find_conversations(unit, outbox, landings)
    spoken = await _attend(unit, outbox, landed, reported)
    await communications.append(unit, outbox, spoken)
    await conversations.save(unit, _distinct(landed))
    await outbox.write()
    await diagnostics.note(unit, [(one.landing, one.conversation) for one in landed])
    await attaching.note(unit, fresh, belongings, [one.landing for one in landed])
    uncaptured = await _uncaptured(unit, fresh, landed, belongings)
    await receipts.note_uncaptured(unit, uncaptured)
    return Story(_outcomes(messages, fresh, landed), landed, spoken, uncaptured, outbox)


async def _find_conversations(unit: Unit, outbox: Outbox, landings: Sequence[Landing]) -> list[Landed]:
    """The conversation that each landing's call names; else the open one of its grouping key, there or new."""
    for landing in landings:
        landing.key = _grouping_key(landing)
    wanted = {landing.group_key: landing.target for landing in landings if isinstance(landing.target, Configuration)}
    await attaching.take_keys(unit, outbox, landings)
    try:
        opened = await conversations.open_for(unit, outbox, wanted)
    except conversations.Overtaken as error:
        raise Outdated("a conversation has ended") from error
    named = await attaching.enter(unit, landings, opened.values())
    found = [(landing, _reached(landing, opened, named)) for landing in landings]
    return [Landed(landing, conversation) for landing, conversation in found if conversation is not None]


def _grouping_key(landing: Landing) -> str | None:
    if isinstance(landing.target, Conversation):
        return None
    customer = landing.customer
    return grouping_key(
        landing.settings.grouping_type,
        landing.author.address,
        landing.recipient.address,
        customer.profile_id if customer else None,
    )


def _reached(
    landing: Landing, opened: Mapping[GroupKey, Conversation], named: Mapping[ConversationKey, Conversation]
) -> Conversation | None:
    """None while the configuration is being deleted. Raises Outdated if the call says that it belongs there."""
    if isinstance(landing.target, Conversation):
        return named[landing.target.account_id, landing.target.id]
    conversation = opened.get(landing.group_key)
    if conversation is None and isinstance(landing.by, Attribute):
        raise Outdated(f"configuration {landing.target.id} is being deleted")
    return conversation


async def _attend(
    unit: Unit, outbox: Outbox, landed: Sequence[Landed], reported: Reported
) -> list[communications.Appended]:
    """Both parties take part: find or add them, tell of what is new, and make the communications they spoke."""
    attendance = Attendance()
    spoken = []
    for one in landed:
        landing, conversation = one.landing, one.conversation
        author, recipient = _join(unit, attendance, landing, conversation)
        landing.outcome = _outcome(conversation)
        landing.succeeds = conversation.succeeds if landing.outcome is Outcome.NEW else None
        if landing.message.content:
            conversations.communicate(unit, outbox, conversation, landing.message.channel)
            spoken.append((conversation, compose(unit, landing, conversation, (author, recipient), reported)))
        elif conversation.status is Status.INACTIVE:
            # A call wakes it up, and counts once: else it would be INACTIVE again before anything can be said.
            conversations.communicate(unit, outbox, conversation, landing.message.channel)
    await participants.write(unit, attendance)
    tell(outbox, _distinct(landed), attendance)
    return spoken


def _join(unit: Unit, attendance: Attendance, landing: Landing, conversation: Conversation) -> list[Participant]:
    """Author and recipient. Their addresses stand for a call from when it is attached, or opens the conversation."""
    begins = landing.attaches or (isinstance(landing.by, Attribute) and conversation.is_new)
    parties = landing.parties(landing.message.channel_id if begins else None)
    key = (conversation.account_id, conversation.id)
    return [participants.attend(unit, attendance, key, conversation.participants, party) for party in parties]


def _outcome(conversation: Conversation) -> Outcome:
    if conversation.is_new and not conversation.activity:
        return Outcome.NEW
    return Outcome.REOPENED if conversation.status is Status.INACTIVE else Outcome.JOINED


async def _uncaptured(
    unit: Unit, fresh: Sequence[InboundMessage], landed: Sequence[Landed], belongings: Belongings
) -> list[tuple[InboundMessage, Trace]]:
    """What landed nowhere, and why. Only then the configurations are looked at for what came near."""
    captured = {id(one.landing.message) for one in landed}
    nowhere = [message for message in fresh if message.content and id(message) not in captured]
    if not nowhere:
        return []
    current = await configurations.current(unit, {message.account_id for message in nowhere})
    return [
        (message, unlanded.uncaptured(message, belongings.get(id(message)), current[message.account_id]))
        for message in nowhere
    ]


def _distinct(landed: Iterable[Landed]) -> list[Conversation]:
    return list({(one.conversation.account_id, one.conversation.id): one.conversation for one in landed}.values())


def _outcomes(
    messages: Sequence[InboundMessage], fresh: Sequence[InboundMessage], landed: Sequence[Landed]
) -> list[tuple[Outcome, ...]]:
    """The outcomes of each message; none of an event without a word said."""
    reached: dict[int, list[Outcome]] = {id(message): [] for message in fresh}
    for one in landed:
        reached[id(one.landing.message)].append(one.landing.outcome)
    return [
        tuple(reached[id(message)]) or (Outcome.UNCAPTURED,) if id(message) in reached else (Outcome.DUPLICATE,)
        for message in messages
    ]
