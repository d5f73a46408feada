"""`/v1/Stores/{storeId}/Profiles/{profileId}/Identifiers`."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from orchestrator.kernel.errors import BadRequest
from orchestrator.kernel.http import ApiRoute, InList, InUnit, Json
from orchestrator.kernel.openapi import errors, query_parameter
from orchestrator.kernel.paging import ListQuery
from orchestrator.memory import identifiers
from orchestrator.memory.identifier_schemas import IdentifierList, IdentifierRequest, IdentifierResource
from orchestrator.memory.wire import ProfileId, StoreToRead, StoreToWrite, Written

router = APIRouter(
    prefix="/v1/Stores/{storeId}/Profiles/{profileId}/Identifiers", route_class=ApiRoute, tags=["Identifiers"]
)

IdType = Annotated[str, Path(alias="idType", description="`email`, `whatsapp`, `phone` or `chat`.")]

_REMOVE_ALL = query_parameter(
    "removeAll", "Remove every value of the type, not only the oldest.", type="boolean", default=False
)


@router.get(
    "",
    operation_id="ListProfileIdentifiers",
    summary="List a profile's identifiers",
    response_model=IdentifierList,
    responses=errors(400, 404, 409),
)
async def list_identifiers(store: StoreToRead, profile_id: ProfileId, unit: InUnit) -> Response:
    found = await identifiers.of_profile(unit, store, profile_id)
    return Json({"identifiers": [{"idType": id_type, "values": values} for id_type, values in found.items()]})


@router.post(
    "",
    operation_id="CreateProfileIdentifier",
    summary="Add an identifier to a profile",
    description="Links another address to the same person: a second phone, or the sibling WhatsApp number.",
    status_code=202,
    response_model=Written,
    responses=errors(400, 404, 409, 415),
)
async def create_identifier(
    store: StoreToWrite, profile_id: ProfileId, wanted: IdentifierRequest, unit: InUnit
) -> Response:
    identifier = identifiers.identifier(wanted.id_type, wanted.value)
    await identifiers.add(unit, store, profile_id, identifier)
    return Json({"message": "Identifier added."}, status_code=202)


@router.get(
    "/{idType}",
    operation_id="FetchProfileIdentifier",
    summary="Fetch a profile's identifiers of one type",
    response_model=IdentifierResource,
    responses=errors(400, 404, 409),
)
async def fetch_identifier(store: StoreToRead, profile_id: ProfileId, id_type: IdType, unit: InUnit) -> Response:
    values = await identifiers.values_of_type(unit, store, profile_id, id_type)
    return Json({"idType": id_type, "values": values})


@router.delete(
    "/{idType}",
    operation_id="DeleteProfileIdentifier",
    summary="Remove a profile's oldest identifier of one type, or all of the type",
    status_code=202,
    response_model=Written,
    responses=errors(400, 404, 409),
    openapi_extra={"parameters": [_REMOVE_ALL]},
)
async def delete_identifier(
    store: StoreToWrite, profile_id: ProfileId, id_type: IdType, unit: InUnit, query: InList
) -> Response:
    await identifiers.remove(unit, store, profile_id, id_type, every=_remove_all(query))
    return Json({"message": "Identifier removed."}, status_code=202)


def _remove_all(query: ListQuery) -> bool:
    value = query.one("removeAll") or "false"
    if value.lower() not in {"true", "false"}:
        raise BadRequest("removeAll must be true or false", params={"field": "removeAll", "value": value})
    return value.lower() == "true"
