"""Statements that count. Each has a limit in rows and in time: nobody waits for statistics while traffic does."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from orchestrator.kernel.errors import Unavailable
from orchestrator.kernel.unit import Unit
from orchestrator.statistics.span import Span

MOST_COUNTED = 200_000
"""Communications; those of an account have no index by time, so the newest ones are looked through."""
_SECONDS = 2
_AFTER = 10


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows by the number of their piece."""

    said: Sequence[asyncpg.Record] = field(default_factory=list)
    """`piece, outcome, channel, count`."""
    uncaptured: Sequence[asyncpg.Record] = field(default_factory=list)
    """`piece, count`."""
    settled: Sequence[asyncpg.Record] = field(default_factory=list)
    """`piece, delivered, dead, latencies` (medians and 95th percentiles in milliseconds)."""
    failed: Sequence[asyncpg.Record] = field(default_factory=list)
    """`piece, count` of attempts."""
    is_complete: bool = True


async def count(unit: Unit, account_id: str, span: Span) -> Counts:
    """What happened in a span. Raises Unavailable when it takes too long."""
    given = (account_id, span.begin, span.end, span.by.width.total_seconds())
    await unit.driver.execute("select set_config('statement_timeout', $1, true)", f"{_SECONDS}s")
    try:
        edge = await unit.driver.fetchrow(_EDGE, account_id, MOST_COUNTED)
        return Counts(
            await unit.driver.fetch(_SAID, *given, edge and edge["id"]),
            await unit.driver.fetch(_UNCAPTURED, *given),
            await unit.driver.fetch(_SETTLED, *given),
            await unit.driver.fetch(_FAILED, *given),
            edge is None or edge["created_at"] < span.begin,
        )
    except asyncpg.QueryCanceledError as error:
        raise Unavailable(
            f"counting took more than {_SECONDS} seconds: ask for a shorter span", headers={"Retry-After": str(_AFTER)}
        ) from error


def number_of(row: Any) -> int:
    """Of its piece."""
    return int(row["piece"])


_EDGE = """
    select id, created_at from communications
    where account_id = $1
      and id = (select id from communications where account_id = $1 order by id desc offset $2 limit 1)
"""
"""The newest communication that is not looked at any more, if there are so many."""

_SAID = """
    select floor(extract(epoch from created_at) / $4::float)::bigint as piece,
           coalesce(trace ->> 'outcome', 'PLACED') as outcome, author ->> 'channel' as channel, count(*) as count
    from communications
    where account_id = $1 and created_at >= $2 and created_at < $3 and ($5::text is null or id > $5)
    group by 1, 2, 3
"""
_UNCAPTURED = """
    select floor(extract(epoch from received_at) / $4::float)::bigint as piece, count(*) as count
    from uncaptured
    where account_id = $1 and received_at >= $2 and received_at < $3
    group by 1
"""
# The latency is that of the first success: when somebody has it made once more tells nothing of the application.
_SETTLED = """
    select floor(extract(epoch from settled_at) / $4::float)::bigint as piece,
           count(*) filter (where status = 'DELIVERED') as delivered, count(*) filter (where status = 'DEAD') as dead,
           percentile_cont(array[0.5, 0.95]) within group (order by extract(epoch from settled_at - created_at) * 1000)
             filter (where status = 'DELIVERED' and redeliveries = 0) as latencies
    from deliveries
    where account_id = $1 and settled_at >= $2 and settled_at < $3 and status <> 'PENDING'
    group by 1
"""
_FAILED = """
    select floor(extract(epoch from started_at) / $4::float)::bigint as piece, count(*) as count
    from delivery_attempts
    where account_id = $1 and started_at >= $2 and started_at < $3 and error is not null
    group by 1
"""
