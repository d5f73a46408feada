"""Events: the account's log as it grows, and one event with what it led to."""

import re

from fastapi import APIRouter
from starlette.responses import Response

from orchestrator.console.edge import SignedIn
from orchestrator.console.page import InPage, Page
from orchestrator.domain.events import EventType
from orchestrator.kernel.errors import NotFound

router = APIRouter(prefix="/console/events", route_class=SignedIn, include_in_schema=False)

_EVENTS = "/orchestrator/v1/Events"
_SHOWN = 100
_LOOKED_THROUGH = 1000
"""So many of the last events are looked through for those of a type."""
_POSITION = re.compile(r"[0-9]{1,18}")


@router.get("")
async def follow_events(page: InPage) -> Response:
    """The newest events. The log is read forwards, so it is read from shortly before its end."""
    types, conversation = page.query("eventType"), page.query("conversationId")
    latest = (await page.get(_EVENTS, pageSize=1, eventType=types, conversationId=conversation)).body["latest"]
    found = await page.get(
        _EVENTS,
        # Those of one conversation may be far apart, and are not many.
        after=None if conversation else await _begin(page, latest, _LOOKED_THROUGH if types else _SHOWN),
        pageSize=_LOOKED_THROUGH,
        eventType=types,
        conversationId=conversation,
    )
    kept = {name: one for name, one in (("eventType", types), ("conversationId", conversation)) if one}
    return await page.show(
        "events.html",
        live=page.query("paused") is None,
        found=found,
        events=found.body["events"][: -_SHOWN - 1 : -1],
        kept=kept,
        paused=page.query("paused"),
        types=[one.value for one in EventType],
        looked_through=_LOOKED_THROUGH,
    )


@router.get("/{position}")
async def show_event(page: InPage, position: str) -> Response:
    latest = (await page.get(_EVENTS, pageSize=1)).body["latest"]
    if not _POSITION.fullmatch(position) or not 0 < int(position) <= latest:
        raise NotFound(f"there is no event at {position[:200]}")
    found = await page.get(_EVENTS, after=int(position) - 1, pageSize=1)
    event = next((one for one in found.body["events"] if one["position"] == int(position)), None)
    if event is None:
        raise NotFound(f"there is no event at {position}")
    deliveries = await page.ask(
        "/orchestrator/v1/Deliveries",
        conversationId=event["conversationId"],
        eventType=event["eventType"],
        pageSize=_LOOKED_THROUGH,
    )
    of_event = [one for one in deliveries.body["deliveries"] if one["sequence"] == event["sequence"]]
    return await page.show("event.html", found=found, event=event, deliveries=deliveries, of_event=of_event)


async def _begin(page: Page, latest: int, count: int) -> int | None:
    """Where the last events begin; None is the oldest that is kept, where fewer are."""
    begin = max(latest - count, 0)
    kept = await page.ask(_EVENTS, after=begin, pageSize=1)
    return begin if kept.succeeded else None
