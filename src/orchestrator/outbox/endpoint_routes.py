"""`/orchestrator/v1/Endpoints`: the URLs that status callbacks go to, and how they are doing."""

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict
from sqlalchemy import Row

from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.fields import Text
from orchestrator.kernel.http import AccountId, ApiRoute, InList, InUnit, Json
from orchestrator.kernel.openapi import Meta, Wire, errors, list_query
from orchestrator.outbox import endpoints

router = APIRouter(prefix="/orchestrator/v1/Endpoints", tags=["Orchestrator"], route_class=ApiRoute)

_TIME: JsonDict = {"format": "date-time"}


class ResumeRequest(Wire):
    """An endpoint whose pause is over."""

    model_config = ConfigDict(json_schema_extra={"example": {"url": "https://hooks.example.com/conversations"}})

    url: Text = Field(description="As it is configured, with its fragment.")


class EndpointResource(Wire):
    """A URL that callbacks have been sent to."""

    url: str
    state: Literal["OPEN", "PAUSED", "PROBING"] = Field(
        description="OPEN: callbacks are sent. PAUSED: it kept failing, and nothing is sent for a while. PROBING: the "
        "pause is over, and one delivery is tried; whether it fails decides how it goes on."
    )
    since: str | None = Field(description="When the first pause began; null while it is OPEN.", json_schema_extra=_TIME)
    until: str | None = Field(
        description="When the pause ends, or the delivery that is tried is given up; null while it is OPEN.",
        json_schema_extra=_TIME,
    )
    pauses: int = Field(description="Since the last success.")
    failures: int = Field(description="Attempts that failed since the last success.")
    last_failure_at: str | None = Field(json_schema_extra=_TIME)
    last_error: str | None = Field(description="Why the last attempt that failed did.")
    pending_count: int = Field(description=f"Deliveries that wait to be sent; not more than {endpoints.COUNTED:,}.")
    last_used_at: str = Field(description="To the day.", json_schema_extra=_TIME)


class EndpointPage(Wire):
    """One page, by URL."""

    endpoints: list[EndpointResource]
    meta: Meta


@router.get(
    "",
    summary="List endpoints, and whether they are paused",
    operation_id="ListEndpoint",
    response_model=EndpointPage,
    responses=errors(400),
    openapi_extra=list_query(),
)
async def list_endpoints(account_id: AccountId, unit: InUnit, query: InList) -> Response:
    page = await endpoints.list_page(unit, account_id, query.page())
    return Json(page.envelope("endpoints", [_to_wire(row, unit.now) for row in page.items]))


@router.post(
    "/Resume",
    summary="End the pause of an endpoint",
    description="What waits for it is sent at once. It is paused again only when it fails as often as at first.",
    operation_id="ResumeEndpoint",
    response_model=EndpointResource,
    responses=errors(400, 404, 415),
)
async def resume_endpoint(wanted: ResumeRequest, account_id: AccountId, unit: InUnit) -> Response:
    return Json(_to_wire(await endpoints.resume(unit, account_id, wanted.url), unit.now))


def _to_wire(row: Row[Any], now: datetime) -> dict[str, Any]:
    paused = row.paused_until is not None
    probing = paused and (row.probing or row.paused_until <= now)
    return {
        "url": row.url,
        "state": "PROBING" if probing else "PAUSED" if paused else "OPEN",
        "since": row.paused_at and rest_time(row.paused_at),
        "until": row.paused_until and rest_time(row.paused_until),
        "pauses": row.pauses,
        "failures": row.failures,
        "lastFailureAt": row.last_failure_at and rest_time(row.last_failure_at),
        "lastError": row.last_error,
        "pendingCount": row.pending,
        "lastUsedAt": rest_time(row.last_used_at),
    }
