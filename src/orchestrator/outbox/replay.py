"""Past events are sent to a callback, from the log.

An event that was delivered to the URL before is delivered once more, as the same delivery with the same token; any
other becomes a new delivery. Both hold the order of their conversation.
"""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.kernel.errors import Gone
from orchestrator.kernel.fields import refused
from orchestrator.kernel.ids import DELIVERY, new_id
from orchestrator.kernel.unit import Unit
from orchestrator.outbox.guard import ForbiddenTarget, check_url
from orchestrator.outbox.redelivery import AGAIN

MOST_AT_ONCE = 10_000
"""Events."""


@dataclass(frozen=True, slots=True)
class Span:
    """Which events, of those that are kept; all conditions hold."""

    conversation_id: str | None = None
    after: datetime | None = None
    before: datetime | None = None
    """When the event happened: from `after` on and before `before`."""
    after_position: int | None = None
    before_position: int | None = None
    """In the log: neither of the two is among them."""


@dataclass(frozen=True, slots=True)
class Callback:
    """Where to."""

    url: str
    method: str | None
    """None: as the event was delivered there before, else POST."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What is going to be sent."""

    events: int
    redelivered: int
    created: int
    after_position: int | None
    """Where to go on, if there is more."""

    @property
    def pending(self) -> int:
        """Those that are on their way there anyhow."""
        return self.events - self.redelivered - self.created


def check(callback: Callback, *, allow_insecure: bool) -> None:
    """Raise BadRequest for a URL that must not be called."""
    try:
        check_url(callback.url, allow_insecure=allow_insecure)
    except ForbiddenTarget as error:
        raise refused("/url", str(error), callback.url) from error


async def replay(unit: Unit, account_id: str, span: Span, callback: Callback) -> Replayed:
    """Send the first MOST_AT_ONCE events of a span to a callback.

    Raises Gone when the span begins at a position that is past its keeping.
    """
    # Two at once would each make the deliveries that the other has not yet committed.
    await unit.driver.execute(
        "select pg_advisory_xact_lock(hashtextextended($1, 0))", f"replay {account_id} {callback.url}"
    )
    await _check_kept(unit, account_id, span)
    chosen = await unit.driver.fetch(
        _CHOSEN,
        account_id,
        span.conversation_id,
        span.after,
        span.before,
        span.after_position,
        span.before_position,
        MOST_AT_ONCE,
        callback.url,
        callback.method,
    )
    settled = sorted(row["id"] for row in chosen if row["status"] not in (None, "PENDING"))
    new = [(row["conversation_id"], row["sequence"]) for row in chosen if row["id"] is None]
    redelivered = await _redeliver(unit, account_id, settled)
    await _create(unit, account_id, new, callback)
    unit.after_commit.append(unit.wake_delivery)
    more = chosen[-1]["position"] if len(chosen) == MOST_AT_ONCE else None
    return Replayed(len(chosen), redelivered, len(new), more)


async def _check_kept(unit: Unit, account_id: str, span: Span) -> None:
    if span.after_position is None:
        return
    reaped_to = await unit.driver.fetchval("select reaped_to from event_positions where account_id = $1", account_id)
    if reaped_to is not None and span.after_position < reaped_to:
        raise Gone(f"the events up to position {reaped_to} are past their keeping", details={"after": reaped_to})


_CHOSEN = """
select e.conversation_id, e.sequence, e.position, d.id, d.status
from (
  select * from events
  where account_id = $1 and ($2::text is null or conversation_id = $2)
    and ($3::timestamptz is null or occurred_at >= $3) and ($4::timestamptz is null or occurred_at < $4)
    and position > coalesce($5::bigint, 0) and position < coalesce($6::bigint, 9223372036854775807)
  order by position limit $7
) as e
left join lateral (
  select id, status from deliveries d
  where d.account_id = e.account_id and d.conversation_id = e.conversation_id and d.sequence = e.sequence
    and d.url = $8 and ($9::text is null or d.method = $9)
  order by d.status = 'PENDING' desc, d.id limit 1
) as d on true
order by e.position
"""


async def _redeliver(unit: Unit, account_id: str, ids: list[str]) -> int:
    rows = await unit.driver.fetch(
        f"""
        update deliveries d set {AGAIN}
        from (
          select id from deliveries where account_id = $2 and id = any ($3::text[]) and status <> 'PENDING'
          order by id for no key update
        ) as chosen
        where d.account_id = $2 and d.id = chosen.id returning 1
        """,  # noqa: S608 - constants
        unit.now,
        account_id,
        ids,
    )
    return len(rows)


async def _create(unit: Unit, account_id: str, events: list[tuple[str, int]], callback: Callback) -> None:
    await unit.driver.execute(
        """
        insert into deliveries
          (account_id, id, conversation_id, sequence, url, method, status, holds_order, next_attempt_at, created_at)
        select $1, id, conversation_id, sequence, $5, $6, 'PENDING', true, $7::timestamptz, $7::timestamptz
        from unnest($2::text[], $3::text[], $4::bigint[]) as new (id, conversation_id, sequence)
        """,
        account_id,
        [new_id(DELIVERY) for _ in events],
        [conversation_id for conversation_id, _ in events],
        [sequence for _, sequence in events],
        callback.url,
        callback.method or "POST",
        unit.now,
    )
