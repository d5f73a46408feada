"""`/v1/Stores/{storeId}/Profiles`: profiles, and who has an identifier."""

from fastapi import APIRouter, Response

from orchestrator.kernel.http import ApiRoute, InList, InUnit, Json
from orchestrator.kernel.openapi import errors, query_parameter
from orchestrator.memory import identifiers, profiles, upsert
from orchestrator.memory.identifier_schemas import IdentifierRequest
from orchestrator.memory.profile_schemas import (
    LookupResource,
    ProfileAccepted,
    ProfilePage,
    ProfileRequest,
    ProfileResource,
    profile_to_wire,
)
from orchestrator.memory.wire import ProfileId, StoreToRead, StoreToWrite, list_parameters, ordered_page

router = APIRouter(prefix="/v1/Stores/{storeId}/Profiles", route_class=ApiRoute)

_TRAIT_GROUPS = query_parameter("traitGroups", "Comma-separated names of the groups to include.", type="string")


@router.post(
    "",
    operation_id="CreateProfile",
    tags=["Profile"],
    summary="Create a profile, or add to the one that has its identifiers",
    description="The traits `email`, `whatsapp`, `phone` and `chat` of the group `Contact` are identifiers; "
    "at least one is needed. If they belong to several profiles, nothing is written.",
    status_code=202,
    response_model=ProfileAccepted,
    responses=errors(400, 404, 409, 415),
)
async def create_profile(store: StoreToWrite, wanted: ProfileRequest, unit: InUnit) -> Response:
    profile_id = await upsert.create_profile(unit, store, wanted.traits)
    return Json({"id": profile_id, "message": "Profile written."}, status_code=202)


@router.get(
    "",
    operation_id="ListProfiles",
    tags=["Profile"],
    summary="List the ids of the profiles, newest first",
    response_model=ProfilePage,
    responses=errors(400, 404, 409),
    openapi_extra=list_parameters(),
)
async def list_profiles(store: StoreToRead, unit: InUnit, query: InList) -> Response:
    request, descending = ordered_page(query)
    page = await profiles.list_profiles(unit, store, request, descending=descending)
    return Json(page.envelope("profiles", [row.id for row in page.items]))


@router.post(
    "/Lookup",
    operation_id="CreateProfilesLookup",
    tags=["Retrieval"],
    summary="Find the profiles that have an identifier",
    description="Exact: a phone number does not find a WhatsApp identifier of the same number, nor the reverse.",
    response_model=LookupResource,
    responses=errors(400, 404, 409, 415),
)
async def look_up(store: StoreToRead, sought: IdentifierRequest, unit: InUnit) -> Response:
    identifier = identifiers.identifier(sought.id_type, sought.value)
    found = await identifiers.look_up(unit, store, identifier)
    return Json({"normalizedValue": identifier.value, "profiles": found})


@router.get(
    "/{profileId}",
    operation_id="FetchProfile",
    tags=["Profile"],
    summary="Fetch a profile and its traits",
    response_model=ProfileResource,
    responses=errors(400, 404, 409),
    openapi_extra={"parameters": [_TRAIT_GROUPS]},
)
async def fetch_profile(store: StoreToRead, profile_id: ProfileId, unit: InUnit, query: InList) -> Response:
    groups = query.several("traitGroups")
    return Json(profile_to_wire(await profiles.find_profile(unit, store, profile_id, groups=groups)))
