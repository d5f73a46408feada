"""Looking through the newest rows of an account: no index has every word, so it is bounded in rows and in time.

Rows are read from the newest on, some thousands at once, until enough is found, too many were looked at or the time is
over. Ids begin with the time, so that the primary key has the order.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import asyncpg

from orchestrator.kernel.unit import Unit
from orchestrator.search.terms import Terms

MOST_LOOKED_AT = 100_000
"""Rows of one kind."""
_AT_ONCE = 5_000

Kind = Literal["conversations", "communications", "uncaptured"]

_CONDITIONS: dict[Kind, str] = {
    "communications": "t.content ->> 'text' ilike sought.pattern",
    "conversations": """
        exists (select from participant_addresses a where a.account_id = t.account_id and a.conversation_id = t.id
                  and a.canonical = any (sought.addresses))
        or exists (select from participants p where p.account_id = t.account_id and p.conversation_id = t.id
                     and (p.id = any (sought.addresses) or p.name ilike sought.pattern))
        or t.name ilike sought.pattern
    """,
    # Their ends are kept as they came, under the names of the form or under ours.
    "uncaptured": """
        exists (select from unnest(array[t.trace ->> 'from', t.trace ->> 'to', t.trace ->> 'From', t.trace ->> 'To'])
                  as ends (address)
                where address ilike sought.pattern
                  or regexp_replace(address, '[^0-9]', '', 'g') = any (sought.digits))
    """,
}
"""What makes a row one that is looked for."""


@dataclass(slots=True)
class Budget:
    """How long a search may go on."""

    until: float
    """By the clock of the event loop."""
    is_spent: bool = False
    """Whether something was left unread for it."""

    @classmethod
    def of(cls, seconds: float) -> "Budget":
        return cls(asyncio.get_running_loop().time() + seconds)

    @property
    def milliseconds(self) -> int:
        return int((self.until - asyncio.get_running_loop().time()) * 1_000)


async def newest_ids(unit: Unit, account_id: str, kind: Kind, terms: Terms, *, limit: int, budget: Budget) -> list[str]:
    """The ids of the newest rows that fit, at most `limit`. What could not be looked at is told by the budget."""
    found: list[str] = []
    before: str | None = None
    for _ in range(MOST_LOOKED_AT // _AT_ONCE):
        looked = await _slice(unit, account_id, kind, terms, before, budget)
        if looked is None:
            break
        before, ids = looked
        found += ids
        if before is None or len(found) >= limit:
            return found[:limit]
    budget.is_spent = True
    return found[:limit]


async def _slice(
    unit: Unit, account_id: str, kind: Kind, terms: Terms, before: str | None, budget: Budget
) -> tuple[str | None, list[str]] | None:
    """Where some thousands of rows end (None: there are no more), and the ids that fit; None when time is over."""
    if (left := budget.milliseconds) <= 0:
        return None
    try:
        async with unit.trying():
            await unit.driver.execute("select set_config('statement_timeout', $1, true)", str(left))
            edges = await unit.driver.fetch(
                f"select id from {kind} where account_id = $1 and ($2::text is null or id < $2)"  # noqa: S608 - a name
                f" order by id desc limit {_AT_ONCE}",
                account_id,
                before,
            )
            if not edges:
                return None, []
            last = edges[-1]["id"]
            rows = await unit.driver.fetch(
                f"""
                select t.id from {kind} t,
                  (select $4::text[] as addresses, $5::text as pattern, $6::text[] as digits) as sought
                where t.account_id = $1 and ($2::text is null or t.id < $2) and t.id >= $3 and ({_CONDITIONS[kind]})
                order by t.id desc
                """,  # noqa: S608 - constants
                account_id,
                before,
                last,
                list(terms.addresses),
                terms.pattern,
                list(terms.digits),
            )
    except asyncpg.QueryCanceledError:
        return None
    finally:
        await unit.driver.execute("select set_config('statement_timeout', '0', true)")
    return (last if len(edges) == _AT_ONCE else None), [row["id"] for row in rows]


async def uncaptured_of(unit: Unit, account_id: str, ids: Sequence[str]) -> list[Any]:
    """Those rows, in the order of the ids."""
    rows = await unit.driver.fetch(
        "select * from uncaptured where account_id = $1 and id = any ($2::text[])", account_id, list(ids)
    )
    by_id = {row["id"]: row for row in rows}
    return [by_id[one] for one in ids if one in by_id]
