"""Phones that do not exist, in dev mode: write and speak as a customer, answer as ourselves, and see where it lands."""

from typing import Literal

from fastapi import APIRouter
from starlette.responses import Response

from orchestrator import phones
from orchestrator.console.api import Answer, Refused
from orchestrator.console.edge import SignedIn
from orchestrator.console.line import CHANNELS, known_numbers, line_of
from orchestrator.console.page import InPage, Page
from orchestrator.console.phone_thread import landed, next_position, read_thread
from orchestrator.console.provider import InProvider
from orchestrator.kernel.errors import BadRequest
from orchestrator.kernel.ids import new_sid

router = APIRouter(prefix="/console/phones", route_class=SignedIn, include_in_schema=False)

REPORTS = ("delivered", "read", "failed")
_CUSTOMER, _OURS = "+15551234567", "+16505550199"
Direction = Literal["inbound", "outbound-api"]
_LAST_POSITION = 10**6
_SHOWN = 12
"""So many of what was said last, unless somebody wants all."""


@router.get("")
async def show_phone(page: InPage, provider: InProvider) -> Response:
    if not provider.is_allowed:
        return await page.show("phones_elsewhere.html")
    ours, customers = await known_numbers(page)
    usual = {"channel": "SMS", "from": (*customers, _CUSTOMER)[0], "to": (*ours, _OURS)[0]}
    line = line_of({name: page.query(name) or value for name, value in usual.items()})
    thread, sid, call = await read_thread(page, line), page.query("sid"), page.query("call")
    return await page.show(
        "phones.html",
        live=True,
        line=line,
        thread=thread,
        hidden=0 if page.query("all") else max(len(thread.entries) - _SHOWN, 0),
        sent=await landed(page, sid) if sid else None,
        again=page.query("again"),
        call={"sid": call, "direction": _direction(page.query("direction")), "next": next_position(thread, call)},
        known={"ours": ours, "customers": customers},
        channels=CHANNELS,
        reports=REPORTS,
    )


@router.post("/messages")
async def send(page: InPage, provider: InProvider) -> Response:
    """A message of the phone. With a `sid`, the one of before once more, which is then a duplicate."""
    line, before = line_of(page.form), page.form.get("sid")
    sid, known = before or new_sid("SM"), bool(before) and await _is_known(page, str(before))
    webhook = phones.message(line.channel, line.mine, line.theirs, page.form.get("text", ""), sid=sid)
    _accepted(await provider.post(webhook))
    return page.go(line.path(sid=sid, again="1" if known else None))


@router.post("/calls")
async def call(page: InPage, provider: InProvider) -> Response:
    line, direction = line_of(page.form), _direction(page.form.get("direction"))
    sid = new_sid("CA")
    _accepted(await provider.post(phones.call(line.mine, line.theirs, sid=sid, direction=direction)))
    return page.go(line.path(call=sid, direction=direction), "They are connected. Nothing has been said yet.")


@router.post("/sentences")
async def say(page: InPage, provider: InProvider) -> Response:
    """Something is said on a call, at a position among its fragments; the same position again is a duplicate."""
    line, call_sid, direction = line_of(page.form), page.form.get("call", ""), _direction(page.form.get("direction"))
    position = page.form.get("position", "")
    if not (position.isascii() and position.isdigit() and 1 <= int(position[:9]) <= _LAST_POSITION):
        raise BadRequest("the position must be a whole number from 1 on")
    transcription = "GT" + call_sid[2:]
    sid = f"{transcription}{int(position)}"
    known = await _is_known(page, sid)
    # The inbound track is where the provider hears the call's leg: the caller's, or the callee's when we call.
    is_far_end = (page.form.get("speaker") == "caller") == (direction == "inbound")
    webhook = phones.fragment(
        call_sid,
        page.form.get("text", ""),
        transcription_sid=transcription,
        position=int(position),
        by_caller=is_far_end,
    )
    _accepted(await provider.post(webhook))
    return page.go(line.path(call=call_sid, direction=direction, sid=sid, again="1" if known else None))


@router.post("/reports")
async def report(page: InPage, provider: InProvider) -> Response:
    line, sid, status = line_of(page.form), page.form.get("sid", ""), page.form.get("status", "")
    _accepted(await provider.post(phones.delivery_report(sid, status)))
    return page.go(line.path(), f"{status.title()} was reported of {sid}.")


def _accepted(answer: Answer) -> None:
    """Raises Refused."""
    if not answer.succeeded:
        raise Refused(answer)


async def _is_known(page: Page, sid: str) -> bool:
    found = await landed(page, sid)
    return bool(found.traces or found.uncaptured)


def _direction(given: str | None) -> Direction:
    return "outbound-api" if given == "outbound-api" else "inbound"
