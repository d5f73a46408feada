"""`/v1/Stores/{storeId}/Profiles/{profileId}/ConversationSummaries`."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from orchestrator.kernel.http import InList, InUnit, Json
from orchestrator.kernel.openapi import errors
from orchestrator.memory import summaries
from orchestrator.memory.memories import FILTERS_OF_SUMMARIES, list_of_memories, page_of_memories
from orchestrator.memory.summary_schemas import (
    CreateSummariesRequest,
    PatchSummaryRequest,
    SummaryPage,
    SummaryResource,
    summary_to_wire,
)
from orchestrator.memory.wire import (
    SERVED,
    CanonicalProfile,
    CompressibleDataRoute,
    ProfileId,
    ProfileToRead,
    StoreToRead,
    StoreToWrite,
    Written,
    moved,
)

router = APIRouter(
    prefix="/v1/Stores/{storeId}/Profiles/{profileId}/ConversationSummaries",
    route_class=CompressibleDataRoute,
    tags=["ConversationSummaries"],
)

SummaryId = Annotated[str, Path(alias="summaryId", description="Id of the summary.")]


@router.post(
    "",
    operation_id="CreateProfileConversationSummary",
    summary="Write down what came of conversations",
    description="Up to ten at once. They are there when the answer is; the list tells their ids. The body may be "
    "compressed: `Content-Encoding` gzip or deflate.",
    status_code=202,
    response_model=Written,
    responses={**errors(400, 404, 409, 415), **moved(308)},
)
async def create_summaries(
    store: StoreToWrite, profile_id: ProfileId, wanted: CreateSummariesRequest, unit: InUnit
) -> Response:
    await summaries.create(unit, store, profile_id, [one.model_dump() for one in wanted.summaries])
    return Json({"message": "Summaries written."}, status_code=202)


@router.get(
    "",
    operation_id="ListProfileConversationSummaries",
    summary="List a profile's conversation summaries, newest first",
    response_model=SummaryPage,
    responses={**errors(400, 404, 409), **moved(301), **SERVED},
    openapi_extra=list_of_memories(*FILTERS_OF_SUMMARIES.values()),
)
async def list_summaries(store: StoreToRead, profile_id: ProfileToRead, unit: InUnit, query: InList) -> Response:
    request, descending = page_of_memories(query, *FILTERS_OF_SUMMARIES)
    page = await summaries.list_page(unit, store, profile_id, request, descending=descending)
    return Json(page.envelope("summaries", [summary_to_wire(one) for one in page.items]))


@router.get(
    "/{summaryId}",
    operation_id="FetchProfileConversationSummary",
    summary="Fetch a conversation summary",
    response_model=SummaryResource,
    responses={**errors(400, 404, 409), **SERVED},
)
async def fetch_summary(
    store: StoreToRead, profile_id: CanonicalProfile, summary_id: SummaryId, unit: InUnit
) -> Response:
    return Json(summary_to_wire(await summaries.find(unit, store, profile_id, summary_id)))


@router.patch(
    "/{summaryId}",
    operation_id="PatchProfileConversationSummary",
    summary="Change a conversation summary",
    status_code=202,
    response_model=Written,
    responses={**errors(400, 404, 409, 415), **moved(308)},
)
async def patch_summary(
    store: StoreToWrite, profile_id: ProfileId, summary_id: SummaryId, changes: PatchSummaryRequest, unit: InUnit
) -> Response:
    await summaries.revise(unit, store, profile_id, summary_id, changes.model_dump(exclude_none=True))
    return Json({"message": "Summary changed."}, status_code=202)


@router.delete(
    "/{summaryId}",
    operation_id="DeleteProfileConversationSummary",
    summary="Delete a conversation summary",
    status_code=202,
    response_model=Written,
    responses={**errors(400, 404, 409), **moved(308)},
)
async def delete_summary(store: StoreToWrite, profile_id: ProfileId, summary_id: SummaryId, unit: InUnit) -> Response:
    await summaries.remove(unit, store, profile_id, summary_id)
    return Json({"message": "Summary deleted."}, status_code=202)
