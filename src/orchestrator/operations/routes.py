"""Operations of the Conversations API: what a 202 points to."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from pydantic import ConfigDict, Field

from orchestrator.kernel.http import AccountId, ApiRoute, InUnit, Json, Origin
from orchestrator.kernel.openapi import Wire, errors
from orchestrator.operations import service
from orchestrator.operations.accepted import CONVERSATIONS_PATH, OPERATION_HEADERS, operation_headers

router = APIRouter(route_class=ApiRoute, tags=["ConversationsV2Operation"])


class OperationError(Wire):
    """Why an operation failed (RFC 9457)."""

    type: str | None = None
    title: str | None = None
    status: int | None = None
    detail: str | None = None
    instance: str | None = None


class OperationResource(Wire):
    """An asynchronous operation. What it does is done in the transaction of its request, so it is COMPLETED at once."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "operationId": "proc_job_01kgh3k1w8fmkrxj2c5a9d7e6b",
                "status": "COMPLETED",
                "createdAt": "2026-02-03T09:15:04Z",
                "completedAt": "2026-02-03T09:15:04Z",
                "statusUrl": "https://orchestrator.example.com/v2/ControlPlane/Operations/proc_job_01kgh3k1w8fmkrxj2c5a9d7e6b",
                "error": None,
                "related": {"configurationId": "conv_configuration_01kgh3k1w8fmkrxj2c5a9d7e6b"},
            }
        }
    )

    operation_id: str
    status: Literal["PENDING", "COMPLETED", "FAILED"]
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    completed_at: str | None = Field(description="Null while PENDING.", json_schema_extra={"format": "date-time"})
    status_url: str = Field(json_schema_extra={"format": "uri"})
    error: OperationError | None = Field(description="Null unless FAILED.")
    related: dict[str, str] | None = Field(description="Ids of the resources that the operation is about.")


@router.get(
    CONVERSATIONS_PATH + "{id}",
    operation_id="FetchOperationStatus",
    summary="Fetch an operation",
    response_model=OperationResource,
    responses={200: {"headers": OPERATION_HEADERS}, **errors(404)},
)
async def fetch_operation(
    operation_id: Annotated[str, Path(alias="id")], account_id: AccountId, unit: InUnit, origin: Origin
) -> Response:
    operation = await service.find(unit, account_id, operation_id)
    status_url = f"{origin}{CONVERSATIONS_PATH}{operation.id}"
    return Json(service.to_wire(operation, status_url), headers=operation_headers(operation))
