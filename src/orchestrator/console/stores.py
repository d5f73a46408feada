"""Memory stores: the list, one with its profiles, who has an identifier, and the first profile of an empty one."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from orchestrator.console.api import Answer
from orchestrator.console.edge import SignedIn
from orchestrator.console.page import InPage, Page, path_to
from orchestrator.console.problems import by_field

router = APIRouter(prefix="/console/stores", route_class=SignedIn, include_in_schema=False)

_LIST = "/v1/ControlPlane/Stores"
_PROFILES = "/v1/Stores/{}/Profiles"
_PER_PAGE = 20
"""The API lists ids: what these are is asked for one by one."""
_RESERVED = ("phone", "email", "whatsapp", "chat")
"""Types that every store has, and that a trait of the group `Contact` stands for."""

_SOMEBODY = {"phone": "+15551234567", "firstName": "Kiran"}


@router.get("")
async def list_stores(page: InPage) -> Response:
    return await _stores_page(page)


@router.post("")
async def create_store(page: InPage) -> Response:
    name, description = page.form.get("displayName", "").strip(), page.form.get("description", "").strip()
    body = {"displayName": name} | ({"description": description} if description else {})
    made = await page.try_to_send("POST", _LIST, body)
    if not made.succeeded:
        return await _stores_page(page, made)
    return page.go("/console/stores", f"The store {name} is there.")


@router.get("/{store_id}")
async def show_store(page: InPage, store_id: str) -> Response:
    return await _store_page(page, store_id)


@router.post("/{store_id}/profiles")
async def create_profile(page: InPage, store_id: str) -> Response:
    """Whoever has the value is that profile."""
    form = page.form
    traits = {form.get("idType", ""): form.get("value", "").strip(), "firstName": form.get("firstName", "").strip()}
    body = {"traits": {"Contact": {name: value for name, value in traits.items() if value}}}
    made = await page.try_to_send("POST", path_to(_PROFILES, store_id), body)
    if not made.succeeded:
        return await _store_page(page, store_id, made)
    return page.go(path_to("/console/stores/{}/profiles/{}", store_id, made.body["id"]), "The profile is written.")


async def look_up(page: Page, store_id: str, id_type: str, value: str) -> Answer:
    """Who has an identifier: exactly this type and value."""
    body = {"idType": id_type, "value": value}
    return await page.try_to_send("POST", path_to(_PROFILES + "/Lookup", store_id), body)


def called(traits: dict[str, Any]) -> str:
    """What to call somebody: their name, or else by what they are known; empty if neither is known."""
    contact = traits.get("Contact", {})
    name = " ".join(str(contact[part]) for part in ("firstName", "lastName") if contact.get(part))
    known = [str(contact[one]) for one in _RESERVED if contact.get(one)]
    return name or next(iter(known), "")


async def _stores_page(page: Page, refusal: Answer | None = None) -> Response:
    found = await page.get(_LIST, pageSize=_PER_PAGE, pageToken=page.query("pageToken"))
    stores = await page.together(*(page.ask(path_to(_LIST + "/{}", one)) for one in found.body["stores"]))
    return await page.show(
        "stores.html",
        refusal.status if refusal else 200,
        found=found,
        stores=[store.body for store in stores if store.succeeded],
        refusal=refusal,
        wrong=by_field(refusal),
        example=page.request_for("POST", _LIST, {"displayName": "customers"}),
    )


async def _store_page(page: Page, store_id: str, refusal: Answer | None = None) -> Response:
    id_type, value = page.query("idType"), page.query("value")
    store, configurations, settings, listed = await page.together(
        page.get(path_to(_LIST + "/{}", store_id)),
        page.ask("/v2/ControlPlane/Configurations", memoryStoreId=store_id),
        page.ask(path_to(_LIST + "/{}/IdentityResolutionSettings", store_id)),
        page.ask(path_to(_PROFILES, store_id), pageSize=_PER_PAGE, pageToken=page.query("pageToken")),
    )
    found = await look_up(page, store_id, id_type, value) if id_type and value else None
    wanted = found if found is not None else listed
    ids = wanted.body["profiles"] if wanted.succeeded else []
    profiles = await page.together(*(page.ask(path_to(_PROFILES + "/{}", store_id, one)) for one in ids))
    known = [one.body | {"called": called(one.body["traits"])} for one in profiles if one.succeeded]
    return await page.show(
        "store.html",
        refusal.status if refusal else 200,
        store=store,
        configurations=configurations,
        settings=settings,
        listed=listed,
        found=found,
        profiles=known,
        refusal=refusal,
        looked_for={"idType": id_type or "", "value": value or ""},
        reserved=_RESERVED,
        example=page.request_for("POST", path_to(_PROFILES, store_id), {"traits": {"Contact": _SOMEBODY}}),
    )
