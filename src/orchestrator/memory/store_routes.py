"""`/v1/ControlPlane`: memory stores, and the operations that make and delete them."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from orchestrator.kernel.conditions import ETAG_HEADERS, OnlyIfMatch
from orchestrator.kernel.http import AccountId, InList, InUnit, Json, Origin
from orchestrator.kernel.openapi import errors
from orchestrator.memory import operations, stores
from orchestrator.memory.store_schemas import (
    MemoryOperationResource,
    StorePage,
    StorePatch,
    StoreRequest,
    StoreResource,
    operation_to_wire,
    store_to_wire,
)
from orchestrator.memory.versions import version_tag
from orchestrator.memory.wire import ACCEPTED, ControlRoute, StoreId, StoreToChange, done, list_parameters, ordered_page
from orchestrator.operations.accepted import OPERATION_HEADERS, operation_headers

MAX_PAGE = 100

router = APIRouter(prefix="/v1/ControlPlane", route_class=ControlRoute)


@router.post(
    "/Stores",
    operation_id="CreateStore",
    tags=["Store"],
    summary="Create a memory store",
    status_code=202,
    response_model=None,
    responses={**ACCEPTED, **errors(400, 409, 415)},
)
async def create_store(wanted: StoreRequest, account_id: AccountId, unit: InUnit, origin: Origin) -> Response:
    store = await stores.create_store(
        unit, account_id, display_name=wanted.display_name, description=wanted.description
    )
    return await done(unit, account_id, origin, about=store.id, message="Memory store created.")


@router.get(
    "/Stores",
    operation_id="ListStores",
    tags=["Store"],
    summary="List the ids of the memory stores, newest first",
    response_model=StorePage,
    responses=errors(400),
    openapi_extra=list_parameters(max_size=MAX_PAGE),
)
async def list_stores(account_id: AccountId, unit: InUnit, query: InList) -> Response:
    request, descending = ordered_page(query, max_size=MAX_PAGE)
    page = await stores.list_stores(unit, account_id, request, descending=descending)
    return Json(page.envelope("stores", [row.id for row in page.items]))


@router.get(
    "/Stores/{storeId}",
    operation_id="FetchStore",
    tags=["Store"],
    summary="Fetch a memory store",
    response_model=StoreResource,
    responses={200: {"headers": ETAG_HEADERS}, **errors(400, 404)},
)
async def fetch_store(store_id: StoreId, account_id: AccountId, unit: InUnit) -> Response:
    store = await stores.find_store(unit, account_id, store_id)
    return Json(store_to_wire(store), headers={"ETag": version_tag(store.id, store.version)})


@router.patch(
    "/Stores/{storeId}",
    operation_id="PatchStore",
    tags=["Store"],
    summary="Rename a memory store, or describe it anew",
    status_code=202,
    response_model=None,
    responses={**ACCEPTED, **errors(400, 404, 409, 412, 415)},
)
async def patch_store(
    store: StoreToChange, wanted: StorePatch, if_match: OnlyIfMatch, unit: InUnit, origin: Origin
) -> Response:
    await stores.patch_store(
        unit, store, display_name=wanted.display_name, description=wanted.description, if_match=if_match
    )
    return await done(unit, store.account_id, origin, about=store.id, message="Memory store changed.")


@router.delete(
    "/Stores/{storeId}",
    operation_id="DeleteStore",
    tags=["Store"],
    summary="Delete a memory store and everything in it",
    description="Traffic of configurations that still name the store is captured all the same, without profiles.",
    status_code=202,
    response_model=None,
    responses={**ACCEPTED, **errors(400, 404)},
)
async def delete_store(store_id: StoreId, account_id: AccountId, unit: InUnit, origin: Origin) -> Response:
    await stores.delete_store(unit, account_id, store_id)
    return await done(unit, account_id, origin, about=store_id, message="Memory store deleted.")


@router.get(
    "/Operations/{operationId}",
    operation_id="FetchMemoryOperation",
    tags=["Operations"],
    summary="Fetch an operation of the Memory API",
    response_model=MemoryOperationResource,
    responses={200: {"headers": OPERATION_HEADERS}, **errors(400, 404)},
)
async def fetch_operation(
    operation_id: Annotated[str, Path(alias="operationId", description="From the `Operation-Id` of a 202.")],
    account_id: AccountId,
    unit: InUnit,
    origin: Origin,
) -> Response:
    operation = await operations.find_operation(unit, account_id, operation_id)
    status_url = f"{origin}{operations.PATH}{operation.id}"
    return Json(operation_to_wire(operation, status_url), headers=operation_headers(operation))
