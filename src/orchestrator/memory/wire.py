"""What the routes and schemas of the memory store share: the store of a path, pages in either order, examples."""

from typing import Annotated, Any, Literal

from fastapi import Depends, Path, Request, Response
from pydantic import ConfigDict, Field

from orchestrator.kernel.compression import CompressibleRoute
from orchestrator.kernel.errors import BadRequest
from orchestrator.kernel.http import AccountId, ApiRoute, InUnit, add_header
from orchestrator.kernel.openapi import Wire, query_parameter
from orchestrator.kernel.paging import DEFAULT_SIZE, MAX_SIZE, ListQuery, PageRequest
from orchestrator.kernel.unit import Unit
from orchestrator.memory import operations, profiles
from orchestrator.memory.stores import Store, serving_store, store_to_change
from orchestrator.operations.accepted import ACCEPTED_HEADERS, accepted
from orchestrator.operations.service import complete
from orchestrator.settings import Settings


class ControlRoute(ApiRoute):
    """A malformed request below `/v1/ControlPlane`.

    What to do: read `message`, which names the field; `details.errors` lists all that are wrong.
    """

    bad_request_code = 520046


class DataRoute(ApiRoute):
    """A malformed request below `/v1/Stores` (codes: contract memory.md 1.7).

    What to do: read `message`, which names the field; `details.errors` lists all that are wrong.
    """

    bad_request_code = 400


class CompressibleDataRoute(CompressibleRoute, DataRoute):
    """One whose requests may be compressed."""


StoreId = Annotated[str, Path(alias="storeId", description="Id of the memory store.")]
ProfileId = Annotated[str, Path(alias="profileId", description="Id of the profile.")]


async def _store_to_read(unit: InUnit, account_id: AccountId, store_id: StoreId) -> Store:
    return await serving_store(unit, account_id, store_id)


async def _store_to_write(unit: InUnit, account_id: AccountId, store_id: StoreId) -> Store:
    return await serving_store(unit, account_id, store_id, writing=True)


async def _store_to_change(unit: InUnit, account_id: AccountId, store_id: StoreId) -> Store:
    return await store_to_change(unit, account_id, store_id)


# Dependencies, so that an unknown store is told before a wrong body.
StoreToRead = Annotated[Store, Depends(_store_to_read)]
StoreToWrite = Annotated[Store, Depends(_store_to_write)]
StoreToChange = Annotated[Store, Depends(_store_to_change)]
"""For the settings and the trait groups of a store: nothing is written into it meanwhile."""


def example(**fields: Any) -> ConfigDict:
    """A schema's example in the OpenAPI file."""
    return ConfigDict(json_schema_extra={"example": fields})


async def _profile_to_read(request: Request, store: StoreToRead, profile_id: ProfileId, unit: InUnit) -> str:
    settings: Settings = request.app.state.settings
    return (
        await _canonical(request, store, profile_id, unit) if settings.merged_profile_reads == "serve" else profile_id
    )


async def _canonical(request: Request, store: StoreToRead, profile_id: ProfileId, unit: InUnit) -> str:
    canonical = await profiles.canonical_id(unit, store, profile_id)
    if canonical != profile_id:
        add_header(request, profiles.CANONICAL, canonical)
    return canonical


ProfileToRead = Annotated[str, Depends(_profile_to_read)]
"""The id of a profile; of one that was merged, that of the profile it is part of, where the settings say so."""
CanonicalProfile = Annotated[str, Depends(_canonical)]
"""The id of a profile; of one that was merged, always that of the profile it is part of (contract: memory.md 4.3)."""

_CANONICAL_HEADER = {
    "description": "The profile that the one of the path is part of. Only there if that was merged.",
    "schema": {"type": "string"},
}


class Redirect(Wire):
    """Where a profile is that was merged into another."""

    model_config = example(
        message="mem_profile_01kgh3m8qce0m9x2t6v4b7r5zn is part of mem_profile_01kgh3m8qcdza7m1k5t9x2b4we now",
        uri="https://orchestrator.example.com/v1/Stores/mem_store_01kgh3k1w8fmkrxj2c5a9d7e6b/Profiles/"
        "mem_profile_01kgh3m8qcdza7m1k5t9x2b4we",
    )

    message: str
    uri: str = Field(json_schema_extra={"format": "uri"})


def moved(status: Literal[301, 308]) -> dict[int | str, dict[str, Any]]:
    """The redirect of a route below a profile, for FastAPI's `responses`."""
    location = {"description": "The same path with the other profile's id.", "schema": {"type": "string"}}
    return {
        status: {
            "model": Redirect,
            "description": "The profile was merged into another.",
            "headers": {profiles.CANONICAL: _CANONICAL_HEADER, "Location": location},
        }
    }


SERVED: dict[int | str, dict[str, Any]] = {200: {"headers": {profiles.CANONICAL: _CANONICAL_HEADER}}}
"""The answer of a route that may serve a merged profile in place."""


class MemoryAccepted(Wire):
    """Where to follow an operation of the Memory API."""

    model_config = example(
        message="Memory store created.",
        statusUrl="https://orchestrator.example.com/v1/ControlPlane/Operations/proc_job_01kgh3k1w8fmkrxj2c5a9d7e6b",
    )

    message: str
    status_url: str = Field(json_schema_extra={"format": "uri"})


ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {
        "model": MemoryAccepted,
        "description": "Accepted; the operation names what it was about.",
        "headers": ACCEPTED_HEADERS,
    }
}
"""The 202 of the control plane, for FastAPI's `responses`."""


async def done(unit: Unit, account_id: str, origin: str, *, about: str, message: str) -> Response:
    """Record the operation of what the unit has done to a resource, and answer with it."""
    operation = await complete(unit, account_id, result={"type": "RESOURCE_ID", "id": about})
    return accepted(operation, origin, path=operations.PATH, message=message)


class Written(Wire):
    """What was done."""

    model_config = example(message="Identifier added.")

    message: str = Field(max_length=512)


def list_parameters(*, max_size: int = MAX_SIZE) -> dict[str, Any]:
    """The query of the Memory API's lists, for FastAPI's `openapi_extra`."""
    return {
        "parameters": [
            query_parameter(
                "pageSize", "Most items per page.", type="integer", minimum=1, maximum=max_size, default=DEFAULT_SIZE
            ),
            query_parameter("pageToken", "A token from `meta`; it brings its page size and order.", type="string"),
            query_parameter(
                "orderBy", "Newest first (DESC) or oldest first.", type="string", enum=["ASC", "DESC"], default="DESC"
            ),
        ]
    }


def ordered_page(query: ListQuery, *, max_size: int = MAX_SIZE, **filters: Any) -> tuple[PageRequest, bool]:
    """The page asked for, and whether the list is newest first. Raises BadRequest.

    The page's `filters` are those given here, or what the token brings: that is whatever the client has made of it.
    """
    order = query.one("orderBy") or "DESC"
    if order.upper() not in {"ASC", "DESC"}:
        raise BadRequest("orderBy must be ASC or DESC", params={"field": "orderBy", "value": order})
    page = query.page(max_size=max_size, orderBy=order.upper(), **filters)
    return page, page.filters.get("orderBy") != "ASC"


def flag(query: ListQuery, name: str, *, default: bool = False) -> bool:
    """A parameter that is `true` or `false`. Raises BadRequest."""
    return query.flag(name, default=default)
