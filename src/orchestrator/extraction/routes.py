"""`/orchestrator/v1/Extractions`: what became of each conversation that came to rest, and failed ones tried again."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import Field

from orchestrator.domain.lifecycle import Status
from orchestrator.extraction import service
from orchestrator.extraction.model import Job, JobStatus, Result
from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.http import AccountId, ApiRoute, InList, InUnit, Json
from orchestrator.kernel.openapi import Meta, Wire, errors, list_query, query_choice, query_parameter

router = APIRouter(prefix="/orchestrator/v1/Extractions", tags=["Orchestrator"], route_class=ApiRoute)

_STATUS = query_choice("status", "Only those of these statuses; repeated or comma-separated.", JobStatus)
_CONVERSATION = query_parameter("conversationId", "Only those of this conversation.", type="string")


class ExtractionResult(Wire):
    """What was written to the profiles of the customers."""

    observations: int = Field(description="New ones.")
    revisions: int = Field(description="Observations that say something else now.")
    summaries: int
    ignored: int = Field(description="Entries of the answer about a profile or an observation that is not there.")
    note: str | None = Field(description="Why there was nothing to do.")


class ExtractionResource(Wire):
    """A conversation that came to rest, and how far its extraction has got."""

    conversation_id: str
    sequence: int = Field(description="Number of the event that told of the change of state.")
    state: Status = Field(description="The state that was entered: INACTIVE or CLOSED.")
    status: JobStatus
    attempts: int
    failure_reason: str | None = Field(description="Why the last attempt failed.")
    result: ExtractionResult | None = Field(description="Null until it is COMPLETED.")
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    next_attempt_at: str | None = Field(
        description="Null unless it is PENDING. While somebody works on it: when another takes over.",
        json_schema_extra={"format": "date-time"},
    )
    completed_at: str | None = Field(
        description="When it was COMPLETED or FAILED.", json_schema_extra={"format": "date-time"}
    )


class ExtractionPage(Wire):
    """One page, those of the newest conversations first."""

    extractions: list[ExtractionResource]
    meta: Meta


@router.get(
    "",
    summary="List extractions, those of the newest conversations first",
    operation_id="ListExtraction",
    response_model=ExtractionPage,
    responses=errors(400),
    openapi_extra=list_query(_STATUS, _CONVERSATION),
)
async def list_extractions(account_id: AccountId, unit: InUnit, query: InList) -> Response:
    request = query.page(status=query.several("status"), conversationId=query.one("conversationId"))
    page = await service.list_page(unit, account_id, request)
    return Json(page.envelope("extractions", [_to_wire(job) for job in page.items]))


@router.post(
    "/{conversationId}/{sequence}/Retry",
    summary="Try a failed extraction again",
    operation_id="RetryExtraction",
    response_model=ExtractionResource,
    responses=errors(400, 404),
)
async def retry_extraction(
    conversation_id: Annotated[str, Path(alias="conversationId", description="The conversation.")],
    sequence: Annotated[str, Path(description="Number of the event.")],
    account_id: AccountId,
    unit: InUnit,
) -> Response:
    return Json(_to_wire(await service.try_again(unit, account_id, conversation_id, sequence)))


def _to_wire(job: Job) -> dict[str, Any]:
    return {
        "conversationId": job.conversation_id,
        "sequence": job.sequence,
        "state": job.state,
        "status": job.status,
        "attempts": job.attempts,
        "failureReason": job.failure_reason,
        "result": None if job.result is None else {**asdict(Result()), **job.result},
        "createdAt": rest_time(job.created_at),
        "nextAttemptAt": job.next_attempt_at and rest_time(job.next_attempt_at),
        "completedAt": job.completed_at and rest_time(job.completed_at),
    }
