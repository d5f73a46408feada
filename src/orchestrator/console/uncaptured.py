"""What landed nowhere, and why; and what went wrong with customers' profiles without stopping anything."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from orchestrator.console.edge import SignedIn
from orchestrator.console.line import CHANNELS, tester_of
from orchestrator.console.page import InPage, path_to

router = APIRouter(prefix="/console", route_class=SignedIn, include_in_schema=False)

_CODES = {530001: "no profile was resolved, or not for certain", 530003: "the look-up failed", 530004: "none was made"}


@router.get("/uncaptured")
async def list_uncaptured(page: InPage) -> Response:
    found = await page.get(
        "/orchestrator/v1/Uncaptured", resourceId=page.query("resourceId"), pageToken=page.query("pageToken")
    )
    return await page.show(
        "uncaptured.html",
        live=True,
        found=found,
        rows=[(one, _told(one["trace"])) for one in found.body["uncaptured"]],
        chosen=page.query("resourceId"),
    )


@router.get("/uncaptured/{uncaptured_id}")
async def show_uncaptured(page: InPage, uncaptured_id: str) -> Response:
    found = await page.get(path_to("/orchestrator/v1/Uncaptured/{}", uncaptured_id))
    return await page.show("uncaptured_one.html", found=found, told=_told(found.body["trace"]))


@router.get("/diagnostics")
async def list_diagnostics(page: InPage) -> Response:
    chosen = {name: page.query(name) for name in ("code", "conversationId", "resourceId")}
    found = await page.get("/orchestrator/v1/Diagnostics", pageToken=page.query("pageToken"), **chosen)
    kept = {name: value for name, value in chosen.items() if value}
    return await page.show("diagnostics.html", live=True, found=found, chosen=chosen, kept=kept, codes=_CODES)


def ends_of(trace: Mapping[str, Any]) -> tuple[str, str]:
    """Sender and recipient; a webhook that could not be read has them under the names of its form."""
    sender, to = (str(trace.get(name) or trace.get(name.title()) or "") for name in ("from", "to"))
    return sender, to


def channel_of(trace: Mapping[str, Any]) -> str:
    """The channel; of a webhook that could not be read, as its ends and its call tell."""
    if told := trace.get("channel"):
        return str(told)
    prefixes = {one.partition(":")[0].upper() for one in ends_of(trace)}
    return next((one for one in ("WHATSAPP", "RCS") if one in prefixes), "VOICE" if "CallSid" in trace else "SMS")


def _told(trace: Mapping[str, Any]) -> dict[str, str | None]:
    """Who wrote to whom; and where to try it out, if the channel is one to try."""
    (sender, to), channel = ends_of(trace), channel_of(trace)
    can_try = sender and to and channel in CHANNELS
    return {"from": sender, "to": to, "channel": channel, "tester": tester_of(channel, sender, to) if can_try else None}
