"""Dry runs of the ingress: a message goes the way of all traffic, is told of, and nothing of it remains."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from orchestrator import phones
from orchestrator.communications import tracing
from orchestrator.communications.model import Communication
from orchestrator.configurations import service as configurations
from orchestrator.configurations.model import Configuration
from orchestrator.conversations.model import Conversation
from orchestrator.domain.grouping import profile_key
from orchestrator.domain.messages import Direction, InboundMessage
from orchestrator.ingest import twilio, unlanded, voice
from orchestrator.ingest.attributes import AttributeName
from orchestrator.ingest.batch import Outdated
from orchestrator.ingest.fields import Fields
from orchestrator.ingest.identifying import Policy
from orchestrator.ingest.pipeline import Story, play
from orchestrator.ingest.receipts import Trace
from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.errors import BadRequest, Unavailable
from orchestrator.kernel.ids import new_sid
from orchestrator.kernel.unit import Unit
from orchestrator.outbox.record import Outbox

CHANNELS: tuple[phones.Channel, ...] = get_args(phones.Channel)
_TRIES = 3
_OF_EACH = 2
"""Rules of each configuration that are told of."""
NEW_PROFILE = profile_key("(new)")
"""Stands for the key of a profile that would be made."""


@dataclass(frozen=True, slots=True)
class Question:
    """What the provider might tell of."""

    channel: phones.Channel
    sender: str
    to: str
    text: str
    direction: Direction | None = None
    """None: as the provider does without being asked, which tells it of calls alone."""
    configuration_id: str | None = None
    """Where the call says that it belongs."""
    conversation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What would become of it."""

    landings: Sequence[dict[str, Any]] = ()
    uncaptured: Trace | None = None
    """What would be kept of it if it landed nowhere."""
    considered: Sequence[dict[str, Any]] = ()
    callbacks: Sequence[dict[str, Any]] = ()

    @property
    def outcome(self) -> str:
        """CAPTURED, UNCAPTURED or REFUSED."""
        return "CAPTURED" if self.uncaptured is None else str(self.uncaptured["outcome"])


async def rehearse(unit: Unit, account_id: str, question: Question, policy: Policy) -> Rehearsal:
    """What would become of a message now. Raises Unavailable where the conversation changes all the time."""
    fields = {"AccountSid": account_id, **_fields(question)}
    try:
        message = _read(fields, question)
        if message is None:
            return Rehearsal(uncaptured=unlanded.unusable(fields, twilio.NO_TEXT))
        return await _try(unit, message, policy)
    except BadRequest as error:  # it is the answer: what the webhook would be told
        return Rehearsal(uncaptured=unlanded.refused(fields, error))


def again(trace: Trace) -> Question:
    """The message of a trace that was kept, but for its text. Raises BadRequest where none could be read."""
    channel, direction = next((one for one in CHANNELS if one == trace.get("channel")), None), trace.get("direction")
    if channel is None:
        raise BadRequest("no message could be read from what was received, so there is none to try again")
    return Question(channel, trace["from"], trace["to"], "hello", Direction(direction) if direction else None)


def _fields(question: Question) -> Fields:
    """The webhook that the provider would post."""
    if question.channel != "VOICE":
        told = {"Direction": question.direction.lower()} if question.direction else {}
        return {**phones.message(question.channel, question.sender, question.to, question.text).fields, **told}
    ours, call_sid = question.direction is Direction.OUTBOUND, new_sid("CA")
    call = phones.call(question.sender, question.to, sid=call_sid, direction="outbound-api" if ours else "inbound")
    said = phones.fragment(call_sid, question.text, transcription_sid=new_sid("GT"), by_caller=not ours)
    belongs = {
        AttributeName.CONFIGURATION: question.configuration_id,
        AttributeName.CONVERSATION: question.conversation_id,
    }
    return {**call.fields, **said.fields, **{name.value: value for name, value in belongs.items() if value}}


def _read(fields: Fields, question: Question) -> InboundMessage | None:
    """As the webhooks read it. Raises BadRequest."""
    if question.channel != "VOICE":
        return twilio.message(fields)
    return voice.event(voice.call(fields), voice.said(fields))


async def _try(unit: Unit, message: InboundMessage, policy: Policy) -> Rehearsal:
    for _ in range(_TRIES):
        try:
            async with unit.trying(keep=False):
                return await _tell(unit, message, await play(unit, [message], policy))
        except Outdated:  # what it would have joined has ended meanwhile: look again, as the ingress does
            continue
    raise Unavailable("the conversation changes at this moment; repeat", headers={"Retry-After": "1"})


async def _tell(unit: Unit, message: InboundMessage, story: Story) -> Rehearsal:
    current = (await configurations.current(unit, [message.account_id]))[message.account_id]
    names = await tracing.names_of(unit, [communication for _, communication in story.spoken])
    landings = [_landing(conversation, communication, names) for conversation, communication in story.spoken]
    return Rehearsal(
        landings,
        next((trace for _, trace in story.uncaptured), None),
        _considered(message, current, landings),
        _callbacks(story.outbox),
    )


def _landing(conversation: Conversation, communication: Communication, names: tracing.Names) -> dict[str, Any]:
    """A trace without the ids of what was made for the rehearsal alone."""
    trace = {"dryRun": True, **tracing.complete(communication, names)}
    if conversation.is_new:
        trace["conversationId"] = None
    else:
        trace["openSince"] = rest_time(conversation.created_at)
    profile = trace["profile"]
    if profile is not None and profile["outcome"] == "created":
        trace["profile"] = {**profile, "profileId": None}
        if trace["key"] == profile_key(profile["profileId"]):
            trace["key"] = NEW_PROFILE
    return trace


def _considered(
    message: InboundMessage, current: Sequence[Configuration], landings: Sequence[Trace]
) -> list[dict[str, Any]]:
    captured = {landing["configurationId"]: landing["rule"] for landing in landings}
    return [entry for one in current for entry in unlanded.considered(message, [one], captured, most=_OF_EACH)]


def _callbacks(outbox: Outbox) -> list[dict[str, Any]]:
    """Who would be told of what, in order."""
    told: dict[tuple[str, str], list[str]] = {}
    for event_type, callbacks in outbox.told:
        for callback in callbacks:
            told.setdefault((callback.url, callback.method), []).append(event_type)
    return [{"url": url, "method": method, "eventTypes": types} for (url, method), types in told.items()]
