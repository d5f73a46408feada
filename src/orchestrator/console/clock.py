"""Turning the service's clock, in dev mode, and what the turn has brought."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from orchestrator.console.edge import SignedIn
from orchestrator.console.page import InPage, local

router = APIRouter(prefix="/console/clock", route_class=SignedIn, include_in_schema=False)

_CLOCK = "/orchestrator/v1/Clock"
_FIELDS = ("action", "by", "to")


@router.post("")
async def turn(page: InPage) -> Response:
    """The fields of the form are those of the API's request, and `next` is the page to go back to."""
    body: dict[str, Any] = {name: value for name in _FIELDS if (value := page.form.get(name, "").strip())}
    if page.form.get("force"):
        body["force"] = True
    turned = await page.try_to_send("POST", _CLOCK, body)
    return await page.show(
        "turned.html",
        200 if turned.succeeded else turned.status,
        turned=turned,
        action=body.get("action", ""),
        back=local(page.form.get("next")),
    )


@router.get("")
async def read(page: InPage) -> Response:
    return await page.show("turned.html", turned=await page.ask(_CLOCK), action="", back="/console")
