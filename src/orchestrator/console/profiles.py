"""A profile: who somebody is, by what they are known, what is remembered of them, and who became one with them."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from orchestrator.console.api import Answer
from orchestrator.console.edge import SignedIn
from orchestrator.console.page import InPage, Page, path_to
from orchestrator.console.problems import by_field
from orchestrator.console.stores import called, look_up

router = APIRouter(prefix="/console/stores/{store_id}/profiles", route_class=SignedIn, include_in_schema=False)

PROFILE = "/v1/Stores/{}/Profiles/{}"
MERGES = "/orchestrator/v1/Stores/{}/Merges"
SETTINGS = "/v1/ControlPlane/Stores/{}/IdentityResolutionSettings"
_SHOWN = 50
"""Latest conversations, observations, summaries and merges on the page."""


@router.get("/{profile_id}")
async def show_profile(page: InPage, store_id: str, profile_id: str) -> Response:
    profile = await page.get(path_to(PROFILE, store_id, profile_id))
    survivor = profile.body["id"]
    if survivor != profile_id:
        return page.go(page_of_profile(store_id, survivor), f"{profile_id} was merged into this profile.")
    return await _profile_page(page, store_id, profile)


@router.post("/{profile_id}/identifiers")
async def add_identifier(page: InPage, store_id: str, profile_id: str) -> Response:
    """What somebody else is known by is not added before it was shown that this makes the two one."""
    id_type, value = page.form.get("idType", ""), page.form.get("value", "").strip()
    found = await look_up(page, store_id, id_type, value)
    others = [one for one in found.body["profiles"] if one != profile_id] if found.succeeded else []
    if others:
        return page.go(page_of_profile(store_id, profile_id) + f"/merge?with={others[0]}", f"{value} is somebody's.")
    path = path_to(PROFILE + "/Identifiers", store_id, profile_id)
    added = await page.try_to_send("POST", path, {"idType": id_type, "value": value}) if found.succeeded else found
    if not added.succeeded:
        return await _profile_page(page, store_id, await page.get(path_to(PROFILE, store_id, profile_id)), added)
    return page.go(page_of_profile(store_id, profile_id), f"{value} leads here now.")


@router.post("/{profile_id}/identifiers/remove")
async def remove_identifier(page: InPage, store_id: str, profile_id: str) -> Response:
    """One value, by the limit policy of its type; or, with `all`, every value of the type."""
    id_type, every = page.form.get("idType", ""), page.form.get("all") == "true"
    path = path_to(PROFILE + "/Identifiers/{}", store_id, profile_id, id_type)
    await page.send("DELETE", path + ("?removeAll=true" if every else ""))
    removed = f"Every {id_type} is" if every else f"One {id_type} is"
    return page.go(page_of_profile(store_id, profile_id), f"{removed} no longer an identifier of this profile.")


def page_of_profile(store_id: str, profile_id: str) -> str:
    """Its path in the console."""
    return path_to("/console/stores/{}/profiles/{}", store_id, profile_id)


async def _profile_page(page: Page, store_id: str, profile: Answer, refusal: Answer | None = None) -> Response:
    path = path_to(PROFILE, store_id, profile.body["id"])
    traits, identifiers, observations, summaries, merges, settings = await page.together(
        page.ask(path + "/Traits", pageSize=1000),
        page.ask(path + "/Identifiers"),
        page.ask(path + "/Observations", pageSize=_SHOWN),
        page.ask(path + "/ConversationSummaries", pageSize=_SHOWN),
        page.ask(path_to(MERGES, store_id), profileId=profile.body["id"], pageSize=_SHOWN),
        page.ask(path_to(SETTINGS, store_id)),
    )
    conversations = await page.ask("/v2/Conversations", profileId=",".join(_ids(profile, merges)), pageSize=_SHOWN)
    return await page.show(
        "profile.html",
        refusal.status if refusal else 200,
        store_id=store_id,
        profile=profile,
        called=called(profile.body["traits"]),
        traits=traits,
        identifiers=identifiers,
        observations=observations,
        summaries=summaries,
        merges=merges,
        types=_types(settings),
        conversations=conversations,
        examples=[
            page.request_for("POST", path + "/Identifiers", {"idType": "phone", "value": "+15559876543"}),
            page.request_for("DELETE", path + "/Identifiers/phone"),
        ],
        refusal=refusal,
        wrong=by_field(refusal),
    )


def _types(settings: Answer) -> dict[str, dict[str, Any]]:
    """What the store says of each type of identifier."""
    return {one["idType"]: one for one in settings.body["identifierConfigs"]} if settings.succeeded else {}


def _ids(profile: Answer, merges: Answer) -> list[str]:
    """Its own id, and those that were merged into it: ended conversations keep them."""
    listed = merges.body["merges"] if merges.succeeded else []
    mine: str = profile.body["id"]
    return [mine, *(one["mergedId"] for one in listed if one["survivorId"] == mine and one["status"] == "MERGED")]
