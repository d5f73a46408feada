"""One box for everything: an id or SID leads to what it names, a number or text to what has it."""

from fastapi import APIRouter
from starlette.responses import Response

from orchestrator.console.edge import SignedIn
from orchestrator.console.naming import find_named
from orchestrator.console.page import InPage, Page, path_to

router = APIRouter(prefix="/console/search", route_class=SignedIn, include_in_schema=False)

_STORES = 20
_AROUND_IDS = "\"',;`"
"""What is copied with an id from JSON or a log."""
_ID_TYPES = ("phone", "whatsapp", "email")


@router.get("")
async def search(page: InPage) -> Response:
    text = (page.query("q") or "").strip()
    if not text:
        return await page.show("search.html", text="", found=None, looked_up=[], profiles=[])
    if (named := await find_named(page, text.strip(_AROUND_IDS))) is not None:
        return page.go(named)
    found = await page.ask("/orchestrator/v1/Search", q=text)
    profiles = await _profiles(page, found.body["addresses"]) if found.succeeded else []
    return await page.show("search.html", text=text, found=found, profiles=profiles)


async def _profiles(page: Page, addresses: list[str]) -> list[tuple[str, str]]:
    """Store and id of the profiles that have one of these addresses."""
    stores = await page.ask("/v1/ControlPlane/Stores", pageSize=_STORES)
    wanted = [
        (store, {"idType": id_type, "value": address})
        for store in (stores.body["stores"] if stores.succeeded else [])
        for address in addresses
        for id_type in _ID_TYPES
        if ("@" in address) == (id_type == "email") and (address.startswith("+") or id_type == "email")
    ]
    answers = await page.together(
        *(page.try_to_send("POST", path_to("/v1/Stores/{}/Profiles/Lookup", store), body) for store, body in wanted)
    )
    found = [
        (store, profile)
        for (store, _), answer in zip(wanted, answers, strict=True)
        if answer.succeeded
        for profile in answer.body["profiles"]
    ]
    return list(dict.fromkeys(found))
