"""`/v1/ControlPlane/Stores/{storeId}/IdentityResolutionSettings`."""

from fastapi import APIRouter, Response

from orchestrator.kernel.conditions import ETAG_HEADERS, OnlyIfMatch
from orchestrator.kernel.http import InUnit, Json, Origin
from orchestrator.kernel.openapi import errors
from orchestrator.memory import identity_settings
from orchestrator.memory.identity_schemas import IdentitySettingsRequest, IdentitySettingsResource
from orchestrator.memory.versions import version_tag
from orchestrator.memory.wire import ACCEPTED, ControlRoute, StoreToChange, StoreToRead, done

router = APIRouter(
    prefix="/v1/ControlPlane/Stores/{storeId}/IdentityResolutionSettings",
    route_class=ControlRoute,
    tags=["IdentityResolutionSettings"],
)


@router.get(
    "",
    operation_id="FetchIdentityResolutionSettings",
    summary="Fetch by what a store recognises people",
    response_model=IdentitySettingsResource,
    responses={200: {"headers": ETAG_HEADERS}, **errors(400, 404, 409)},
)
async def fetch_settings(store: StoreToRead, unit: InUnit) -> Response:
    found = await identity_settings.find(unit, store)
    tag = version_tag(store.id, found.version)
    return Json({**found.body, "version": found.version}, headers={"ETag": tag})


@router.put(
    "",
    operation_id="UpdateIdentityResolutionSettings",
    summary="Replace by what a store recognises people",
    description="Counts for what is written from then on; what is there stays as it is. Traffic always recognises "
    "people by `email`, `whatsapp`, `phone` and `chat`, as a new store does.",
    status_code=202,
    response_model=None,
    responses={**ACCEPTED, **errors(400, 404, 409, 412, 415)},
)
async def update_settings(
    store: StoreToChange, wanted: IdentitySettingsRequest, if_match: OnlyIfMatch, unit: InUnit, origin: Origin
) -> Response:
    await identity_settings.replace(unit, store, wanted.to_settings(), if_match)
    return await done(unit, store.account_id, origin, about=store.id, message="Identity resolution settings replaced.")
