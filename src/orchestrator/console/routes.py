"""All pages of the console, and what answers where there is none."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from orchestrator.console import (
    assets,
    clock,
    communications,
    configuration_undoing,
    configuration_writing,
    configurations,
    conversations,
    deliveries,
    endpoints,
    events,
    explaining,
    login,
    merging,
    numbers,
    overview,
    phones,
    profiles,
    search,
    stores,
    traffic,
    uncaptured,
)
from orchestrator.console.edge import Open, SignedIn
from orchestrator.kernel.errors import NotFound

_KEPT = "public, max-age=31536000, immutable"

_PAGES = (
    login.leaving,
    overview.router,
    conversations.router,
    communications.router,
    clock.router,
    configuration_writing.router,  # before those that are read: `new` is no id
    configuration_undoing.router,
    configurations.router,
    explaining.router,
    stores.router,
    profiles.router,
    merging.router,
    numbers.router,
    phones.router,
    deliveries.router,
    endpoints.router,
    events.router,
    uncaptured.router,
    search.router,
    traffic.router,
)

_files = APIRouter(prefix="/console", route_class=Open, include_in_schema=False)
_rest = APIRouter(prefix="/console", route_class=SignedIn, include_in_schema=False)


@_files.get("/static/{path:path}")
async def file(request: Request) -> Response:
    found = assets.at(request.url.path)
    if found is None:
        raise NotFound(f"there is nothing at {request.url.path}")
    return Response(found.content, media_type=found.media_type, headers={"Cache-Control": _KEPT})


@_files.get("/")
async def slash() -> Response:
    return RedirectResponse("/console", status_code=307)


@_rest.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
async def nothing(request: Request) -> Response:
    raise NotFound(f"the console has no page for {request.method} {request.url.path}")


def _together() -> APIRouter:
    together = APIRouter()
    for part in (_files, login.router, *_PAGES, _rest):
        together.include_router(part)
    return together


router = _together()
