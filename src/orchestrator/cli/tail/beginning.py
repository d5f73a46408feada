"""Where to begin in the event log: now, some events back, or at a time."""

from datetime import datetime, timedelta
from typing import Any

from orchestrator.cli.api import Api, Refused
from orchestrator.cli.tail.choosing import Choice
from orchestrator.cli.tail.stream import EVENTS, Wish

_PAGE = 1000
_SLACK = timedelta(minutes=1)
"""Positions are in commit order; a transaction that took long has an older time than its neighbours."""


async def latest(api: Api) -> int:
    """The position of the account's last event; 0 before the first. Raises CommandFailed."""
    return int((await _page(api, None, size=1))["latest"])


async def before_last(api: Api, wish: Wish, choice: Choice, count: int) -> int:
    """The position after which there are `count` such events, or as many as are kept. Raises CommandFailed."""
    end = await latest(api)
    span = max(count, _PAGE)
    while True:
        after = max(end - span, 0)
        found = await _positions(api, wish, choice, after, end)
        if len(found) >= count or after == 0:
            return found[max(len(found) - count, 0)] - 1 if found else end
        span *= 4


async def before_time(api: Api, since: datetime) -> int:
    """A position that all events since then come after, and few others. Raises CommandFailed."""
    low, high = 0, await latest(api)
    while low < high:
        middle = (low + high) // 2
        first = (await _page(api, middle or None, size=1))["events"]
        if first and datetime.fromisoformat(first[0]["timestamp"]) < since - _SLACK:
            low = max(middle + 1, first[0]["position"])
        else:
            high = middle
    return low


async def _positions(api: Api, wish: Wish, choice: Choice, after: int, end: int) -> list[int]:
    """Of the events that are wanted, after one position up to another."""
    found: list[int] = []
    while after < end:
        page = await _page(api, after or None, size=_PAGE, **wish.query)
        found += [one["position"] for one in page["events"] if one["position"] <= end and await choice.includes(one)]
        after = page["after"]
    return found


async def _page(api: Api, after: int | None, *, size: int, **query: str) -> Any:
    """From the oldest event that is kept, if those after that position no longer are."""
    start = {} if after is None else {"after": str(after)}
    try:
        return await api.get(EVENTS, pageSize=str(size), **start, **query)
    except Refused as error:
        if error.status != 410:
            raise
        return await api.get(EVENTS, pageSize=str(size), after=str(error.body["details"]["after"]), **query)
