"""`/orchestrator/v1/Statistics`: traffic, where it landed, and how callbacks went, by minute, hour or day."""

from fastapi import APIRouter, Response

from orchestrator.kernel.http import AccountId, ApiRoute, InList, InUnit, Json
from orchestrator.kernel.openapi import errors, query_parameter
from orchestrator.statistics.counting import count
from orchestrator.statistics.requests import to_span
from orchestrator.statistics.schemas import StatisticsResource, to_wire
from orchestrator.statistics.span import MOST_BUCKETS, By

router = APIRouter(prefix="/orchestrator/v1/Statistics", tags=["Orchestrator"], route_class=ApiRoute)

_QUERY = [
    query_parameter(
        "from",
        "A time in the first piece. Default: 60 minutes, 48 hours or 30 days up to `to`.",
        type="string",
        format="date-time",
    ),
    query_parameter("to", "A time in the last piece. Default: now.", type="string", format="date-time"),
    query_parameter("by", "How long a piece is.", type="string", enum=list(By), default=By.MINUTE),
]


@router.get(
    "",
    summary="Count traffic and callbacks by minute, hour or day",
    description=f"In UTC, at most {MOST_BUCKETS} pieces. What is past its keeping is not counted.",
    operation_id="FetchStatistics",
    response_model=StatisticsResource,
    responses=errors(400),
    openapi_extra={"parameters": _QUERY},
)
async def fetch_statistics(account_id: AccountId, unit: InUnit, query: InList) -> Response:
    span = to_span(query, unit.now)
    return Json(to_wire(span, await count(unit, account_id, span)))
