"""Versions in the Memory API: the ETag that names one, and `If-Match` (contract: memory.md 1.6)."""

import base64

import orjson

from orchestrator.kernel.conditions import IfMatch
from orchestrator.kernel.errors import PreconditionFailed
from orchestrator.memory.errors import VersionConflict


def version_tag(resource: str, version: int) -> str:
    """The entity tag of a version of a resource, which is named by its id or its name."""
    return f'"{base64.b64encode(orjson.dumps({"id": resource, "version": version})).decode()}"'


def require_version(if_match: IfMatch, tag: str) -> None:
    """Raise VersionConflict unless the request's condition names this tag; as `IfMatch.require`, with our code."""
    try:
        if_match.require(tag)
    except PreconditionFailed as error:
        raise VersionConflict(error.message, params=error.params) from error
