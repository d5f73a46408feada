"""`/v1/Stores/{storeId}/Profiles/{profileId}/Identifiers`."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from orchestrator.kernel.fields import refused
from orchestrator.kernel.http import InList, InUnit, Json
from orchestrator.kernel.openapi import errors, query_parameter
from orchestrator.memory import identifiers
from orchestrator.memory.identifier_schemas import (
    IdentifierList,
    IdentifierRequest,
    IdentifierResource,
    IdentifierUpdate,
)
from orchestrator.memory.wire import (
    SERVED,
    DataRoute,
    ProfileId,
    ProfileToRead,
    StoreToRead,
    StoreToWrite,
    Written,
    flag,
    moved,
)

router = APIRouter(
    prefix="/v1/Stores/{storeId}/Profiles/{profileId}/Identifiers", route_class=DataRoute, tags=["Identifiers"]
)

IdType = Annotated[str, Path(alias="idType", description="A type of identifier, such as `phone`.")]

_REMOVE_ALL = query_parameter(
    "removeAll", "Remove every value of the type, not only one.", type="boolean", default=False
)


@router.get(
    "",
    operation_id="ListProfileIdentifiers",
    summary="List a profile's identifiers",
    response_model=IdentifierList,
    responses={**errors(400, 404, 409), **moved(301), **SERVED},
)
async def list_identifiers(store: StoreToRead, profile_id: ProfileToRead, unit: InUnit) -> Response:
    found = await identifiers.of_profile(unit, store, profile_id)
    return Json({"identifiers": [{"idType": id_type, "values": values} for id_type, values in found.items()]})


@router.post(
    "",
    operation_id="CreateProfileIdentifier",
    summary="Add an identifier to a profile",
    description="Links another address to the same person: a second phone, or the sibling WhatsApp number. If it "
    "belongs to another profile, the two are one from then on: the older one, which the other's id redirects to.",
    status_code=202,
    response_model=Written,
    responses={**errors(400, 404, 409, 415), **moved(308)},
)
async def create_identifier(
    store: StoreToWrite, profile_id: ProfileId, wanted: IdentifierRequest, unit: InUnit
) -> Response:
    await identifiers.add(unit, store, profile_id, wanted.id_type, wanted.value)
    return Json({"message": "Identifier added."}, status_code=202)


@router.get(
    "/{idType}",
    operation_id="FetchProfileIdentifier",
    summary="Fetch a profile's identifiers of one type",
    response_model=IdentifierResource,
    responses={**errors(400, 404, 409), **moved(301), **SERVED},
)
async def fetch_identifier(store: StoreToRead, profile_id: ProfileToRead, id_type: IdType, unit: InUnit) -> Response:
    values = await identifiers.values_of_type(unit, store, profile_id, id_type)
    return Json({"idType": id_type, "values": values})


@router.patch(
    "/{idType}",
    operation_id="PatchProfileIdentifier",
    summary="Put another value in place of an identifier",
    description="If the new value belongs to another profile, the two are one from then on.",
    status_code=202,
    response_model=Written,
    responses={**errors(400, 404, 409, 415), **moved(308)},
)
async def patch_identifier(
    store: StoreToWrite, profile_id: ProfileId, id_type: IdType, wanted: IdentifierUpdate, unit: InUnit
) -> Response:
    if wanted.id_type != id_type:
        raise refused("/idType", f"must be the type that the path names, {id_type}", wanted.id_type)
    await identifiers.replace(unit, store, profile_id, id_type, old=wanted.old_value, new=wanted.new_value)
    return Json({"message": "Identifier replaced."}, status_code=202)


@router.delete(
    "/{idType}",
    operation_id="DeleteProfileIdentifier",
    summary="Remove one of a profile's identifiers of a type, or all of the type",
    description="The oldest is removed, or the newest if the store's settings say `lifo` of the type.",
    status_code=202,
    response_model=Written,
    responses={**errors(400, 404, 409), **moved(308)},
    openapi_extra={"parameters": [_REMOVE_ALL]},
)
async def delete_identifier(
    store: StoreToWrite, profile_id: ProfileId, id_type: IdType, unit: InUnit, query: InList
) -> Response:
    await identifiers.remove(unit, store, profile_id, id_type, every=flag(query, "removeAll"))
    return Json({"message": "Identifier removed."}, status_code=202)
