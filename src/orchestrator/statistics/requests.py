"""The span that a request asks for."""

from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from orchestrator.kernel.errors import BadRequest
from orchestrator.kernel.fields import Moment
from orchestrator.kernel.paging import ListQuery
from orchestrator.statistics.span import By, Span, TooLong

_SHOWN = 200
_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)


def to_span(query: ListQuery, now: datetime) -> Span:
    """From the query of a request. Raises BadRequest."""
    try:
        return Span.of(_by(query), _moment(query, "from"), _moment(query, "to") or now)
    except TooLong as error:
        raise BadRequest(f"from: {error}", params={"field": "from"}) from error


def _by(query: ListQuery) -> By:
    by = query.one("by") or By.MINUTE
    if by not in set(By):
        raise BadRequest(f"by must be one of {', '.join(By)}", params={"field": "by", "value": by[:_SHOWN]})
    return By(by)


def _moment(query: ListQuery, name: str) -> datetime | None:
    text = query.one(name)
    if text is None:
        return None
    try:
        return _MOMENT.validate_python(text)
    except ValidationError as error:
        raise BadRequest(
            f"{name} must be a time such as 2026-02-03T09:15:04Z",
            params={"field": name, "value": text[:_SHOWN].replace("\x00", "\ufffd")},
        ) from error
