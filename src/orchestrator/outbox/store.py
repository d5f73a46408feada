"""Statements of the delivery loop: claim what is due, settle what was tried."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from orchestrator.kernel.unit import Unit

Order = Literal["bounded", "strict", "parallel"]


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
    """Attempts that failed so far."""
    body: str


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one attempt."""

    delivery: Delivery
    status: Literal["DELIVERED", "PENDING", "DEAD"]
    http_status: int | None
    error: str | None
    next_attempt_at: datetime | None
    holds_order: bool


async def claim(unit: Unit, *, limit: int, lease: timedelta, order: Order, busy: Sequence[str] = ()) -> list[Delivery]:
    """Deliveries that are due, for this worker alone until the lease lapses; none to the URLs that are `busy`.

    Of one conversation and callback only the first that holds the order is handed out: later events wait for it.
    """
    rows = await unit.driver.fetch(
        """
        with due as (
          select d.account_id, d.id from deliveries d
          where d.status = 'PENDING' and d.next_attempt_at <= $1 and d.url <> all($5::text[])
            and ($4 or not exists (
              select from deliveries head
              where head.account_id = d.account_id and head.conversation_id = d.conversation_id
                and head.url = d.url and head.method = d.method and head.sequence < d.sequence
                and head.status = 'PENDING' and head.holds_order))
          order by d.next_attempt_at
          limit $3
          for no key update of d skip locked
        ), claimed as (
          update deliveries d set next_attempt_at = $2
          from due where d.account_id = due.account_id and d.id = due.id
          returning d.account_id, d.id, d.conversation_id, d.sequence, d.url, d.method, d.attempts
        )
        select c.account_id, c.id, c.conversation_id, c.sequence, c.url, c.method, c.attempts, e.body
        from claimed c join events e using (account_id, conversation_id, sequence)
        order by c.conversation_id, c.sequence
        """,
        unit.now,
        unit.now + lease,
        limit,
        order == "parallel",
        list(busy),
    )
    return [Delivery(**dict(row)) for row in rows]


async def settle(unit: Unit, settlements: Sequence[Settlement]) -> None:
    """Write down what became of attempts, many at once."""
    await unit.driver.execute(
        """
        update deliveries d
        set status = tried.status, attempts = d.attempts + 1, last_status = tried.http_status,
            last_error = tried.error, next_attempt_at = tried.next_attempt_at, holds_order = tried.holds_order,
            settled_at = case when tried.status = 'PENDING' then null else $8::timestamptz end
        from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::timestamptz[], $7::boolean[])
          as tried (account_id, id, status, http_status, error, next_attempt_at, holds_order)
        where d.account_id = tried.account_id and d.id = tried.id and d.status = 'PENDING'
        """,
        [one.delivery.account_id for one in settlements],
        [one.delivery.id for one in settlements],
        [one.status for one in settlements],
        [one.http_status for one in settlements],
        [one.error for one in settlements],
        [one.next_attempt_at for one in settlements],
        [one.holds_order for one in settlements],
        unit.now,
    )
