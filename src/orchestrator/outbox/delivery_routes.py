"""`/orchestrator/v1/Deliveries`: what was sent to which callback, what came of it, and all of it once more."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import ConfigDict, Field

from orchestrator.domain.events import EventType
from orchestrator.kernel.fields import Moment, Text
from orchestrator.kernel.http import AccountId, ApiRoute, InList, InUnit, Json
from orchestrator.kernel.openapi import Wire, errors, list_query, query_choice, query_parameter
from orchestrator.outbox import deliveries, redelivery
from orchestrator.outbox.delivery_schemas import (
    DeliveryDetails,
    DeliveryPage,
    DeliveryResource,
    attempt_to_wire,
    event_to_wire,
    to_wire,
)
from orchestrator.outbox.redelivery import Failures

router = APIRouter(prefix="/orchestrator/v1/Deliveries", tags=["Orchestrator"], route_class=ApiRoute)

_FILTERS = (
    query_choice("status", "Only those of these statuses; repeated or comma-separated.", deliveries.STATES),
    query_parameter("conversationId", "Only those of this conversation.", type="string"),
    query_parameter("url", "Only those to this URL, as it is configured.", type="string"),
    query_choice("eventType", "Only those of events of these types; repeated or comma-separated.", EventType),
    query_parameter("createdAfter", "Only those recorded at this time or later.", type="string", format="date-time"),
    query_parameter("createdBefore", "Only those recorded before this time.", type="string", format="date-time"),
)
_Id = Annotated[str, Path(alias="deliveryId", description="The delivery: the idempotency token of its callbacks.")]


class RedeliverRequest(Wire):
    """Which dead deliveries are made once more."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "failedSince": "2026-02-03T09:00:00Z",
                "failedBefore": "2026-02-03T11:00:00Z",
                "url": "https://hooks.example.com/conversations",
            }
        }
    )

    failed_since: Moment = Field(description="Those that were given up at this time or later.")
    failed_before: Moment | None = Field(
        None, description="Only those that were given up before; so that repeating the request comes to an end."
    )
    url: Text | None = Field(None, description="Only those to this URL, as it is configured.")


class Redelivered(Wire):
    """What is going to be sent."""

    redelivered: int
    more: bool = Field(
        description=f"One request makes at most {redelivery.MOST_AT_ONCE:,}. Whether to repeat it for the others."
    )


@router.get(
    "",
    summary="List deliveries, newest first",
    operation_id="ListDelivery",
    response_model=DeliveryPage,
    responses=errors(400),
    openapi_extra=list_query(*_FILTERS),
)
async def list_deliveries(account_id: AccountId, unit: InUnit, query: InList) -> Response:
    page = query.page(
        status=query.several("status"),
        eventType=query.several("eventType"),
        conversationId=query.one("conversationId"),
        url=query.one("url"),
        createdAfter=query.one("createdAfter"),
        createdBefore=query.one("createdBefore"),
    )
    found = await deliveries.list_page(unit, account_id, page)
    return Json(found.envelope("deliveries", [to_wire(row) for row in found.items]))


@router.post(
    "/Redeliver",
    summary="Make dead deliveries once more",
    operation_id="RedeliverFailed",
    response_model=Redelivered,
    responses=errors(400, 415),
)
async def redeliver_failed(wanted: RedeliverRequest, account_id: AccountId, unit: InUnit) -> Response:
    failures = Failures(wanted.failed_since, wanted.failed_before, wanted.url)
    count = await redelivery.redeliver_failed(unit, account_id, failures)
    return Json({"redelivered": count, "more": count == redelivery.MOST_AT_ONCE})


@router.get(
    "/{deliveryId}",
    summary="Fetch a delivery, with its attempts and its event",
    operation_id="FetchDelivery",
    response_model=DeliveryDetails,
    responses=errors(404),
)
async def fetch_delivery(delivery_id: _Id, account_id: AccountId, unit: InUnit) -> Response:
    row = await deliveries.find(unit, account_id, delivery_id)
    attempts = [attempt_to_wire(attempt) for attempt in await deliveries.attempts(unit, row)]
    return Json({**to_wire(row), "attempts": attempts, "event": event_to_wire(row)})


@router.post(
    "/{deliveryId}/Redeliver",
    summary="Make a delivery once more",
    description="With the same idempotency token, and with all retries. One that waits for its next attempt is tried "
    "at once.",
    operation_id="Redeliver",
    response_model=DeliveryResource,
    responses=errors(404, 410),
)
async def redeliver(delivery_id: _Id, account_id: AccountId, unit: InUnit) -> Response:
    await redelivery.redeliver(unit, account_id, delivery_id)
    return Json(to_wire(await deliveries.find(unit, account_id, delivery_id)))
