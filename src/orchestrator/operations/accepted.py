"""The 202 of everything that Twilio does asynchronously (contract: conversations.md section 2.3)."""

from typing import Any

from fastapi import Response
from pydantic import ConfigDict, Field

from orchestrator.kernel.http import Json
from orchestrator.kernel.openapi import Wire
from orchestrator.operations.service import RETRY_AFTER_SECONDS, Operation

CONVERSATIONS_PATH = "/v2/ControlPlane/Operations/"


class Accepted(Wire):
    """Where to follow an operation of the Conversations API."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "statusUrl": "https://orchestrator.example.com/v2/ControlPlane/Operations/proc_job_01kgh3k1w8fmkrxj2c5a9d7e6b",
                "related": {"configurationId": "conv_configuration_01kgh3k1w8fmkrxj2c5a9d7e6b"},
            }
        }
    )

    status_url: str = Field(description="URL of the operation.", json_schema_extra={"format": "uri"})
    related: dict[str, str] | None = Field(description="Ids of the resources that the operation is about.")


OPERATION_HEADERS: dict[str, Any] = {
    "Operation-Id": {"description": "Id of the operation.", "schema": {"type": "string"}},
    "Retry-After": {"description": "Seconds to wait before asking again.", "schema": {"type": "integer"}},
}
ACCEPTED_HEADERS: dict[str, Any] = {
    **OPERATION_HEADERS,
    "Location": {"description": "URL of the operation.", "schema": {"type": "string", "format": "uri"}},
}
ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {"model": Accepted, "description": "Accepted; the operation tells the outcome.", "headers": ACCEPTED_HEADERS}
}
"""The 202 of the Conversations API, for FastAPI's `responses`."""


def accepted(
    operation: Operation, origin: str, *, path: str = CONVERSATIONS_PATH, message: str | None = None
) -> Response:
    """The answer to a request whose operation is recorded.

    `origin` without a trailing slash; `path` is that of the API's operations, with one. The Memory API answers with
    `message` and no `related` (contract: WIRE.md).
    """
    status_url = f"{origin}{path}{operation.id}"
    body: dict[str, Any] = {"statusUrl": status_url}
    if message is None:
        body["related"] = operation.related
    else:
        body["message"] = message
    return Json(body, status_code=202, headers={**operation_headers(operation), "Location": status_url})


def operation_headers(operation: Operation) -> dict[str, str]:
    """The headers that tell of an operation, on the 202 and on the operation itself."""
    return {"Operation-Id": operation.id, "Retry-After": str(RETRY_AFTER_SECONDS)}
