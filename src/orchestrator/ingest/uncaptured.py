"""`/orchestrator/v1/Uncaptured`: provider traffic that landed nowhere, and why."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy import select

from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.http import AccountId, ApiRoute, InList, InUnit, Json
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
    trace: dict[str, Any] = Field(description="`reason`, and what the webhook told: channel, from, to, …")


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
    items = [
        {
            "id": row.id,
            "resourceId": row.resource_id,
            "receivedAt": rest_time(row.received_at),
            "trace": row.trace,
        }
        for row in found.items
    ]
    return Json(found.envelope("uncaptured", items))
