"""Kinds of fields that requests of all resources share, and the refusal of a field outside the request's schema."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from orchestrator.kernel.errors import BadRequest


def _storable(text: str) -> str:
    """Raise ValueError for what JSON can write and Postgres cannot keep."""
    if "\x00" in text:
        raise ValueError("text must not hold the character U+0000")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("text must not hold half of a surrogate pair") from error
    return text


Text = Annotated[str, AfterValidator(_storable)]
"""Text that can be stored."""


_FIRST_YEAR, _LAST_YEAR = 1000, 9998
"""Years that every client writes with four digits, in every time zone."""
_EARLIEST, _TOO_LATE = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(_LAST_YEAR + 1, 1, 1, tzinfo=UTC)
_YEAR = re.compile(r"[0-9]{4}-")


def _text_only(value: Any) -> Any:
    """Raise ValueError for numbers, also in text: they would be taken for seconds since 1970."""
    if not isinstance(value, str) or not _YEAR.match(value):
        raise ValueError("a time is written as ISO 8601 text, such as 2026-02-03T09:15:04Z")
    return value


def _in_utc(moment: datetime) -> datetime:
    # Compared first: not every moment of the years 1 and 9999 can be written in UTC.
    if not _EARLIEST <= moment < _TOO_LATE:
        raise ValueError(f"the year must be from {_FIRST_YEAR} to {_LAST_YEAR}")
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, BeforeValidator(_text_only), AfterValidator(_in_utc)]
"""A moment with its time zone, in UTC."""


def refused(pointer: str, message: str, value: Any = None) -> BadRequest:
    """The refusal of one field, in the form that schema errors have: `pointer` is a JSON pointer into the body."""
    return BadRequest(
        f"{pointer}: {message}",
        params={"field": pointer, "value": value},
        details={"errors": [{"pointer": pointer, "message": message}]},
    )
