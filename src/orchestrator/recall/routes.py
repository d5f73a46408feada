"""`/v1/Stores/{storeId}/Profiles/{profileId}/Recall`."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from orchestrator.kernel.clock import Clock
from orchestrator.kernel.fields import refused
from orchestrator.kernel.http import InUnit, Json
from orchestrator.kernel.openapi import errors
from orchestrator.memory.embedding import Meaning
from orchestrator.memory.wire import SERVED, CompressibleDataRoute, ProfileToRead, StoreToRead, moved
from orchestrator.recall import service
from orchestrator.recall.schemas import RecallRequest, RecallResource, to_wire
from orchestrator.recall.service import Cue

router = APIRouter(route_class=CompressibleDataRoute)


async def clock(request: Request) -> Clock:
    """The service's clock, to tell how long something took."""
    found: Clock = request.app.state.units.clock
    return found


async def meaning(request: Request) -> Meaning | None:
    """What compares texts by meaning; None where the settings name no embedder."""
    found: Meaning | None = request.app.state.meaning
    return found


@router.post(
    "/v1/Stores/{storeId}/Profiles/{profileId}/Recall",
    operation_id="CreateFetchProfileMemory",
    tags=["Retrieval"],
    summary="Recall what matters of somebody",
    description="With a `query`, or with a conversation whose last communications are one: the memories with most of "
    "its words first, each with a `score`, which is the share of the query's words that it has, where a word counts "
    "the more the fewer of the memories have it. Words are compared in small letters and in full. With an embedder, "
    "which is a setting, the score is half that, and half the cosine similarity to the query. Without words: the "
    "newest first, without scores. The body may be compressed: `Content-Encoding` gzip or deflate.",
    response_model=RecallResource,
    responses={**errors(400, 404, 409, 415), **moved(308), **SERVED},
)
async def recall(
    store: StoreToRead,
    profile_id: ProfileToRead,
    wanted: RecallRequest,
    unit: InUnit,
    clock: Annotated[Clock, Depends(clock)],
    meaning: Annotated[Meaning | None, Depends(meaning)],
) -> Response:
    most = wanted.communications_limit or 0
    if most and wanted.conversation_id is None:
        raise refused("/communicationsLimit", "communications need a conversationId", most)
    cue = Cue(wanted.query, wanted.conversation_id, most)
    found = await service.recall(unit, store, profile_id, wanted.wish(), cue, meaning)
    return Json(to_wire(found, milliseconds=(clock.now() - unit.now) // timedelta(milliseconds=1)))
