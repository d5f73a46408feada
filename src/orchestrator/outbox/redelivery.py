"""Deliveries that are made once more: with the same idempotency token, and all their retries.

What is sent again holds the order like the first time, so events of one conversation come in order again.
"""

from dataclasses import dataclass
from datetime import datetime

from orchestrator.kernel.errors import Gone, NotFound
from orchestrator.kernel.unit import Unit
from orchestrator.outbox import deliveries

MOST_AT_ONCE = 10_000

AGAIN = """
    status = 'PENDING', next_attempt_at = $1, holds_order = true, claimed = false, settled_at = null,
    forgiven = d.attempts, redeliveries = d.redeliveries + 1
"""
"""What an update of `deliveries d` sets; $1 is the present moment."""


@dataclass(frozen=True, slots=True)
class Failures:
    """Which dead deliveries are made once more."""

    since: datetime
    before: datetime | None = None
    """Given up from `since` on and before this."""
    url: str | None = None


async def redeliver(unit: Unit, account_id: str, delivery_id: str) -> None:
    """Make one delivery once more; one that waits for its next attempt is tried at once.

    Raises NotFound, and Gone when its event is past its keeping.
    """
    row = await unit.driver.fetchrow(
        """
        select d.status, e.sequence is null as gone from deliveries d
        left join events e using (account_id, conversation_id, sequence)
        where account_id = $1 and d.id = $2 for no key update of d
        """,
        account_id,
        deliveries.checked(delivery_id),
    )
    if row is None:
        raise NotFound(f"there is no delivery {delivery_id}")
    if row["gone"]:
        raise Gone("the event is past its keeping; nothing can be sent")
    changes = "next_attempt_at = $1" if row["status"] == "PENDING" else AGAIN
    await unit.driver.execute(
        f"""
        update deliveries d set {changes}
        where account_id = $2 and id = $3 and (status <> 'PENDING' or not claimed or next_attempt_at <= $1)
        """,  # noqa: S608 - constants
        unit.now,
        account_id,
        delivery_id,
    )
    unit.after_commit.append(unit.wake_delivery)


async def redeliver_failed(unit: Unit, account_id: str, failures: Failures) -> int:
    """Make dead deliveries once more, those first that died first, at most MOST_AT_ONCE; returns how many."""
    rows = await unit.driver.fetch(
        f"""
        update deliveries d set {AGAIN}
        from (
          select d.id from deliveries d join events e using (account_id, conversation_id, sequence)
          where account_id = $2 and d.status = 'DEAD' and d.settled_at >= $3
            and ($4::timestamptz is null or d.settled_at < $4) and ($5::text is null or d.url = $5)
          order by d.settled_at, d.id limit $6
          for no key update of d skip locked
        ) as chosen
        where d.account_id = $2 and d.id = chosen.id returning 1
        """,  # noqa: S608 - constants
        unit.now,
        account_id,
        failures.since,
        failures.before,
        failures.url,
        MOST_AT_ONCE,
    )
    unit.after_commit.append(unit.wake_delivery)
    return len(rows)
