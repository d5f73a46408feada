"""The clock as the API shows it, and what it is asked to do."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic.config import JsonDict

from orchestrator.devtools.clock import Reading
from orchestrator.devtools.deadlines import Deadline
from orchestrator.devtools.happened import MOST_TOLD, Moved, Sent
from orchestrator.devtools.turning import Turn
from orchestrator.domain.durations import parse_duration
from orchestrator.domain.events import EventType
from orchestrator.domain.lifecycle import Status
from orchestrator.kernel.fields import Moment
from orchestrator.kernel.openapi import Wire

_TIME: JsonDict = {"format": "date-time"}
_DURATION = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": 0},
        {"type": "string", "minLength": 1},
    ]
}
Duration = Annotated[timedelta, PlainValidator(parse_duration), WithJsonSchema(_DURATION)]
"""A number of seconds, or text such as 1h30m."""

Action = Literal["FREEZE", "RUN", "ADVANCE", "NEXT_DEADLINE", "RESET"]


class TurnRequest(Wire):
    """What to do with the clock."""

    model_config = ConfigDict(json_schema_extra={"example": {"action": "ADVANCE", "by": "10m"}})

    action: Action = Field(
        description="FREEZE: it stands still. RUN: it runs on. ADVANCE: it goes on `by` so much or `to` a time. "
        "NEXT_DEADLINE: it goes on to the next time at which a conversation of the account becomes INACTIVE or CLOSED. "
        "RESET: it shows the system's time again."
    )
    by: Duration | None = Field(
        None,
        description="How far to ADVANCE: a number of seconds, or text such as 90s, 10m, 1h30m, 3d or 1y (365 days).",
    )
    to: Moment | None = Field(None, description="Where to ADVANCE to, instead.")
    force: bool = Field(
        False, description="RESET also if something was written at a time that will then lie in the future."
    )


class NextDeadline(Wire):
    """What time brings next to a conversation of the account, if nothing is said in it until then."""

    at: str = Field(json_schema_extra=_TIME)
    conversation_id: str
    to: Status = Field(description="What it becomes.")


class ClockResource(Wire):
    """The clock by which everything in this service happens, for all accounts."""

    now: str = Field(json_schema_extra=_TIME)
    is_frozen: bool = Field(description="Whether it stands still.")
    ahead_seconds: float = Field(description="Of the clock as it would be if nobody had turned it.")
    can_turn: bool = Field(description="Whether the service is in dev mode.")
    next_deadline: NextDeadline | None = Field(
        description="The first of the account's conversations, or that of the one that was asked for. Null where "
        "none is open; in production mode also where none was asked for."
    )


class ClockTransition(Wire):
    """A conversation that moved on."""

    conversation_id: str
    from_status: Status = Field(alias="from")
    to: Status
    at: str = Field(json_schema_extra=_TIME)


class ClockDelivery(Wire):
    """A callback that was sent, or is to be sent, as it is in the end."""

    id: str = Field(description="The delivery.")
    event_type: EventType | None = Field(description="Null once the event is past its keeping.")
    conversation_id: str
    sequence: int = Field(description="Of the event in its conversation.")
    url: str
    status: Literal["PENDING", "DELIVERED", "DEAD"]
    response_status: int | None = Field(description="The HTTP status of the last attempt; null without an answer.")
    error: str | None = Field(description="Why the last attempt failed.")
    attempts: int = Field(description="Until now.")
    at: str | None = Field(description="When the last attempt was begun.", json_schema_extra=_TIME)


class ClockLeft(Wire):
    """How much of all accounts is due or under way."""

    conversations: int
    deliveries: int
    actions: int
    messages: int
    extractions: int


class TurnedClock(ClockResource):
    """The clock, and what the turn has brought to the account."""

    transitions: list[ClockTransition] = Field(description=f"In their order; the first {MOST_TOLD:,}.")
    more_transitions: int = Field(description="How many there were beyond those.")
    deliveries: list[ClockDelivery] = Field(description=f"By their first attempts; the first {MOST_TOLD:,}.")
    more_deliveries: int = Field(description="How many there were beyond those.")
    is_settled: bool = Field(description="Whether everything that became due is done, and was tried if it fails.")
    left: ClockLeft


def clock_to_wire(reading: Reading, deadline: Deadline | None) -> dict[str, Any]:
    return {
        "now": exact_time(reading.now),
        "isFrozen": reading.is_frozen,
        "aheadSeconds": reading.ahead.total_seconds(),
        "canTurn": reading.can_turn,
        "nextDeadline": deadline
        and {"at": exact_time(deadline.step.at), "conversationId": deadline.conversation_id, "to": deadline.step.to},
    }


def turn_to_wire(turn: Turn) -> dict[str, Any]:
    return {
        "transitions": [_moved_to_wire(one) for one in turn.moved],
        "moreTransitions": turn.moved_in_all - len(turn.moved),
        "deliveries": [_sent_to_wire(one) for one in turn.sent],
        "moreDeliveries": turn.sent_in_all - len(turn.sent),
        "isSettled": turn.left.is_nothing,
        "left": asdict(turn.left),
    }


def _moved_to_wire(one: Moved) -> dict[str, Any]:
    return {"conversationId": one.conversation_id, "from": one.before, "to": one.after, "at": exact_time(one.at)}


def _sent_to_wire(one: Sent) -> dict[str, Any]:
    return {
        "id": one.id,
        "eventType": one.event_type,
        "conversationId": one.conversation_id,
        "sequence": one.sequence,
        "url": one.url,
        "status": one.status,
        "responseStatus": one.response_status,
        "error": one.error,
        "attempts": one.attempts,
        "at": one.at and exact_time(one.at),
    }


def exact_time(moment: datetime) -> str:
    """To the microsecond: who goes to a deadline must not stop just before it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
