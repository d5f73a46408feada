"""What would become of a message that does not exist, and why: the rule tester."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from orchestrator.console.edge import SignedIn
from orchestrator.console.page import InPage, Page
from orchestrator.console.problems import by_field
from orchestrator.domain.messages import Direction

router = APIRouter(prefix="/console/explain", route_class=SignedIn, include_in_schema=False)

_CHANNELS = ("SMS", "WHATSAPP", "RCS", "VOICE")
"""Channels on which traffic is captured."""
_DIRECTIONS = tuple(direction.value for direction in Direction)
_FIELDS = ("from", "to", "channel", "direction", "text")


@router.get("")
async def try_rules(page: InPage) -> Response:
    return await page.show("explain.html", **await explained(page))


async def explained(page: Page) -> dict[str, Any]:
    """What the tester shows: the question that the page's address asks, and the API's answer, if anything was asked."""
    question = {name: value for name in _FIELDS if (value := page.query(name))}
    answer = await page.try_to_send("POST", "/orchestrator/v1/Explain", question) if question else None
    configurations = await page.ask("/v2/ControlPlane/Configurations") if answer is not None else None
    known = configurations.body["configurations"] if configurations is not None and configurations.succeeded else []
    return {
        "question": question,
        "explanation": answer,
        "store_of": {one["id"]: one["memoryStoreId"] for one in known},
        "wrong": by_field(answer),
        "channels": _CHANNELS,
        "directions": _DIRECTIONS,
    }
