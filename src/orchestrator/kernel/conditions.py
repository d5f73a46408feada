"""Conditional requests: the ETag that names a version, and the If-Match that allows a change only to that version.

RFC 9110, sections 8.8.3 and 13.1.1, read generously: a tag may come without its quotation marks, and a weak one counts,
because proxies weaken tags on the way.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header
from pydantic.json_schema import SkipJsonSchema

from orchestrator.kernel.errors import PreconditionFailed

ETAG_HEADERS: dict[str, Any] = {
    "ETag": {"description": "Names this version, for `If-Match`.", "schema": {"type": "string"}}
}
"""For FastAPI's `responses`."""

_TAG = re.compile(r'(?:W/)?"([^"]*)"|([^"\s]+)')
_SHOWN = 200


def etag(version: int) -> str:
    """The entity tag of a numbered version."""
    return f'"{version}"'


@dataclass(frozen=True, slots=True)
class IfMatch:
    """What a request wants the resource to be before it changes it."""

    header: str | None = None
    """As sent: `*`, or tags with commas between them. None: there is no condition."""

    def require(self, current: str) -> None:
        """Raise PreconditionFailed unless the header names this entity tag (given with its quotation marks).

        What cannot be read names nothing. To be called under the lock under which the resource is then changed:
        otherwise two requests with the same condition might both find it fulfilled.
        """
        if self.header is None or self.header.strip() == "*" or _text(current) in self._texts():
            return
        raise PreconditionFailed(
            f"If-Match does not name the current version, which is {current}: the resource has changed since it was "
            "read; fetch it again",
            params={"field": "If-Match", "value": self.header[:_SHOWN]},
        )

    def _texts(self) -> set[str | None]:
        """The texts of the tags. No tag of ours holds a comma."""
        return {_text(tag) for tag in (self.header or "").split(",")} - {None}


ALWAYS = IfMatch()


async def if_match(
    header: Annotated[
        str | SkipJsonSchema[None],
        Header(
            alias="If-Match",
            description="Only if the resource still is this version: its `ETag`, several of them, or `*`; else 412.",
            examples=['"3"'],
        ),
    ] = None,
) -> IfMatch:
    """The request's condition."""
    return IfMatch(header)


OnlyIfMatch = Annotated[IfMatch, Depends(if_match)]


def _text(tag: str) -> str | None:
    """What is between the quotation marks."""
    found = _TAG.fullmatch(tag.strip())
    return (found[1] if found[2] is None else found[2]) if found else None
