"""What the published OpenAPI file says of every route: its errors, and the query of a list."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from orchestrator.kernel.paging import DEFAULT_SIZE, MAX_SIZE


class Wire(BaseModel):
    """A JSON object of the API: camelCase names, unknown fields ignored (contract: conversations.md 1.3)."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore")


class Error(BaseModel):
    """Twilio's error body."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "code": 20404,
                "message": "there is no configuration conv_configuration_01kgh3k1w8fmkrxj2c5a9d7e6b",
                "more_info": "https://www.twilio.com/docs/errors/20404",
                "status": 404,
                "httpStatusCode": 404,
                "userError": True,
            }
        }
    )

    code: int
    message: str = Field(description="What was wrong; a wrong field is named by its JSON pointer.")
    more_info: str
    status: int = Field(description="The HTTP status.")
    httpStatusCode: int  # noqa: N815 - the wire name
    userError: bool = Field(description="Whether the request caused the error.")  # noqa: N815 - the wire name
    params: dict[str, Any] | None = Field(None, description="The wrong field and its value.")
    details: dict[str, Any] | None = Field(None, description="All wrong fields, or the conflicting resource.")


class Meta(Wire):
    """Where a page lies in its list."""

    key: str = Field(description="The name of the field that holds the items.")
    page_size: int = Field(description="Number of items on this page.")
    previous_token: str | None = Field(None, description="`pageToken` of the page before; absent on the first.")
    next_token: str | None = Field(None, description="`pageToken` of the page after; absent on the last.")


_ERRORS = {
    400: "The request is malformed, or asks for what the rules do not allow.",
    401: "No credentials, or wrong ones.",
    403: "Only a service in dev mode does this.",
    404: "Nothing of that id in the account.",
    409: "The request collides with what is there.",
    412: "The resource has changed since it was read.",
    413: "The request body is too large.",
    410: "What was asked for is past its keeping.",
    415: "A body that is not JSON.",
}
_CONFLICT_HEADERS = {
    "X-Conflicting-Resource-Id": {
        "description": "Id of the resource that is in the way.",
        "schema": {"type": "string"},
    }
}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error responses of a route, for FastAPI's `responses`; 401 and server-side failures are always among them."""
    with_body = {413} if 415 in statuses else set()
    declared: dict[int | str, dict[str, Any]] = {
        status: {"model": Error, "description": _ERRORS[status]} for status in sorted({401, *statuses} | with_body)
    }
    if 409 in declared:
        declared[409]["headers"] = _CONFLICT_HEADERS
    # Also keeps FastAPI from declaring its own 422, which this service never sends.
    declared["default"] = {
        "model": Error,
        "description": "Any other refusal (405, 429), or a failure of the service (500, 503).",
    }
    return declared


def query_parameter(name: str, description: str, **schema: Any) -> dict[str, Any]:
    """An optional query parameter. Lists read theirs in any case, so FastAPI does not see them."""
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def query_choice(name: str, description: str, known: Iterable[str]) -> dict[str, Any]:
    """A query parameter that takes some of the known values, repeated or comma-separated."""
    return query_parameter(name, description, type="array", items={"type": "string", "enum": list(known)})


def list_query(*filters: dict[str, Any]) -> dict[str, Any]:
    """The query of a list, for FastAPI's `openapi_extra`: page size, page token and the given filters."""
    size = query_parameter(
        "pageSize", "Most items per page.", type="integer", minimum=1, maximum=MAX_SIZE, default=DEFAULT_SIZE
    )
    token = query_parameter(
        "pageToken",
        "`meta.nextToken` or `meta.previousToken` of another page; brings size and filters.",
        type="string",
    )
    return {"parameters": [size, token, *filters]}
