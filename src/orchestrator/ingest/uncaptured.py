"""`/orchestrator/v1/Uncaptured`: provider traffic that landed nowhere, and why."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from pydantic import Field
from sqlalchemy import Row, select

from orchestrator.domain.explaining import sentences
from orchestrator.ingest.trace_schemas import UncapturedTrace
from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.http import AccountId, ApiRoute, InList, InUnit, Json
from orchestrator.kernel.ids import UNCAPTURED, is_id
from orchestrator.kernel.openapi import Meta, Wire, errors, list_query, query_parameter
from orchestrator.kernel.paging import fetch_page
from orchestrator.tables.provider import uncaptured

router = APIRouter(prefix="/orchestrator/v1/Uncaptured", tags=["Orchestrator"], route_class=ApiRoute)

_RESOURCE_ID = query_parameter("resourceId", "Only this message (its SID).", type="string")


class UncapturedResource(Wire):
    """One webhook that became no communication."""

    id: str = Field(examples=["orch_uncaptured_01kgh3m8qce0m9x2t6v4b7r5zn"])
    resource_id: str | None = Field(description="The provider's id of the message, if it had one.")
    received_at: str = Field(json_schema_extra={"format": "date-time"})
    trace: UncapturedTrace
    sentences: list[str] = Field(description="The trace in words.")


class UncapturedPage(Wire):
    """One page, newest first."""

    uncaptured: list[UncapturedResource]
    meta: Meta


@router.get(
    "",
    summary="List provider traffic that was not captured, newest first",
    operation_id="ListUncaptured",
    response_model=UncapturedPage,
    responses=errors(400),
    openapi_extra=list_query(_RESOURCE_ID),
)
async def list_uncaptured(account_id: AccountId, unit: InUnit, query: InList) -> Response:
    page = query.page(resourceId=query.one("resourceId"))
    statement = select(uncaptured).where(uncaptured.c.account_id == account_id)
    if resource_id := page.text("resourceId"):
        statement = statement.where(uncaptured.c.resource_id == resource_id)
    found = await fetch_page(unit, statement, page, order=[uncaptured.c.id], descending=True)
    return Json(found.envelope("uncaptured", [_to_wire(row) for row in found.items]))


async def uncaptured_of_path(
    account_id: AccountId, uncaptured_id: Annotated[str, Path(alias="id")], unit: InUnit
) -> Row[Any]:
    """The row that the path names. Raises NotFound."""
    row = None
    if is_id(uncaptured_id, UNCAPTURED):
        statement = select(uncaptured).where(uncaptured.c.account_id == account_id, uncaptured.c.id == uncaptured_id)
        row = (await unit.connection.execute(statement)).one_or_none()
    if row is None:
        raise NotFound(f"nothing uncaptured is kept as {uncaptured_id}")
    return row


OfPath = Annotated[Row[Any], Depends(uncaptured_of_path)]


@router.get(
    "/{id}",
    summary="Fetch what was not captured",
    operation_id="FetchUncaptured",
    response_model=UncapturedResource,
    responses=errors(404),
)
async def fetch_uncaptured(row: OfPath) -> Response:
    return Json(_to_wire(row))


def _to_wire(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "resourceId": row.resource_id,
        "receivedAt": rest_time(row.received_at),
        "trace": row.trace,
        "sentences": sentences(row.trace),
    }
