"""`/orchestrator/v1/Stores/{storeId}/Merges`: who became one with whom, and the way back. Our own, not Twilio's."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from orchestrator.kernel.errors import BadRequest
from orchestrator.kernel.http import ApiRoute, InList, InUnit, Json
from orchestrator.kernel.openapi import errors, query_parameter
from orchestrator.kernel.paging import PageRequest
from orchestrator.memory import merges, splitting
from orchestrator.memory.merge_schemas import (
    MergeDetails,
    MergePage,
    MergeResource,
    UndoRequest,
    details_to_wire,
    merge_to_wire,
)
from orchestrator.memory.wire import StoreToRead, StoreToWrite, flag, list_parameters, ordered_page

router = APIRouter(prefix="/orchestrator/v1/Stores/{storeId}/Merges", route_class=ApiRoute, tags=["Merges"])

MergeId = Annotated[str, Path(alias="mergeId", description="Id of the merge.")]

_FILTERS = [
    query_parameter("profileId", "Only merges of this profile, survivor or not.", type="string"),
    query_parameter("status", "Only merges in this status.", type="string", enum=list(merges.STATUSES)),
]
_WHOLLY = UndoRequest()
"""What is meant without a body."""
_DRY_RUN = query_parameter("dryRun", "Tell what would happen, and change nothing.", type="boolean", default=False)


@router.get(
    "",
    operation_id="ListMerges",
    summary="List merges of profiles, newest first",
    response_model=MergePage,
    responses=errors(400, 404, 409),
    openapi_extra={"parameters": [*list_parameters()["parameters"], *_FILTERS]},
)
async def list_merges(store: StoreToRead, unit: InUnit, query: InList) -> Response:
    given: dict[str, Any] = {name: value for name in ("profileId", "status") if (value := query.one(name))}
    request, descending = ordered_page(query, **given)
    page = await merges.list_page(
        unit, store, request, profile_id=request.text("profileId"), status=_status(request), descending=descending
    )
    return Json(page.envelope("merges", [merge_to_wire(one) for one in page.items]))


@router.get(
    "/{mergeId}",
    operation_id="FetchMerge",
    summary="Fetch a merge, with what both profiles were before",
    response_model=MergeDetails,
    responses=errors(400, 404, 409),
)
async def fetch_merge(store: StoreToRead, merge_id: MergeId, unit: InUnit) -> Response:
    return Json(details_to_wire(await merges.find(unit, store, merge_id)))


@router.post(
    "/{mergeId}/Undo",
    operation_id="UndoMerge",
    summary="Undo a merge, or take some identifiers out of it",
    description="Any merge can be undone, whatever was merged after it. The profile that was merged away is there "
    "again with what it brought; what was changed since stays where it is, and is told in `conflicts`.",
    response_model=MergeResource,
    responses=errors(400, 404, 409, 415),
    openapi_extra={"parameters": [_DRY_RUN]},
)
async def undo_merge(
    store: StoreToWrite, merge_id: MergeId, unit: InUnit, query: InList, wanted: UndoRequest = _WHOLLY
) -> Response:
    entry = await splitting.undo(unit, store, merge_id, wanted.chosen(), dry_run=flag(query, "dryRun"))
    return Json(merge_to_wire(entry))


def _status(page: PageRequest) -> str | None:
    value = page.filters.get("status")
    if value is not None and value not in merges.STATUSES:
        raise BadRequest(f"status must be one of {', '.join(merges.STATUSES)}", params={"field": "status"})
    return value
