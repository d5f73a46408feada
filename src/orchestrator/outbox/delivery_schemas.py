"""Deliveries as the API shows them."""

from typing import Any, Literal

import orjson
from pydantic import Field
from pydantic.config import JsonDict
from sqlalchemy import Row

from orchestrator.domain.events import EventType
from orchestrator.kernel.clock import event_time, rest_time
from orchestrator.kernel.openapi import Meta, Wire
from orchestrator.outbox.event_routes import EventResource

_TIME: JsonDict = {"format": "date-time"}


class DeliveryResource(Wire):
    """One event for one callback."""

    id: str = Field(
        description="The idempotency token of its callbacks.", examples=["orch_delivery_01kgh3m8qce0m9x2t6v4b7r5zn"]
    )
    event_id: str = Field(description="Conversation and sequence, as `Orchestrator-Event-Id`.")
    conversation_id: str
    sequence: int
    event_type: EventType | None = Field(description="Null once the event is past its keeping.")
    url: str = Field(description="As it is configured.")
    method: str
    status: Literal["PENDING", "DELIVERED", "DEAD"] = Field(
        description="DEAD: it failed for the last time, or in a way that another attempt would not change."
    )
    attempt_count: int = Field(description="Over all redeliveries.")
    redeliveries: int = Field(description="How often it was made once more after it was DELIVERED or DEAD.")
    last_status: int | None = Field(description="The HTTP status of the last attempt; null without an answer.")
    last_error: str | None = Field(description="Why the last attempt failed.")
    created_at: str = Field(json_schema_extra=_TIME)
    next_attempt_at: str | None = Field(
        description="Null unless it is PENDING. While it is being sent: when another worker would take over.",
        json_schema_extra=_TIME,
    )
    settled_at: str | None = Field(description="When it became DELIVERED or DEAD.", json_schema_extra=_TIME)


class ResponseHead(Wire):
    """How an answer begins."""

    reason: str = Field(description="Of the status line.")
    headers: dict[str, str] = Field(description="Some.")
    body: str = Field(description="The first KiB, as text.")


class AttemptResource(Wire):
    """One attempt."""

    number: int = Field(description="As `Orchestrator-Attempt`.")
    started_at: str = Field(json_schema_extra=_TIME)
    duration_ms: float = Field(description="Until the answer's headers, or until it failed.")
    status: int | None = Field(description="The HTTP status; null without an answer.")
    error: str | None = Field(description="Why it failed; null if it did not.")
    response: ResponseHead | None = Field(description="Null without an answer.")


class DeliveryDetails(DeliveryResource):
    """A delivery with all that is kept of it."""

    attempts: list[AttemptResource] = Field(description="Those that are kept, oldest first.")
    event: EventResource | None = Field(description="Null once it is past its keeping.")


class DeliveryPage(Wire):
    """One page, newest first."""

    deliveries: list[DeliveryResource]
    meta: Meta


def to_wire(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "eventId": f"{row.conversation_id}:{row.sequence}",
        "conversationId": row.conversation_id,
        "sequence": row.sequence,
        "eventType": row.event_type,
        "url": row.url,
        "method": row.method,
        "status": row.status,
        "attemptCount": row.attempts,
        "redeliveries": row.redeliveries,
        "lastStatus": row.last_status,
        "lastError": row.last_error,
        "createdAt": rest_time(row.created_at),
        "nextAttemptAt": row.next_attempt_at and rest_time(row.next_attempt_at),
        "settledAt": row.settled_at and rest_time(row.settled_at),
    }


def attempt_to_wire(row: Row[Any]) -> dict[str, Any]:
    return {
        "number": row.number,
        "startedAt": event_time(row.started_at),
        "durationMs": row.duration_ms,
        "status": row.status,
        "error": row.error,
        "response": row.response,
    }


def event_to_wire(row: Row[Any]) -> dict[str, Any] | None:
    """The event of a delivery, as the log shows it."""
    if row.body is None:
        return None
    return {
        "id": f"{row.conversation_id}:{row.sequence}",
        "position": row.position,
        "conversationId": row.conversation_id,
        "sequence": row.sequence,
        **orjson.loads(row.body),
    }
