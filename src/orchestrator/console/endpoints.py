"""Endpoints: the URLs that callbacks go to, whether they are paused, and past events sent to one."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from orchestrator.console.edge import SignedIn
from orchestrator.console.page import InPage

router = APIRouter(prefix="/console/endpoints", route_class=SignedIn, include_in_schema=False)

_ENDPOINTS = "/orchestrator/v1/Endpoints"
_REPLAY = "/orchestrator/v1/Events/Replay"
_POSITIONS = ("afterPosition", "beforePosition")
_EXAMPLE = {"url": "https://…", "conversationId": "conv_conversation_…"}


@router.get("")
async def list_endpoints(page: InPage) -> Response:
    found, events = await page.together(
        page.get(_ENDPOINTS, pageToken=page.query("pageToken")), page.ask("/orchestrator/v1/Events", pageSize=1)
    )
    return await page.show(
        "endpoints.html",
        live=True,
        found=found,
        latest=events.body["latest"] if events.succeeded else None,
        conversation=page.query("conversationId"),
        replay=page.request_for("POST", _REPLAY, _EXAMPLE),
    )


@router.post("/resume")
async def resume(page: InPage) -> Response:
    url = page.form.get("url", "")
    await page.send("POST", f"{_ENDPOINTS}/Resume", {"url": url})
    return page.go("/console/endpoints", f"The pause of {url} is over; what waits for it is sent.")


@router.post("/replay")
async def replay(page: InPage) -> Response:
    """The fields of the form are those of the API's request; empty ones are left out."""
    body: dict[str, Any] = {
        name: _number(value) if name in _POSITIONS else value
        for name in ("url", "conversationId", "after", "before", *_POSITIONS)
        if (value := page.form.get(name, "").strip())
    }
    done = (await page.send("POST", _REPLAY, body)).body
    told = f"{done['events']} events: {done['redelivered']} made once more, {done['created']} new, {done['pending']}"
    more = f" There are more, from position {done['afterPosition']} on." if done["afterPosition"] is not None else ""
    return page.go("/console/endpoints", f"{told} waiting anyhow.{more}")


def _number(text: str) -> int | str:
    """As the API wants it; what is no number it refuses itself."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else text
