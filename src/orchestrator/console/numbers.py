"""Addresses of the account's own side: the list, one more, one less."""

from fastapi import APIRouter
from starlette.responses import Response

from orchestrator.console.api import Answer
from orchestrator.console.edge import SignedIn
from orchestrator.console.page import InPage, Page, path_to
from orchestrator.console.problems import by_field

router = APIRouter(prefix="/console/numbers", route_class=SignedIn, include_in_schema=False)

_LIST = "/orchestrator/v1/Numbers"


@router.get("")
async def list_numbers(page: InPage) -> Response:
    return await _listed(page)


@router.post("")
async def add(page: InPage) -> Response:
    address, label = page.form.get("address", "").strip(), page.form.get("label", "").strip()
    body = {"address": address} | ({"label": label} if label else {})
    added = await page.try_to_send("POST", _LIST, body)
    if not added.succeeded:
        return await _listed(page, added)
    return page.go("/console/numbers", f"{address} is ours: who writes to it is a customer.")


@router.post("/remove")
async def remove(page: InPage) -> Response:
    address = page.form.get("address", "")
    await page.send("DELETE", path_to(_LIST + "/{}", address))
    return page.go("/console/numbers", f"{address} is no longer ours.")


async def _listed(page: Page, refusal: Answer | None = None) -> Response:
    found = await page.get(_LIST, pageToken=page.query("pageToken"))
    return await page.show(
        "numbers.html",
        refusal.status if refusal else 200,
        found=found,
        refusal=refusal,
        wrong=by_field(refusal),
        example=page.request_for("POST", _LIST, {"address": "+16505550199", "label": "Support"}),
    )
