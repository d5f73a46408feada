"""What observations and summaries have in common: fields, and the pages and filters of their lists (memory.md 5)."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from orchestrator.kernel.errors import BadRequest
from orchestrator.kernel.fields import Moment, Text
from orchestrator.kernel.ids import CONVERSATION
from orchestrator.kernel.openapi import query_parameter
from orchestrator.kernel.paging import ListQuery, PageRequest
from orchestrator.memory.wire import list_parameters, ordered_page

MOST_AT_ONCE = 10
"""Observations, or summaries, of one request."""
MOST_ON_A_PAGE = 50
"""A client may ask for more, as the Python SDK does for a long list, and gets this many."""

CONVERSATION_PATTERN = r"^conv_conversation_[0-7][0-9a-z]{25}$"


def _as_conversation(text: str) -> str:
    """The id under its present name: `comms_conversation_…` of older examples is the same conversation."""
    return f"{CONVERSATION}_{text[-26:]}"


Content = Annotated[Text, Field(min_length=1, max_length=4096)]
Source = Annotated[Text, Field(min_length=1, max_length=100, pattern=r"^[a-zA-Z0-9 _./-]+$")]
ConversationId = Annotated[
    str, Field(pattern=r"^[a-z]+_conversation_[0-7][0-9a-z]{25}$"), AfterValidator(_as_conversation)
]

_MOMENT: tuple[TypeAdapter[Any], str] = (TypeAdapter(Moment), "a time such as 2026-02-03T09:15:04Z")
_TIME = {"type": "string", "format": "date-time"}
_KINDS: dict[str, tuple[TypeAdapter[Any], str]] = {
    "source": (TypeAdapter(Source), "1 to 100 letters, digits, blanks and any of _ . / -"),
    "conversationId": (TypeAdapter(ConversationId), "the id of a conversation"),
    "createdAfter": _MOMENT,
    "createdBefore": _MOMENT,
}

_CONVERSATION = query_parameter("conversationId", "Only those of this conversation.", type="string")
FILTERS_OF_SUMMARIES = {"conversationId": _CONVERSATION}
FILTERS_OF_OBSERVATIONS = {
    "source": query_parameter("source", "Only those of this source.", type="string"),
    "createdAfter": query_parameter("createdAfter", "Only those created then or later.", **_TIME),
    "createdBefore": query_parameter("createdBefore", "Only those created before.", **_TIME),
    "conversationId": _CONVERSATION,
}
"""By name, as the OpenAPI file has them."""


def list_of_memories(*filters: dict[str, Any]) -> dict[str, Any]:
    """The query of a list, for FastAPI's `openapi_extra`."""
    return {"parameters": [*list_parameters()["parameters"], *filters]}


def page_of_memories(query: ListQuery, *filters: str) -> tuple[PageRequest, bool]:
    """The page asked for with its filters, and whether the list is newest first. Raises BadRequest."""
    given: dict[str, Any] = {name: value for name in filters if (value := query.one(name))}
    page, descending = ordered_page(query, **given)
    for name in filters:
        _read(page, name)
    return replace(page, size=min(page.size, MOST_ON_A_PAGE)), descending


def text_filter(page: PageRequest, name: str) -> str | None:
    """A filter of a page from `page_of_memories`."""
    found: str | None = _read(page, name)
    return found


def time_filter(page: PageRequest, name: str) -> datetime | None:
    """The same for a time."""
    found: datetime | None = _read(page, name)
    return found


def _read(page: PageRequest, name: str) -> Any:
    """The value; a page token brings its own, and is whatever the client sends, so all are checked alike."""
    value = page.filters.get(name)
    if value is None:
        return None
    kind, expected = _KINDS[name]
    try:
        return kind.validate_python(value)
    except ValidationError as error:
        raise BadRequest(
            f"{name}: {expected} is expected", params={"field": name, "value": str(value)[:200]}
        ) from error
