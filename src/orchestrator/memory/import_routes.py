"""`/v1/Stores/{storeId}/Profiles/Imports`: CSV imports, and `/uploads/{importId}`, where their files are put."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from orchestrator.kernel.http import InList, InUnit, Json, Origin
from orchestrator.kernel.openapi import Error, errors
from orchestrator.memory import import_uploads, imports
from orchestrator.memory.import_schemas import (
    ImportCreated,
    ImportPage,
    ImportRequest,
    ImportResource,
    Uploaded,
    import_to_wire,
)
from orchestrator.memory.wire import DataRoute, StoreToRead, StoreToWrite, list_parameters, ordered_page

MAX_PAGE = 100

router = APIRouter()
_router = APIRouter(prefix="/v1/Stores/{storeId}/Profiles/Imports", route_class=DataRoute, tags=["Profile"])

_UPLOAD_ERRORS = {status: told for status, told in errors(400, 404, 409).items() if status != 401} | {
    403: {"model": Error, "description": "The URL has expired, or has taken its file."},
    413: {"model": Error, "description": "The file is larger than any import's."},
}

ImportId = Annotated[str, Path(alias="importId", description="Id of the import.")]


async def wake_imports(request: Request) -> Callable[[], None]:
    """Tells the importer of this process, if there is one, that there is something to do."""
    wake: Callable[[], None] = request.app.state.wake_imports
    return wake


@_router.post(
    "",
    operation_id="CreateProfilesImportV2",
    summary="Announce a CSV file of profiles",
    description="The answer has the URL that takes the file. Once it is there, its rows are written in the background.",
    status_code=201,
    response_model=ImportCreated,
    responses=errors(400, 404, 409, 415),
)
async def create_import(store: StoreToWrite, wanted: ImportRequest, unit: InUnit, origin: Origin) -> Response:
    mappings = [mapping.model_dump(by_alias=True) for mapping in wanted.column_mappings]
    announced = await imports.create_import(
        unit, store, filename=wanted.filename, file_size=wanted.file_size, mappings=mappings
    )
    return Json({"importId": announced.id, "url": announced.url(origin)}, status_code=201)


@_router.get(
    "",
    operation_id="ListProfileImportsV2",
    summary="List the ids of the imports, newest first",
    response_model=ImportPage,
    responses=errors(400, 404, 409),
    openapi_extra=list_parameters(max_size=MAX_PAGE),
)
async def list_imports(store: StoreToRead, query: InList, unit: InUnit) -> Response:
    request, descending = ordered_page(query, max_size=MAX_PAGE)
    page = await imports.list_imports(unit, store, request, descending=descending)
    return Json(page.envelope("imports", [row.id for row in page.items]))


@_router.get(
    "/{importId}",
    operation_id="FetchProfileImportV2",
    summary="Fetch an import, and how far it is",
    response_model=ImportResource,
    responses=errors(400, 404, 409),
)
async def fetch_import(store: StoreToRead, import_id: ImportId, unit: InUnit) -> Response:
    return Json(import_to_wire(await imports.find_import(unit, store, import_id)))


@router.put(
    imports.UPLOADS + "{importId}",
    operation_id="UploadProfilesImport",
    tags=["Profile"],
    summary="Put the file of an import",
    description="Not part of Twilio's API, whose URL leads elsewhere; use the `url` of the import as it is. "
    "The content type does not matter; the bytes are as many as were announced.",
    response_model=Uploaded,
    responses=_UPLOAD_ERRORS,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def upload(
    import_id: ImportId,
    request: Request,
    wake: Annotated[Callable[[], None], Depends(wake_imports)],
    token: Annotated[str, Query(max_length=100, description="The secret in the import's `url`.")] = "",
) -> Response:
    length = request.headers.get("content-length", "")
    announced = int(length) if length.isdecimal() else None
    await import_uploads.take_file(
        request.app.state.units, (import_id, token), request.stream(), length=announced, wake=wake
    )
    return Json({"importId": import_id, "status": "PENDING"})


router.include_router(_router)
