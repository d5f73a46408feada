"""Statements of the delivery loop: look where something is due, claim it, settle what was tried."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson

from orchestrator.kernel.unit import Unit
from orchestrator.outbox.flow import Endpoint

Order = Literal["bounded", "strict", "parallel"]

LOOKED_AT = 256
"""Endpoints that one look goes through."""
_CHAIN = 8
"""Most deliveries of one conversation that are claimed together."""
_LONGEST_FOLLOWER = 64 * 1024
"""Bytes: what is claimed waits in memory for those before it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed delivery: one event for one callback."""

    account_id: str
    id: str
    conversation_id: str
    sequence: int
    url: str
    method: str
    attempts: int
    """Made so far."""
    forgiven: int
    """Those before the last redelivery, which do not count for the schedule."""
    redeliveries: int
    claimed_until: datetime
    body: str | None = field(repr=False)
    """None when the event is no longer there."""

    @property
    def endpoint(self) -> Endpoint:
        return self.account_id, self.url


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt."""

    started_at: datetime
    duration_ms: float
    status: int | None
    error: str | None
    response: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of a claimed delivery."""

    delivery: Delivery
    status: Literal["DELIVERED", "PENDING", "DEAD"]
    next_attempt_at: datetime | None
    holds_order: bool
    tried: Tried | None
    """None: its turn did not come, and it is given back."""
    refused: bool = False
    """Nothing was sent."""


@dataclass(frozen=True, slots=True)
class Look:
    """Where something is due."""

    due: list[Endpoint]
    paused: list[Endpoint]
    """Those of them whose pause is over, so that one delivery may be tried."""
    last: Endpoint | None
    """Where the next look begins; None when this one came to the end."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What was claimed."""

    chains: list[list[Delivery]]
    """Of one conversation and callback each, to be sent one after the other."""
    held_up: set[Endpoint]
    """Endpoints where something was found to wait for a delivery that will be tried again later."""


async def look(unit: Unit, after: Endpoint | None) -> Look:
    """The endpoints where something is due, from one endpoint on.

    From one endpoint to the next by the index, however much is pending at each.
    """
    rows = await unit.driver.fetch(
        """
        with recursive endpoint (account_id, url, due_at, number) as (
          (select account_id, url, next_attempt_at, 1 from deliveries
           where status = 'PENDING' and (account_id, url) > ($2, $3)
           order by account_id, url, next_attempt_at limit 1)
          union all
          select next.account_id, next.url, next.next_attempt_at, number + 1
          from endpoint cross join lateral (
            select d.account_id, d.url, d.next_attempt_at from deliveries d
            where d.status = 'PENDING' and (d.account_id, d.url) > (endpoint.account_id, endpoint.url)
            order by d.account_id, d.url, d.next_attempt_at limit 1
          ) as next
          where number < $4
        )
        select account_id, url, number = $4 as last, health.paused_until is not null as paused,
               due_at <= $1 and (health.paused_until is null or health.paused_until <= $1) as due
        from endpoint left join callback_endpoints health using (account_id, url)
        where number = $4 or due_at <= $1
        """,
        unit.now,
        *(after or ("", "")),
        LOOKED_AT,
    )
    found = [((row["account_id"], row["url"]), row) for row in rows]
    return Look(
        due=[endpoint for endpoint, row in found if row["due"]],
        paused=[endpoint for endpoint, row in found if row["due"] and row["paused"]],
        last=next((endpoint for endpoint, row in found if row["last"]), None),
    )


async def claim(
    unit: Unit, rooms: Mapping[Endpoint, int], *, lease: timedelta, order: Order, more: Mapping[Endpoint, int]
) -> Claim:
    """Deliveries that are due at these endpoints, as many conversations of each as there is room for.

    They are this worker's alone until the lease lapses. Of one conversation and callback the first that holds the
    order is handed out, with those that come next. What waits for a delivery that will be tried again later is put
    off until then, so that it is not looked at again and again; `more` is how many more to look at for that.
    """
    # For the same reason as in the statement itself: no join here is better made by reading a whole table.
    await unit.driver.execute(
        "set local enable_hashjoin = off; set local enable_mergejoin = off; set local enable_seqscan = off;"
        "set local enable_sort = off; set local enable_incremental_sort = off"
    )
    rows = await unit.driver.fetch(
        _CLAIM,
        unit.now,
        unit.now + lease,
        order == "parallel",
        [account_id for account_id, _ in rooms],
        [url for _, url in rooms],
        list(rooms.values()),
        [room + more.get(endpoint, 0) for endpoint, room in rooms.items()],
        _CHAIN - 1,
        _LONGEST_FOLLOWER,
    )
    chains = list[list[Delivery]]()
    for row in rows:
        if row["rank"] == 0:
            chains.append([])
        if row["rank"] is not None:
            values = dict(row)
            del values["rank"]
            chains[-1].append(Delivery(**values, claimed_until=unit.now + lease))
    return Claim(chains, {(row["account_id"], row["url"]) for row in rows if row["rank"] is None})


# Rows are compared whole, and sorted by all that they are compared by, so that there is one index for it whatever
# PostgreSQL believes of the table: a queue is never as it was when statistics were taken.
# What is put off is due just after what it waits for, so that heads are found before those who wait for them; who was
# never tried is only put off, and comes with its head.
# The rows of a chain come in order, its head first. A follower that somebody else has locked is left out, with it all
# that come after it: ranks are those before locking.
_CLAIM = """
with wanted as (
  select * from unnest($4::text[], $5::text[], $6::int[], $7::int[]) as wanted (account_id, url, room, looked_at)
), seen as (
  select d.*, row_number() over (partition by d.account_id, d.url, behind is null order by d.due_at) as number, room
  from wanted cross join lateral (
    select d.ctid, d.account_id, d.id, d.conversation_id, d.url, d.method, d.sequence, d.next_attempt_at as due_at,
           head.next_attempt_at as behind
    from deliveries d left join lateral (
      select h.claimed, h.next_attempt_at from deliveries h
      where h.status = 'PENDING' and h.holds_order
        and (h.account_id, h.conversation_id, h.url, h.method, h.sequence)
          >= (d.account_id, d.conversation_id, d.url, d.method, 0)
        and (h.account_id, h.conversation_id, h.url, h.method, h.sequence)
          < (d.account_id, d.conversation_id, d.url, d.method, d.sequence)
      order by h.account_id, h.conversation_id, h.url, h.method, h.sequence limit 1
    ) as head on not $3
    where d.account_id = wanted.account_id and d.url = wanted.url and d.status = 'PENDING' and d.next_attempt_at <= $1
      and (head.next_attempt_at is null or (head.next_attempt_at > $1 and not head.claimed))
    order by d.next_attempt_at
    limit wanted.looked_at
    for no key update of d skip locked
  ) as d
), put_off as (
  update deliveries d set next_attempt_at = seen.behind + interval '1 millisecond' from seen
  where behind is not null and d.ctid = seen.ctid
  returning d.account_id, d.url
), head as (
  select * from seen where behind is null and number <= room
), chained as (
  select ctid, account_id, id as head_id, 0 as rank from head
  union all
  select locked.ctid, head.account_id, head.id, listed.rank::int
  from head cross join lateral (
    select f.ctid, row_number() over (order by f.account_id, f.conversation_id, f.url, f.method, f.sequence) as rank
    from deliveries f
    where f.status = 'PENDING' and f.holds_order
      and (f.account_id, f.conversation_id, f.url, f.method, f.sequence)
        > (head.account_id, head.conversation_id, head.url, head.method, head.sequence)
      and (f.account_id, f.conversation_id, f.url, f.method)
        <= (head.account_id, head.conversation_id, head.url, head.method)
    order by f.account_id, f.conversation_id, f.url, f.method, f.sequence limit $8
  ) as listed cross join lateral (
    select d.ctid from deliveries d join events e using (account_id, conversation_id, sequence)
    where d.ctid = listed.ctid and d.status = 'PENDING'
      and (d.next_attempt_at <= $1 or (d.attempts = d.forgiven and not d.claimed))
      and octet_length(e.body) <= $9
    for no key update of d skip locked
  ) as locked
  where not $3
), whole as (
  select *, row_number() over (partition by account_id, head_id order by rank) - 1 as place from chained
), claimed as (
  update deliveries d set next_attempt_at = $2, claimed = true
  from whole where rank = place and d.ctid = whole.ctid
  returning d.*, head_id, rank
)
select c.account_id, c.id, c.conversation_id, c.sequence, c.url, c.method, c.attempts, c.forgiven, c.redeliveries,
       e.body, c.rank
from (
  select account_id, id, conversation_id, sequence, url, method, attempts, forgiven, redeliveries, head_id, rank
  from claimed
  union all
  select distinct account_id, null, null, null::bigint, url, null, null::int, null::int, null::int, null, null::int
  from put_off
) as c
left join events e using (account_id, conversation_id, sequence)
order by c.account_id, c.head_id, c.rank
"""


async def settle(unit: Unit, settlements: Sequence[Settlement]) -> None:
    """Write down what became of claimed deliveries, many at once, and each attempt.

    Who comes late, when its claim has lapsed and somebody else took over, can still tell of a success.
    """
    tried = [one.tried for one in settlements]
    await unit.driver.execute(
        _SETTLE,
        [one.delivery.account_id for one in settlements],
        [one.delivery.id for one in settlements],
        [one.delivery.claimed_until for one in settlements],
        [one.status for one in settlements],
        [one.next_attempt_at for one in settlements],
        [one.holds_order for one in settlements],
        [attempt and attempt.started_at for attempt in tried],
        [attempt and attempt.duration_ms for attempt in tried],
        [attempt and attempt.status for attempt in tried],
        [attempt and attempt.error for attempt in tried],
        [_json(attempt) for attempt in tried],
        unit.now,
    )


def _json(attempt: Tried | None) -> str | None:
    if attempt is None or attempt.response is None:
        return None
    return orjson.dumps(attempt.response).decode()


_SETTLE = """
with given as (
  select * from unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::timestamptz[], $6::boolean[],
                       $7::timestamptz[], $8::float[], $9::int[], $10::text[], $11::text[])
    as given (account_id, id, claimed_until, status, next_attempt_at, holds_order,
              started_at, duration_ms, http_status, error, response)
), settled as (
  update deliveries d
  set status = given.status, next_attempt_at = given.next_attempt_at, holds_order = given.holds_order, claimed = false,
      attempts = d.attempts + (started_at is not null)::int,
      last_status = case when started_at is null then d.last_status else http_status end,
      last_error = case when started_at is null then d.last_error else error end,
      settled_at = case when given.status = 'PENDING' then null else $12::timestamptz end
  from given
  where d.account_id = given.account_id and d.id = given.id and d.status = 'PENDING'
    and (given.status = 'DELIVERED' or d.next_attempt_at = given.claimed_until)
  returning d.account_id, d.conversation_id, d.id, d.attempts
)
insert into delivery_attempts
  (account_id, conversation_id, delivery_id, number, started_at, duration_ms, status, error, response)
select account_id, conversation_id, id, attempts, started_at, duration_ms, http_status, error, response::jsonb
from settled join given using (account_id, id) where started_at is not null
"""
