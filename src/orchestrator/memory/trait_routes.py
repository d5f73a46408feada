"""`/v1/Stores/{storeId}/Profiles/{profileId}/Traits`."""

from dataclasses import replace

from fastapi import APIRouter, Response

from orchestrator.kernel.http import InList, InUnit, Json
from orchestrator.kernel.openapi import errors
from orchestrator.memory import profiles, traits
from orchestrator.memory.profile_routes import TRAIT_GROUPS
from orchestrator.memory.profile_schemas import TraitPage, trait_to_wire
from orchestrator.memory.wire import SERVED, DataRoute, ProfileToRead, StoreToRead, list_parameters, moved, ordered_page

MAX_PAGE = 100
"""Traits of a page; more may be asked for, as of every list of this kind, and are not given (memory.md 1.4)."""

router = APIRouter(prefix="/v1/Stores/{storeId}/Profiles/{profileId}/Traits", route_class=DataRoute, tags=["Traits"])


@router.get(
    "",
    operation_id="ListProfileTraits",
    summary="List a profile's traits, the last changed first",
    response_model=TraitPage,
    responses={**errors(400, 404, 409), **moved(301), **SERVED},
    openapi_extra={"parameters": [TRAIT_GROUPS, *list_parameters()["parameters"]]},
)
async def list_traits(store: StoreToRead, profile_id: ProfileToRead, unit: InUnit, query: InList) -> Response:
    await profiles.require(unit, store, profile_id)
    request, descending = ordered_page(query, traitGroups=query.several("traitGroups"))
    named = request.filters.get("traitGroups")
    groups = [str(group) for group in named] if isinstance(named, list) else []
    request = replace(request, size=min(request.size, MAX_PAGE))
    page = await traits.list_traits(unit, store, profile_id, request, groups=groups, descending=descending)
    return Json(page.envelope("traits", [trait_to_wire(row) for row in page.items]))
