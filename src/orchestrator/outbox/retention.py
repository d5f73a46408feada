"""Throws away what of the outbox is past its keeping: events, settled deliveries, attempts, endpoints out of use.

Events go from the beginning of an account's log, up to the first that must stay: it is younger, or still to be
delivered. So `event_positions.reaped_to` says all of what is missing, and changes with it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.kernel.unit import Unit, Units

_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Kept:
    """How long."""

    events: timedelta = timedelta(days=30)
    deliveries: timedelta = timedelta(days=30)
    """After they were settled."""
    attempts: timedelta = timedelta(days=7)
    silent: timedelta = timedelta(days=5)
    """An endpoint, before what waits for it is DEAD."""


async def reap(units: Units, kept: Kept) -> int:
    """Delete what is older, in small transactions; returns how many events, deliveries, attempts and endpoints went."""
    now = units.clock.now()
    while await _give_up(units, now - kept.silent) == _AT_ONCE:
        pass
    total = 0
    for statement, age in ((_DELIVERIES, kept.deliveries), (_ATTEMPTS, kept.attempts), (_ENDPOINTS, kept.deliveries)):
        total += await _delete(units, statement, now - age)
    for account_id in await _accounts(units, now - kept.events):
        total += await _delete_events(units, account_id, now - kept.events)
    return total


async def _give_up(units: Units, before: datetime) -> int:
    """Let deliveries be DEAD that have waited since then for an endpoint that is paused since then."""
    async with units.begin() as unit:
        given_up: int = await unit.driver.fetchval(_SILENT, before, _AT_ONCE, unit.now)
    return given_up


_SILENT = """
with silent as (
  update deliveries set status = 'DEAD', settled_at = $3, next_attempt_at = null, holds_order = false,
         last_error = 'given up: the endpoint has not answered for days'
  where ctid = any (array(
    select d.ctid from callback_endpoints e
    join deliveries d on d.account_id = e.account_id and d.url = e.url and d.status = 'PENDING'
    where e.paused_until is not null and e.paused_at < $1 and d.next_attempt_at < $1 and not d.claimed
    limit $2 for update of d skip locked
  )) and status = 'PENDING' and not claimed
  returning 1
)
select count(*) from silent
"""


async def _delete(units: Units, statement: str, before: datetime) -> int:
    total = 0
    while True:
        async with units.begin() as unit:
            gone: int = await unit.driver.fetchval(statement, before, _AT_ONCE)
        total += gone
        if gone < _AT_ONCE:
            return total


_DELIVERIES = """
with gone as (
  delete from deliveries where ctid = any (array(
    select ctid from deliveries where status <> 'PENDING' and settled_at < $1
    limit $2 for update skip locked
  )) and status <> 'PENDING' and settled_at < $1
  returning account_id, conversation_id, id
), with_them as (
  delete from delivery_attempts a using gone
  where a.account_id = gone.account_id and a.conversation_id = gone.conversation_id and a.delivery_id = gone.id
)
select count(*) from gone
"""
_ATTEMPTS = """
with gone as (
  delete from delivery_attempts where ctid = any (array(
    select ctid from delivery_attempts where started_at < $1 limit $2 for update skip locked
  )) returning 1
)
select count(*) from gone
"""
_ENDPOINTS = """
with gone as (
  delete from callback_endpoints where ctid = any (array(
    select ctid from callback_endpoints e where last_used_at < $1 and not exists (
      select from deliveries d where d.account_id = e.account_id and d.url = e.url and d.status = 'PENDING'
    )
    limit $2 for update skip locked
  )) returning 1
)
select count(*) from gone
"""


async def _accounts(units: Units, before: datetime) -> list[str]:
    """The accounts whose oldest event is old enough."""
    async with units.begin() as unit:
        rows = await unit.driver.fetch(
            """
            select p.account_id from event_positions p cross join lateral (
              select occurred_at from events e where e.account_id = p.account_id and e.position > p.reaped_to
              order by e.position limit 1
            ) as oldest
            where oldest.occurred_at < $1
            """,
            before,
        )
    return [row["account_id"] for row in rows]


async def _delete_events(units: Units, account_id: str, before: datetime) -> int:
    total = 0
    while True:
        async with units.begin() as unit:
            gone = await _delete_some_events(unit, account_id, before)
        total += gone
        if gone < _AT_ONCE:
            return total


async def _delete_some_events(unit: Unit, account_id: str, before: datetime) -> int:
    """How many of the oldest went; none while another worker is at it."""
    free = await unit.driver.fetchval(
        "select pg_try_advisory_xact_lock(hashtextextended($1, 0))", f"reap events {account_id}"
    )
    if not free:
        return 0
    row = await unit.driver.fetchrow(_EVENTS, account_id, before, _AT_ONCE)
    assert row is not None
    if row["reaped_to"] is not None:
        # Last of all, because everybody who records events of this account waits for this row.
        await unit.driver.execute(
            "update event_positions set reaped_to = $2 where account_id = $1", account_id, row["reaped_to"]
        )
    gone: int = row["gone"]
    return gone


_EVENTS = """
with oldest as (
  select e.position, e.occurred_at >= $2 or exists (
    select from deliveries d
    where d.account_id = $1 and d.conversation_id = e.conversation_id and d.sequence = e.sequence
      and d.status = 'PENDING'
  ) as stays
  from events e
  where e.account_id = $1 and e.position > (select reaped_to from event_positions where account_id = $1)
  order by e.position limit $3
), gone as (
  delete from events
  where account_id = $1 and position <= (
    select max(position) from oldest
    where position < coalesce((select min(position) from oldest where stays), 9223372036854775807)
  )
  returning position
)
select count(*) as gone, max(position) as reaped_to from gone
"""
