"""`/v1/Stores/{storeId}/Profiles`: profiles, one or many, and who has an identifier."""

from fastapi import APIRouter, Response

from orchestrator.kernel.http import InList, InUnit, Json, Origin
from orchestrator.kernel.openapi import errors, query_parameter
from orchestrator.memory import bulk, identifiers, profile_changes, profiles, upsert
from orchestrator.memory.identifier_schemas import IdentifierRequest
from orchestrator.memory.profile_schemas import (
    BulkAccepted,
    BulkRequest,
    LookupResource,
    ProfileAccepted,
    ProfilePage,
    ProfilePatch,
    ProfileReplacement,
    ProfileRequest,
    ProfileResource,
    profile_to_wire,
)
from orchestrator.memory.wire import (
    SERVED,
    DataRoute,
    ProfileId,
    ProfileToRead,
    StoreToRead,
    StoreToWrite,
    Written,
    list_parameters,
    moved,
    ordered_page,
)
from orchestrator.operations.accepted import ACCEPTED_HEADERS

router = APIRouter(prefix="/v1/Stores/{storeId}/Profiles", route_class=DataRoute)

TRAIT_GROUPS = query_parameter("traitGroups", "Comma-separated names of the groups to include.", type="string")


@router.post(
    "",
    operation_id="CreateProfile",
    tags=["Profile"],
    summary="Create a profile, or add to the one that has its identifiers",
    description="Some traits are identifiers: `email`, `whatsapp`, `phone` and `chat` of the group `Contact`, and "
    "those with an `idTypePromotion`. One at least is needed. If they belong to several profiles, these become one, "
    "under the smallest id.",
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


@router.put(
    "/Bulk",
    operation_id="UpdateProfilesBulk",
    tags=["Profile"],
    summary="Create many profiles, or add to those that have their identifiers",
    description="As many single requests would do, in their order. What is wrong with one profile does not keep the "
    "others from being written: the operation tells which were skipped.",
    status_code=202,
    response_model=None,
    responses={
        202: {"model": BulkAccepted, "description": "Accepted.", "headers": ACCEPTED_HEADERS},
        **errors(400, 404, 409, 415),
    },
)
async def update_profiles(store: StoreToWrite, wanted: BulkRequest, unit: InUnit, origin: Origin) -> Response:
    outcomes = await upsert.write_profiles(unit, store, [one.traits for one in wanted.profiles])
    return await bulk.told(unit, store, outcomes, origin)


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
    value, found = await identifiers.look_up(unit, store, sought.id_type, sought.value)
    return Json({"normalizedValue": value, "profiles": found})


@router.get(
    "/{profileId}",
    operation_id="FetchProfile",
    tags=["Profile"],
    summary="Fetch a profile and its traits",
    response_model=ProfileResource,
    responses={**errors(400, 404, 409), **moved(301), **SERVED},
    openapi_extra={"parameters": [TRAIT_GROUPS]},
)
async def fetch_profile(store: StoreToRead, profile_id: ProfileToRead, unit: InUnit, query: InList) -> Response:
    groups = query.several("traitGroups")
    return Json(profile_to_wire(await profiles.find_profile(unit, store, profile_id, groups=groups)))


@router.patch(
    "/{profileId}",
    operation_id="PatchProfileTraits",
    tags=["Profile"],
    summary="Change some traits of a profile",
    description="A trait that is an identifier adds it to the profile. One that is removed, or overwritten, leaves its "
    "identifier with the profile.",
    status_code=202,
    response_model=Written,
    responses={**errors(400, 404, 409, 415), **moved(308)},
)
async def patch_profile(store: StoreToWrite, profile_id: ProfileId, wanted: ProfilePatch, unit: InUnit) -> Response:
    await profile_changes.patch_profile(unit, store, profile_id, wanted.traits)
    return Json({"message": "Profile changed."}, status_code=202)


@router.put(
    "/{profileId}",
    operation_id="UpdateProfile",
    tags=["Profile"],
    summary="Replace all traits of a profile",
    description="Not part of Twilio's API. What is left out is deleted; identifiers are added, and none is removed.",
    status_code=202,
    response_model=Written,
    responses={**errors(400, 404, 409, 415), **moved(308)},
)
async def update_profile(
    store: StoreToWrite, profile_id: ProfileId, wanted: ProfileReplacement, unit: InUnit
) -> Response:
    await profile_changes.replace_profile(unit, store, profile_id, wanted.traits)
    return Json({"message": "Profile replaced."}, status_code=202)


@router.delete(
    "/{profileId}",
    operation_id="DeleteProfile",
    tags=["Profile"],
    summary="Delete a profile and everything that is known of it",
    description="Its traits, identifiers, observations and summaries, for good. Conversations stay as they are.",
    status_code=202,
    response_model=Written,
    responses={**errors(400, 404, 409), **moved(308)},
)
async def delete_profile(store: StoreToWrite, profile_id: ProfileId, unit: InUnit) -> Response:
    await profiles.delete_profile(unit, store, profile_id)
    return Json({"message": "Profile deleted."}, status_code=202)
