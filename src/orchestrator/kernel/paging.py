"""Pages of a list: keyset paging with opaque tokens that carry the filters and the size they were made with."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import orjson
from sqlalchemy import ColumnElement, Row, Select, literal, tuple_
from starlette.datastructures import QueryParams

from orchestrator.kernel.errors import BadRequest
from orchestrator.kernel.unit import Unit

DEFAULT_SIZE = 50
MAX_SIZE = 1000
_SIZE = re.compile(r"[0-9]{1,9}")  # more digits are no size, and may be more than int() reads
_SHOWN = 200

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page of a list is asked for."""

    size: int = DEFAULT_SIZE
    after: tuple[Any, ...] | None = None
    """Sort key of the item before the page, in list order."""
    before: tuple[Any, ...] | None = None
    """Sort key of the item after the page: read backwards from there."""
    filters: Mapping[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """A filter that is text, if it is given; a page token brings whatever the client sends. Raises BadRequest."""
        value = self.filters.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or "\x00" in value:
            raise BadRequest(f"{name} must be text without the character U+0000", params={"field": name})
        return value


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page, in list order."""

    items: Sequence[Item]
    next_token: str | None
    previous_token: str | None

    def envelope(self, key: str, items: Sequence[Any]) -> dict[str, Any]:
        """The JSON body: the items under the resource's name, and `meta` naming it."""
        meta: dict[str, Any] = {"key": key, "pageSize": len(items)}
        if self.previous_token is not None:
            meta["previousToken"] = self.previous_token
        if self.next_token is not None:
            meta["nextToken"] = self.next_token
        return {key: items, "meta": meta}


class ListQuery:
    """The query of a list request. Names match in any case; unknown names are ignored (contract: WIRE.md)."""

    def __init__(self, params: QueryParams) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in params.multi_items():
            self._values.setdefault(name.lower(), []).append(value)

    def one(self, name: str) -> str | None:
        """The value of a parameter, the last one when it is repeated."""
        values = self._values.get(name.lower())
        return values[-1] if values else None

    def several(self, name: str) -> list[str]:
        """The values of a parameter that may be repeated or comma-separated."""
        return [part for value in self._values.get(name.lower(), []) for part in value.split(",") if part]

    def flag(self, name: str, *, default: bool = False) -> bool:
        """The value of a parameter that is `true` or `false`. Raises BadRequest."""
        value = self.one(name)
        if value is None:
            return default
        if value.lower() not in {"true", "false"}:
            raise BadRequest(f"{name} must be true or false", params={"field": name, "value": value[:_SHOWN]})
        return value.lower() == "true"

    def page(self, *, max_size: int = MAX_SIZE, **filters: Any) -> PageRequest:
        """The page asked for. A token brings its own size and filters; the other parameters are then ignored."""
        if token := self.one("pageToken"):
            return _read_token(token)
        size = self.one("pageSize")
        if size is None:
            return PageRequest(filters=filters)
        if not _SIZE.fullmatch(size) or not 1 <= int(size) <= max_size:
            raise BadRequest(
                f"pageSize must be a whole number from 1 to {max_size}",
                params={"field": "pageSize", "value": size[:_SHOWN]},
            )
        return PageRequest(size=int(size), filters=filters)


async def fetch_page(
    unit: Unit, statement: Select[Any], page: PageRequest, *, order: Sequence[ColumnElement[Any]], descending: bool
) -> Page[Row[Any]]:
    """Run a list statement for one page. `order` must be unique and not null within the list."""
    backwards = page.before is not None
    edge = page.before if backwards else page.after
    if edge is not None:
        if len(edge) != len(order) or not all(map(_fits, edge, order)):
            raise _bad_token()
        bound = tuple_(*(literal(value, column.type) for value, column in zip(edge, order, strict=True)))
        statement = statement.where(tuple_(*order) < bound if descending != backwards else tuple_(*order) > bound)
    sorting = [column.desc() if descending != backwards else column.asc() for column in order]
    rows = (await unit.connection.execute(statement.order_by(*sorting).limit(page.size + 1))).all()
    more, rows = len(rows) > page.size, rows[: page.size]
    if backwards:
        rows = rows[::-1]
    names = [str(column.key) for column in order]
    before, after = (more, True) if backwards else (edge is not None, more)
    return Page(
        items=rows,
        next_token=_token("a", rows[-1], names, page) if rows and after else None,
        previous_token=_token("b", rows[0], names, page) if rows and before else None,
    )


def _fits(value: Any, column: ColumnElement[Any]) -> bool:
    """Whether a value from a token can be compared with the column; a token is whatever the client sends."""
    return isinstance(value, column.type.python_type) and "\x00" not in str(value)


def _token(side: str, row: Row[Any], names: Sequence[str], page: PageRequest) -> str:
    key = [_written(row._mapping[name]) for name in names]  # noqa: SLF001 - SQLAlchemy's public name
    text = orjson.dumps({side: key, "s": page.size, "f": dict(page.filters)})
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def _read_token(token: str) -> PageRequest:
    try:
        body = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        after, before = body.get("a"), body.get("b")
        size, filters = int(body["s"]), dict(body["f"])
        edge = tuple(_read(value) for value in (after or before))
    except (binascii.Error, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise _bad_token() from error
    if not 1 <= size <= MAX_SIZE:
        raise _bad_token()
    return PageRequest(size, edge if after else None, edge if before else None, filters)


def _bad_token() -> BadRequest:
    return BadRequest("pageToken is not one that this list has handed out", params={"field": "pageToken"})


def _written(value: Any) -> Any:
    return {"t": value.isoformat()} if isinstance(value, datetime) else value


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        return datetime.fromisoformat(value["t"]).astimezone(UTC)
    if not isinstance(value, str):
        raise ValueError(value)
    return value
