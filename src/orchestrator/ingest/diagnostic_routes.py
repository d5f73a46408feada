"""`/orchestrator/v1/Diagnostics`: what went wrong with customers' profiles while messages were captured."""

import re
from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy import Row, select

from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.errors import BadRequest
from orchestrator.kernel.http import AccountId, ApiRoute, InList, InUnit, Json
from orchestrator.kernel.openapi import Meta, Wire, errors, list_query, query_parameter
from orchestrator.kernel.paging import fetch_page
from orchestrator.tables.conversation import diagnostics

router = APIRouter(prefix="/orchestrator/v1/Diagnostics", tags=["Orchestrator"], route_class=ApiRoute)

_CODE = query_parameter("code", "Only those of this code, such as 530001.", type="integer")
_CONVERSATION = query_parameter("conversationId", "Only those of this conversation.", type="string")
_RESOURCE = query_parameter("resourceId", "Only those of this message (its SID).", type="string")
_CODES = re.compile(r"[0-9]{1,9}")
_SHOWN = 100
"""Characters of a wrong value that are shown."""


class DiagnosticResource(Wire):
    """Something that went wrong and stopped nothing."""

    id: str = Field(examples=["orch_diagnostic_01kgh3m8qce0m9x2t6v4b7r5zn"])
    code: int = Field(
        description="Twilio's: 530001 no profile was resolved, or not for certain; 530003 the look-up failed; 530004 "
        "no profile could be made."
    )
    level: Literal["WARNING", "ERROR"]
    resource_id: str | None = Field(description="The provider's id of the message, or of the call.")
    conversation_id: str | None
    details: dict[str, Any] = Field(
        description="`errorReason`, and whom it is about: `channel`, `address`, `storeId`; where several profiles "
        "match, `profileId` and `others`."
    )
    occurred_at: str = Field(json_schema_extra={"format": "date-time"})


class DiagnosticPage(Wire):
    """One page, newest first."""

    diagnostics: list[DiagnosticResource]
    meta: Meta


@router.get(
    "",
    summary="List what went wrong with profiles, newest first",
    operation_id="ListDiagnostic",
    response_model=DiagnosticPage,
    responses=errors(400),
    openapi_extra=list_query(_CODE, _CONVERSATION, _RESOURCE),
)
async def list_diagnostics(account_id: AccountId, unit: InUnit, query: InList) -> Response:
    page = query.page(
        code=query.one("code"), conversationId=query.one("conversationId"), resourceId=query.one("resourceId")
    )
    table = diagnostics.c
    statement = select(diagnostics).where(table.account_id == account_id)
    if code := page.text("code"):
        statement = statement.where(table.code == _number(code))
    for name, column in (("conversationId", table.conversation_id), ("resourceId", table.resource_id)):
        if value := page.text(name):
            statement = statement.where(column == value)
    found = await fetch_page(unit, statement, page, order=[table.id], descending=True)
    return Json(found.envelope("diagnostics", [_to_wire(row) for row in found.items]))


def _number(code: str) -> int:
    """The code of a query. Raises BadRequest."""
    if not _CODES.fullmatch(code):
        raise BadRequest("code must be a number such as 530001", params={"field": "code", "value": code[:_SHOWN]})
    return int(code)


def _to_wire(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "code": row.code,
        "level": row.level,
        "resourceId": row.resource_id,
        "conversationId": row.conversation_id,
        "details": row.details,
        "occurredAt": rest_time(row.occurred_at),
    }
