"""Dry runs of writes to a configuration: the write itself, of which nothing is kept, and what it would have changed."""

from collections.abc import Awaitable, Callable
from typing import Any, Literal

from fastapi import Response
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from orchestrator.configurations import history, service
from orchestrator.configurations.differences import between
from orchestrator.configurations.model import Configuration
from orchestrator.domain.differences import Change, Kind, deletions
from orchestrator.kernel.conditions import ETAG_HEADERS, etag
from orchestrator.kernel.http import Json
from orchestrator.kernel.openapi import Wire
from orchestrator.operations.idempotency import Acceptance
from orchestrator.operations.service import Operation

CHANGE_EXAMPLE: JsonDict = {
    "path": "/channelSettings/SMS/statusTimeouts/closed",
    "before": 60,
    "after": 120,
    "change": "changed",
}


class FieldChange(Wire):
    """A field that is not as it was. Lists are one value."""

    model_config = ConfigDict(json_schema_extra={"example": CHANGE_EXAMPLE})

    path: str = Field(description="JSON pointer of the field.")
    before: Any = Field(description="Null if it was not there.")
    after: Any = Field(description="Null if it is gone.")
    change: Literal[Kind.ADDED, Kind.CHANGED, Kind.DELETED]


class ConfigurationDryRun(Wire):
    """What a write would change. Nothing was."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"dryRun": True, "changes": [CHANGE_EXAMPLE], "deleted": [], "openConversations": 3}
        }
    )

    dry_run: Literal[True]
    changes: list[FieldChange] = Field(description="Field by field; what is empty or off counts as not there.")
    deleted: list[str] = Field(description="JSON pointers of the fields that would be gone.")
    open_conversations: int = Field(
        description="Conversations that are ACTIVE or INACTIVE, and would keep their present version."
    )


REHEARSED: dict[int | str, dict[str, Any]] = {
    200: {
        "model": ConfigurationDryRun,
        "description": "What a dry run would have changed.",
        "headers": ETAG_HEADERS,
    }
}
"""For FastAPI's `responses`."""


async def outcome(
    answer: Acceptance, configuration: Configuration, write: Callable[[], Awaitable[Operation]], *, dry_run: bool
) -> Response:
    """The 202 of a write; of a dry run, what would have been written."""
    if not dry_run:
        return await answer.of(await write())
    before, after = await service.rehearse(answer.unit, configuration, write)
    found = between(before.body, after.body)
    body = {
        "dryRun": True,
        "changes": [change_to_wire(change) for change in found],
        "deleted": deletions(found),
        "openConversations": sum((await history.open_by_version(answer.unit, before)).values()),
    }
    return Json(body, headers={"ETag": etag(before.version)})


def change_to_wire(change: Change) -> dict[str, Any]:
    """The JSON form."""
    return {"path": change.path, "before": change.before, "after": change.after, "change": change.kind.value}
