"""`/v1/ControlPlane/Stores/{storeId}/TraitGroups`."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from orchestrator.kernel.conditions import ETAG_HEADERS, OnlyIfMatch
from orchestrator.kernel.http import InList, InUnit, Json, Origin
from orchestrator.kernel.openapi import errors, query_parameter
from orchestrator.memory import trait_group_changes, trait_groups
from orchestrator.memory.store_routes import MAX_PAGE
from orchestrator.memory.trait_group_schemas import (
    TraitGroupFound,
    TraitGroupPage,
    TraitGroupPatch,
    TraitGroupRequest,
    group_to_wire,
)
from orchestrator.memory.versions import version_tag
from orchestrator.memory.wire import (
    ACCEPTED,
    ControlRoute,
    StoreToChange,
    StoreToRead,
    done,
    flag,
    list_parameters,
    ordered_page,
)

router = APIRouter(
    prefix="/v1/ControlPlane/Stores/{storeId}/TraitGroups", route_class=ControlRoute, tags=["TraitGroup"]
)

TraitGroupName = Annotated[str, Path(alias="traitGroupName", description="Name of the trait group.")]


def _list_parameters(*, include_traits: bool) -> dict[str, Any]:
    named = query_parameter(
        "includeTraits", "Whether to show the definitions of traits.", type="boolean", default=include_traits
    )
    return {"parameters": [named, *list_parameters(max_size=MAX_PAGE)["parameters"]]}


@router.post(
    "",
    operation_id="CreateTraitGroup",
    summary="Create a trait group",
    description="A trait can be written to profiles once it is defined.",
    status_code=202,
    response_model=None,
    responses={**ACCEPTED, **errors(400, 404, 409, 415)},
)
async def create_trait_group(store: StoreToChange, wanted: TraitGroupRequest, unit: InUnit, origin: Origin) -> Response:
    traits = {name: given.stored() for name, given in (wanted.traits or {}).items()}
    await trait_group_changes.create_group(
        unit, store, wanted.display_name, description=wanted.description, traits=traits
    )
    return await done(unit, store.account_id, origin, about=wanted.display_name, message="Trait group created.")


@router.get(
    "",
    operation_id="ListTraitGroups",
    summary="List the trait groups, newest first",
    response_model=TraitGroupPage,
    responses=errors(400, 404, 409),
    openapi_extra=_list_parameters(include_traits=False),
)
async def list_trait_groups(store: StoreToRead, unit: InUnit, query: InList) -> Response:
    with_traits = flag(query, "includeTraits")
    request, descending = ordered_page(query, max_size=MAX_PAGE, includeTraits=with_traits)
    page = await trait_groups.list_groups(unit, store, request, descending=descending)
    with_traits = request.filters.get("includeTraits") is True
    shown = [group_to_wire(group, group.traits if with_traits else None) for group in page.items]
    return Json(page.envelope("traitGroups", shown))


@router.get(
    "/{traitGroupName}",
    operation_id="FetchTraitGroup",
    summary="Fetch a trait group, with a page of its traits",
    description="The page is one of traits: by their names, in descending order unless `orderBy` says otherwise.",
    response_model=TraitGroupFound,
    responses={200: {"headers": ETAG_HEADERS}, **errors(400, 404, 409)},
    openapi_extra=_list_parameters(include_traits=True),
)
async def fetch_trait_group(store: StoreToRead, name: TraitGroupName, unit: InUnit, query: InList) -> Response:
    group = await trait_groups.find_group(unit, store, name)
    headers = {"ETag": version_tag(group.name, group.version)}
    request, descending = ordered_page(query, max_size=MAX_PAGE)
    if not flag(query, "includeTraits", default=True):
        meta = {"key": "traits", "pageSize": 0}
        return Json({"traitGroup": group_to_wire(group, None), "meta": meta}, headers=headers)
    page = await trait_groups.list_traits(unit, group, request, descending=descending)
    traits = {row.name: row.definition for row in page.items}
    meta = page.envelope("traits", page.items)["meta"]
    return Json({"traitGroup": group_to_wire(group, traits), "meta": meta}, headers=headers)


@router.patch(
    "/{traitGroupName}",
    operation_id="PatchTraitGroup",
    summary="Change a trait group: what is left out stays",
    description="`Contact` always has its `email`, `whatsapp`, `phone` and `chat`, and they are identifiers.",
    status_code=202,
    response_model=None,
    responses={**ACCEPTED, **errors(400, 404, 409, 412, 415)},
)
async def patch_trait_group(
    store: StoreToChange,
    name: TraitGroupName,
    wanted: TraitGroupPatch,
    if_match: OnlyIfMatch,
    unit: InUnit,
    origin: Origin,
) -> Response:
    await trait_group_changes.patch_group(
        unit, store, name, description=wanted.description, changes=wanted.changes(), if_match=if_match
    )
    return await done(unit, store.account_id, origin, about=name, message="Trait group changed.")


@router.delete(
    "/{traitGroupName}",
    operation_id="DeleteTraitGroup",
    summary="Delete a trait group and the values of its traits",
    status_code=202,
    response_model=None,
    responses={**ACCEPTED, **errors(400, 404, 409)},
)
async def delete_trait_group(store: StoreToChange, name: TraitGroupName, unit: InUnit, origin: Origin) -> Response:
    await trait_group_changes.delete_group(unit, store, name)
    return await done(unit, store.account_id, origin, about=name, message="Trait group deleted.")
