"""Kinds of fields that requests of all resources share, and the refusal of a field outside the request's schema."""

from typing import Annotated, Any

from pydantic import AfterValidator

from orchestrator.kernel.errors import BadRequest


def _storable(text: str) -> str:
    """Raise ValueError for what JSON can write and Postgres cannot keep."""
    if "\x00" in text:
        raise ValueError("text must not hold the character U+0000")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("text must not hold half of a surrogate pair")
    return text


Text = Annotated[str, AfterValidator(_storable)]
"""Text that can be stored."""


def refused(pointer: str, message: str, value: Any = None) -> BadRequest:
    """The refusal of one field, in the form that schema errors have: `pointer` is a JSON pointer into the body."""
    return BadRequest(
        f"{pointer}: {message}",
        params={"field": pointer, "value": value},
        details={"errors": [{"pointer": pointer, "message": message}]},
    )
