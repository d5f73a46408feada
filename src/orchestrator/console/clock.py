"""Turning the service's clock, in dev mode."""

from fastapi import APIRouter
from starlette.responses import Response

from orchestrator.console.edge import SignedIn
from orchestrator.console.page import InPage, local

router = APIRouter(prefix="/console/clock", route_class=SignedIn, include_in_schema=False)


@router.post("")
async def turn(page: InPage) -> Response:
    """The fields of the form are those of the API's request, and `next` is the page to go back to."""
    body = {name: value for name, value in page.form.items() if name in {"action", "by", "to"} and value}
    turned = await page.send("POST", "/orchestrator/v1/Clock", body)
    transitions = len(turned.body["transitions"])
    return page.go(local(page.form.get("next")), f"The clock shows {turned.body['now']}; {transitions} transitions.")
