"""Delivery reports that come before their messages: kept with the receipts, and believed once the message is there."""

from collections.abc import Collection

from orchestrator.domain.messages import DeliveryStatus, advanced
from orchestrator.kernel.unit import Unit

Report = tuple[str, str, DeliveryStatus]
"""Account id, provider's message id, what became of the message."""


async def keep(unit: Unit, reports: Collection[Report]) -> None:
    """Keep how far messages have got that did not come yet; `receipts.claim` tells it when they do.

    A message that comes at this instant waits for us, or we for it: then it is there when this returns.
    """
    early = await _lock(unit, sorted({(account_id, resource_id) for account_id, resource_id, _ in reports}))
    if not early:
        return
    for account_id, resource_id, status in reports:
        if (key := (account_id, resource_id)) in early:
            early[key] = advanced(early[key], status)
    await unit.driver.execute(
        """
        update receipts set early_status = told.status
        from unnest($1::text[], $2::text[], $3::text[]) as told (account_id, resource_id, status)
        where (receipts.account_id, receipts.resource_id) = (told.account_id, told.resource_id)
        """,
        [account_id for account_id, _ in early],
        [resource_id for _, resource_id in early],
        list(early.values()),
    )


async def _lock(unit: Unit, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], DeliveryStatus | None]:
    """The receipts of messages that did not come yet, with what was reported before; made where there is none."""
    rows = await unit.driver.fetch(
        """
        insert into receipts (account_id, resource_id, received_at, is_seen)
        select account_id, resource_id, $3, false
        from unnest($1::text[], $2::text[]) as told (account_id, resource_id)
        where not exists (select from receipts r
                          where (r.account_id, r.resource_id) = (told.account_id, told.resource_id) and r.is_seen)
          and not exists (select from communications c
                          where (c.account_id, c.resource_id) = (told.account_id, told.resource_id))
        order by account_id, resource_id
        on conflict (account_id, resource_id) do update set received_at = excluded.received_at
          where not receipts.is_seen
        returning account_id, resource_id, early_status
        """,
        [account_id for account_id, _ in keys],
        [resource_id for _, resource_id in keys],
        unit.now,
    )
    return {
        (row["account_id"], row["resource_id"]): row["early_status"] and DeliveryStatus(row["early_status"])
        for row in rows
    }
