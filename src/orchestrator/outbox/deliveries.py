"""Deliveries to look at: which there are, what was tried, and the event that each tells of."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, select

from orchestrator.domain.events import EventType
from orchestrator.kernel.errors import BadRequest, NotFound
from orchestrator.kernel.ids import DELIVERY, is_id
from orchestrator.kernel.paging import Page, PageRequest, fetch_page
from orchestrator.kernel.unit import Unit
from orchestrator.tables.outbox import deliveries, delivery_attempts, events

STATES = ("PENDING", "DELIVERED", "DEAD")
_EVENT = and_(
    events.c.account_id == deliveries.c.account_id,
    events.c.conversation_id == deliveries.c.conversation_id,
    events.c.sequence == deliveries.c.sequence,
)


async def list_page(unit: Unit, account_id: str, page: PageRequest) -> Page[Row[Any]]:
    """A page of the account's deliveries, newest first, each with the type of its event if that is still kept.

    Filters: `status` and `eventType` (any of), `conversationId`, `url`, `createdAfter` and `createdBefore` (ISO 8601;
    the first is part of the span). Raises BadRequest.
    """
    statement = _of(account_id, events.c.type.label("event_type"))
    for condition in _conditions(page.filters):
        statement = statement.where(condition)
    return await fetch_page(unit, statement, page, order=[deliveries.c.id], descending=True)


def _of(account_id: str, *of_event: ColumnElement[Any]) -> Select[Any]:
    joined = deliveries.outerjoin(events, _EVENT)
    return select(deliveries, *of_event).select_from(joined).where(deliveries.c.account_id == account_id)


def _conditions(filters: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    """A page token brings its own filters, and is whatever the client sends, so all are checked alike."""
    table, found = deliveries.c, list[ColumnElement[bool]]()
    for name, column, known in (("status", table.status, STATES), ("eventType", events.c.type, list(EventType))):
        if values := filters.get(name):
            found.append(column.in_(_known(name, values, known)))
    for name, column in (("conversationId", table.conversation_id), ("url", table.url)):
        if value := filters.get(name):
            found.append(column == _text(name, value))
    if (after := filters.get("createdAfter")) is not None:
        found.append(table.created_at >= _moment("createdAfter", after))
    if (before := filters.get("createdBefore")) is not None:
        found.append(table.created_at < _moment("createdBefore", before))
    return found


def _known(name: str, given: Any, known: Sequence[str]) -> list[str]:
    """The values. Raises BadRequest for one that there is not: an empty list would look as if all were well."""
    values: list[str] = given if isinstance(given, list) else [given]
    if unknown := [one for one in values if one not in known]:
        told = str(unknown[0])[:200]
        raise BadRequest(f"{name}: {told!r} is none of {', '.join(known)}", params={"field": name, "value": told})
    return values


def _text(name: str, value: Any) -> str:
    if isinstance(value, str) and "\x00" not in value:
        return value
    raise BadRequest(f"{name} must be text", params={"field": name})


def _moment(name: str, value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise _no_moment(name, value) from error
    if moment.tzinfo is None or not 1 < moment.year < 9999:
        raise _no_moment(name, value)
    return moment


def _no_moment(name: str, value: Any) -> BadRequest:
    return BadRequest(
        f"{name} must be a time with its zone, such as 2026-02-03T09:15:04Z",
        params={"field": name, "value": str(value)[:200]},
    )


def checked(delivery_id: str) -> str:
    """The id. Raises NotFound for what is none, and perhaps not even comparable."""
    if not is_id(delivery_id, DELIVERY):
        raise NotFound(f"there is no delivery {delivery_id}")
    return delivery_id


async def find(unit: Unit, account_id: str, delivery_id: str) -> Row[Any]:
    """A delivery, with the type, position and body of its event; null where that is past its keeping.

    Raises NotFound.
    """
    columns = (events.c.type.label("event_type"), events.c.position, events.c.body)
    known = deliveries.c.id == checked(delivery_id)
    found = await unit.connection.execute(_of(account_id, *columns).where(known))
    row: Row[Any] | None = found.one_or_none()
    if row is None:
        raise NotFound(f"there is no delivery {delivery_id}")
    return row


async def attempts(unit: Unit, delivery: Row[Any]) -> list[Row[Any]]:
    """What was tried, as far as it is kept, oldest first."""
    table = delivery_attempts.c
    statement = select(delivery_attempts).where(
        table.account_id == delivery.account_id,
        table.conversation_id == delivery.conversation_id,
        table.delivery_id == delivery.id,
    )
    return list((await unit.connection.execute(statement.order_by(table.number))).all())
