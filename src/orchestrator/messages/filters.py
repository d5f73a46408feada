"""Filters of the list of messages. A page token brings its own, and is whatever the client sends: all are checked.

Source: the list of Messages as the official SDK documents it (`twilio/rest/api/v2010/account/message`).
"""

import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement

from orchestrator.domain.addresses import InvalidAddress
from orchestrator.kernel.errors import BadRequest
from orchestrator.kernel.paging import PageRequest
from orchestrator.messages.model import read_address
from orchestrator.tables.message import messages

ON, UNTIL, SINCE = "DateSent", "DateSent<", "DateSent>"
"""On that day; then or before; then or after. Clients write `DateSent<=…`: the sign is the end of the name."""
NAMES = ("To", "From", ON, UNTIL, SINCE)

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ALL_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)
_SHOWN = 200


def conditions(request: PageRequest) -> list[ColumnElement[bool]]:
    """What the messages of a list have in common. Raises BadRequest."""
    found = list[ColumnElement[bool]]()
    for name, column in (("To", messages.c.recipient), ("From", messages.c.sender)):
        if (text := request.text(name)) is not None:
            found.append(column == _as_stored(text))
    for name in (ON, UNTIL, SINCE):
        if (text := request.text(name)) is not None:
            found += _sent(name, text)
    return found


def _as_stored(text: str) -> str:
    """What cannot be an address is nobody's."""
    try:
        return read_address(text).address
    except InvalidAddress:
        return text


def _sent(name: str, text: str) -> list[ColumnElement[bool]]:
    moment, is_day = _moment(name, text), bool(_DAY.fullmatch(text))
    if name == ON or is_day:
        start = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        end = start + _ALL_DAY
    else:  # messages tell whole seconds
        start, end = moment, moment + _SECOND
    since, until = messages.c.sent_at >= start, messages.c.sent_at < end
    return {ON: [since, until], UNTIL: [until], SINCE: [since]}[name]


def _moment(name: str, text: str) -> datetime:
    """A day begins at midnight, and a time without its zone is one, of GMT."""
    try:
        moment = datetime.fromisoformat(text) if _DAY.match(text) else None
    except ValueError:
        moment = None
    if moment is None or not 1000 <= moment.year <= 9998:
        raise BadRequest(
            f"{name} must be a day of GMT such as 2026-02-03, or a time such as 2026-02-03T09:15:04Z",
            params={"field": name, "value": text[:_SHOWN]},
        )
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
