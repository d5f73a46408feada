"""`/v1/Stores/{storeId}/Profiles/{profileId}/Observations`, and the revisions of each."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from orchestrator.kernel.http import InList, InUnit, Json
from orchestrator.kernel.openapi import errors, list_query
from orchestrator.memory import observations
from orchestrator.memory.memories import FILTERS_OF_OBSERVATIONS, list_of_memories, page_of_memories
from orchestrator.memory.observation_schemas import (
    CreateObservationsRequest,
    ObservationPage,
    ObservationResource,
    PatchObservationRequest,
    RevisionPage,
    observation_to_wire,
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
    prefix="/v1/Stores/{storeId}/Profiles/{profileId}/Observations",
    route_class=CompressibleDataRoute,
    tags=["Observations"],
)

ObservationId = Annotated[str, Path(alias="observationId", description="Id of the observation.")]


@router.post(
    "",
    operation_id="CreateProfileObservation",
    summary="Write down what was noticed about somebody",
    description="Up to ten at once. They are there when the answer is; the list tells their ids. The body may be "
    "compressed: `Content-Encoding` gzip or deflate.",
    status_code=202,
    response_model=Written,
    responses={**errors(400, 404, 409, 415), **moved(308)},
)
async def create_observations(
    store: StoreToWrite, profile_id: ProfileId, wanted: CreateObservationsRequest, unit: InUnit
) -> Response:
    await observations.create(unit, store, profile_id, [one.fields() for one in wanted.observations])
    return Json({"message": "Observations written."}, status_code=202)


@router.get(
    "",
    operation_id="ListProfileObservations",
    summary="List a profile's observations, newest first",
    response_model=ObservationPage,
    responses={**errors(400, 404, 409), **moved(301), **SERVED},
    openapi_extra=list_of_memories(*FILTERS_OF_OBSERVATIONS.values()),
)
async def list_observations(store: StoreToRead, profile_id: ProfileToRead, unit: InUnit, query: InList) -> Response:
    request, descending = page_of_memories(query, *FILTERS_OF_OBSERVATIONS)
    page = await observations.list_page(unit, store, profile_id, request, descending=descending)
    return Json(page.envelope("observations", [observation_to_wire(one) for one in page.items]))


@router.get(
    "/{observationId}",
    operation_id="FetchProfileObservation",
    summary="Fetch an observation",
    response_model=ObservationResource,
    responses={**errors(400, 404, 409), **SERVED},
)
async def fetch_observation(
    store: StoreToRead, profile_id: CanonicalProfile, observation_id: ObservationId, unit: InUnit
) -> Response:
    return Json(observation_to_wire(await observations.find(unit, store, profile_id, observation_id)))


@router.patch(
    "/{observationId}",
    operation_id="PatchProfileObservation",
    summary="Change an observation; what it was stays among its revisions",
    status_code=202,
    response_model=Written,
    responses={**errors(400, 404, 409, 415), **moved(308)},
)
async def patch_observation(
    store: StoreToWrite,
    profile_id: ProfileId,
    observation_id: ObservationId,
    changes: PatchObservationRequest,
    unit: InUnit,
) -> Response:
    await observations.revise(unit, store, profile_id, observation_id, changes.fields())
    return Json({"message": "Observation changed."}, status_code=202)


@router.delete(
    "/{observationId}",
    operation_id="DeleteProfileObservation",
    summary="Delete an observation and its revisions",
    status_code=202,
    response_model=Written,
    responses={**errors(400, 404, 409), **moved(308)},
)
async def delete_observation(
    store: StoreToWrite, profile_id: ProfileId, observation_id: ObservationId, unit: InUnit
) -> Response:
    await observations.remove(unit, store, profile_id, observation_id)
    return Json({"message": "Observation deleted."}, status_code=202)


@router.get(
    "/{observationId}/Revisions",
    operation_id="ListObservationRevisions",
    summary="List every state of an observation, the present one first",
    response_model=RevisionPage,
    responses={**errors(400, 404, 409), **SERVED},
    openapi_extra=list_query(),
)
async def list_revisions(
    store: StoreToRead, profile_id: CanonicalProfile, observation_id: ObservationId, unit: InUnit, query: InList
) -> Response:
    request, _ = page_of_memories(query)
    page = await observations.list_revisions(unit, store, profile_id, observation_id, request)
    return Json(page.envelope("revisions", [observation_to_wire(one) for one in page.items]))
