"""What the routes and schemas of the memory store share: the store of a path, pages in either order, examples."""

from typing import Annotated, Any

from fastapi import Depends, Path
from pydantic import ConfigDict, Field

from orchestrator.kernel.errors import BadRequest
from orchestrator.kernel.http import AccountId, InUnit
from orchestrator.kernel.openapi import Wire, query_parameter
from orchestrator.kernel.paging import DEFAULT_SIZE, MAX_SIZE, ListQuery, PageRequest
from orchestrator.memory.stores import Store, serving_store

StoreId = Annotated[str, Path(alias="storeId", description="Id of the memory store.")]
ProfileId = Annotated[str, Path(alias="profileId", description="Id of the profile.")]


async def _store_to_read(unit: InUnit, account_id: AccountId, store_id: StoreId) -> Store:
    return await serving_store(unit, account_id, store_id)


async def _store_to_write(unit: InUnit, account_id: AccountId, store_id: StoreId) -> Store:
    return await serving_store(unit, account_id, store_id, writing=True)


# Dependencies, so that an unknown store is told before a wrong body.
StoreToRead = Annotated[Store, Depends(_store_to_read)]
StoreToWrite = Annotated[Store, Depends(_store_to_write)]


def example(**fields: Any) -> ConfigDict:
    """A schema's example in the OpenAPI file."""
    return ConfigDict(json_schema_extra={"example": fields})


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


def ordered_page(query: ListQuery, *, max_size: int = MAX_SIZE) -> tuple[PageRequest, bool]:
    """The page asked for, and whether the list is newest first. Raises BadRequest."""
    order = query.one("orderBy") or "DESC"
    if order.upper() not in {"ASC", "DESC"}:
        raise BadRequest("orderBy must be ASC or DESC", params={"field": "orderBy", "value": order})
    page = query.page(max_size=max_size, orderBy=order.upper())
    return page, page.filters.get("orderBy") != "ASC"
