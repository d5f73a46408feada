"""What the metrics tell of the outbox as a whole. Every process measures the same."""

from orchestrator.kernel.telemetry import ENDPOINTS_PAUSED, OUTBOX_LAG
from orchestrator.kernel.unit import Unit


async def measure(unit: Unit) -> None:
    """Set the gauges. Costs a look at each endpoint that has something pending, however much that is."""
    row = await unit.driver.fetchrow(
        """
        with recursive endpoint (account_id, url, due_at) as (
          (select account_id, url, next_attempt_at from deliveries where status = 'PENDING'
           order by account_id, url, next_attempt_at limit 1)
          union all
          select next.account_id, next.url, next.next_attempt_at
          from endpoint cross join lateral (
            select d.account_id, d.url, d.next_attempt_at from deliveries d
            where d.status = 'PENDING' and (d.account_id, d.url) > (endpoint.account_id, endpoint.url)
            order by d.account_id, d.url, d.next_attempt_at limit 1
          ) as next
        )
        select (select min(due_at) from endpoint left join callback_endpoints health using (account_id, url)
                where health.paused_until is null) as oldest,
               (select count(*) from callback_endpoints where paused_until is not null) as paused
        """
    )
    assert row is not None
    OUTBOX_LAG.set(max(0.0, (unit.now - row["oldest"]).total_seconds()) if row["oldest"] else 0.0)
    ENDPOINTS_PAUSED.set(row["paused"])
