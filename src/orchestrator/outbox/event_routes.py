"""`/orchestrator/v1/Events`: the event log, by pages that may wait for more, or as a stream of server-sent events."""

import re
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.sse import EventSourceResponse
from pydantic import Field

from orchestrator.domain.events import EventType
from orchestrator.kernel.errors import BadRequest
from orchestrator.kernel.http import AccountId, ApiRoute, InList, Json
from orchestrator.kernel.openapi import Wire, errors, query_choice, query_parameter
from orchestrator.kernel.paging import ListQuery
from orchestrator.outbox.log import Wish
from orchestrator.outbox.reader import Reader

router = APIRouter(prefix="/orchestrator/v1/Events", tags=["Orchestrator"], route_class=ApiRoute)

MOST_AT_ONCE = 1000
LONGEST_WAIT = 60
"""Seconds."""
_POSITION = re.compile(r"[0-9]{1,18}")


class EventResource(Wire):
    """One event, as status callbacks carry it, and where it is in the log."""

    id: str = Field(description="Conversation and sequence; callbacks carry it as `Orchestrator-Event-Id`.")
    position: int = Field(description="In the account's log, ascending.")
    conversation_id: str
    sequence: int = Field(description="In its conversation, from 1 without gaps.")
    event_type: EventType
    timestamp: str = Field(json_schema_extra={"format": "date-time"})
    data: dict[str, Any] = Field(description="The conversation, participant or communication as it was then.")


class EventPage(Wire):
    """A part of the log, oldest first."""

    events: list[EventResource]
    after: int = Field(description="Where to read on: the `after` of the next request.")
    latest: int = Field(description="The position of the account's last event.")


_PARAMETERS = [
    query_parameter(
        "after", "Only events after this position. Default: from the oldest that is kept.", type="integer", minimum=0
    ),
    query_parameter("pageSize", "Most events.", type="integer", minimum=1, maximum=MOST_AT_ONCE, default=100),
    query_parameter(
        "wait", "Seconds to wait for an event if there is none yet.", type="integer", minimum=0, maximum=LONGEST_WAIT
    ),
    query_choice("eventType", "Only these types; repeated or comma-separated.", EventType),
    query_parameter("conversationId", "Only events of this conversation.", type="string"),
    {
        "name": "Last-Event-ID",
        "in": "header",
        "required": False,
        "description": "Of a stream that is taken up again: the id of the last event that arrived.",
        "schema": {"type": "string"},
    },
]


@router.get(
    "",
    operation_id="ListEvents",
    summary="Read the event log, or follow it",
    description="Every event of the account in one order, also those whose callbacks failed. A reader that goes on "
    "from `after` misses nothing, however long it was away, as long as events are kept; a position before them, or "
    "past the end of the log, is a 410. With "
    "`Accept: text/event-stream` the answer is a stream of server-sent events that does not end: each has its position "
    "as `id` and its type as `event`; a client that comes back sends `Last-Event-ID`.",
    response_model=EventPage,
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
        **errors(400, 410),
    },
    openapi_extra={"parameters": _PARAMETERS},
)
async def list_events(request: Request, account_id: AccountId, query: InList) -> Response:
    wish = _wish(request, account_id, query)
    reader = Reader(request.app.state.units, request.app.state.stopping)
    if "text/event-stream" in request.headers.get("accept", ""):
        first = await reader.read(wish)  # a refusal is told before a stream begins
        return EventSourceResponse(
            reader.stream(wish, first), headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        )
    extract = await reader.wait(wish, seconds=_number(query, "wait", default=0, most=LONGEST_WAIT))
    events = [orjson.Fragment(event) for event in extract.events]
    return Json({"events": events, "after": extract.after, "latest": extract.latest})


def _wish(request: Request, account_id: str, query: ListQuery) -> Wish:
    types = query.several("eventType")
    if unknown := [name for name in types if name not in set(EventType)]:
        raise BadRequest(
            "eventType must be some of " + ", ".join(EventType),
            params={"field": "eventType", "value": unknown[0][:200]},
        )
    after = request.headers.get("last-event-id") or query.one("after")
    if after is not None and not _POSITION.fullmatch(after):
        raise BadRequest("after must be a position in the log", params={"field": "after", "value": after[:200]})
    conversation_id = query.one("conversationId")
    if conversation_id is not None and not conversation_id.isprintable():
        raise BadRequest("conversationId must be the id of a conversation", params={"field": "conversationId"})
    limit = _number(query, "pageSize", default=100, least=1, most=MOST_AT_ONCE)
    return Wish(account_id, None if after is None else int(after), limit, types, conversation_id)


def _number(query: ListQuery, name: str, *, default: int, most: int, least: int = 0) -> int:
    value = query.one(name)
    if value is None:
        return default
    if not re.fullmatch(r"[0-9]{1,4}", value) or not least <= int(value) <= most:
        raise BadRequest(
            f"{name} must be a whole number from {least} to {most}", params={"field": name, "value": value[:200]}
        )
    return int(value)
