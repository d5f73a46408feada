"""The first page: what there is, what needs attention, and what to do next where there is nothing yet."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from orchestrator.console.api import Answer
from orchestrator.console.edge import SignedIn
from orchestrator.console.page import InPage, Page
from orchestrator.kernel.ids import MEMORY_STORE, new_id

router = APIRouter(prefix="/console", route_class=SignedIn, include_in_schema=False)

_CONFIGURATIONS = "/v2/ControlPlane/Configurations"
_OUR_NUMBER = "+16505550199"
_CHANNELS = ("SMS", "VOICE", "WHATSAPP")
_TIMEOUTS = {"inactive": 10, "closed": 60}
"""Minutes."""
GROUPINGS = (
    "GROUP_BY_PROFILE",
    "GROUP_BY_PARTICIPANT_ADDRESSES",
    "GROUP_BY_PARTICIPANT_ADDRESSES_AND_CHANNEL_TYPE",
)


@router.get("")
async def overview(page: InPage) -> Response:
    configurations, stores, recent, waiting, dead, uncaptured = await page.together(
        page.get(_CONFIGURATIONS),
        page.ask("/v1/ControlPlane/Stores"),
        page.ask("/v2/Conversations"),
        page.ask("/orchestrator/v1/Deliveries", status="PENDING"),
        page.ask("/orchestrator/v1/Deliveries", status="DEAD"),
        page.ask("/orchestrator/v1/Uncaptured"),
    )
    return await page.show(
        "overview.html",
        live=bool(configurations.body["configurations"]),  # a form is not to change under somebody's hands
        configurations=configurations,
        stores=stores,
        recent=recent,
        waiting=waiting,
        dead=dead,
        uncaptured=uncaptured,
        **_first_configuration(page, stores),
    )


@router.post("/first-configuration")
async def create_first_configuration(page: InPage) -> Response:
    form = page.form
    grouping, store = form.get("grouping", ""), form.get("store", "")
    body = _configuration(form.get("name", ""), form.get("number", "").strip(), grouping, store)
    await page.send("POST", _CONFIGURATIONS, body)
    return page.go("/console", f"{body['displayName']} captures what goes to and from {form.get('number', '')}.")


def _first_configuration(page: Page, stores: Answer) -> dict[str, Any]:
    """What the form to make one begins with, and the request that it will be.

    A store that a configuration names is made when the account has none of that id.
    """
    known = stores.body["stores"] if stores.succeeded else []
    body = _configuration("Quickstart", _OUR_NUMBER, GROUPINGS[0], (*known, new_id(MEMORY_STORE))[0])
    return {
        "first": body,
        "first_request": page.request_for("POST", _CONFIGURATIONS, body),
        "first_number": _OUR_NUMBER,
        "groupings": GROUPINGS,
        "known_stores": known,
    }


def _configuration(name: str, number: str, grouping: str, store: str) -> dict[str, Any]:
    rules = [{"from": "*", "to": number}, {"from": number, "to": "*"}]
    channels = {channel: {"statusTimeouts": _TIMEOUTS, "captureRules": rules} for channel in _CHANNELS}
    return {
        "displayName": name,
        "description": f"All traffic of {number}",
        "conversationGroupingType": grouping,
        "memoryStoreId": store,
        "channelSettings": channels,
    }
