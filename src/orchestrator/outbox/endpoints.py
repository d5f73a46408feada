"""Endpoints to look at, and the end of a pause."""

from typing import Any

from sqlalchemy import Row, func, select

from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.paging import Page, PageRequest, fetch_page
from orchestrator.kernel.unit import Unit
from orchestrator.tables.outbox import callback_endpoints, deliveries

COUNTED = 10_000
"""Pending deliveries are counted up to here."""

_PENDING = (
    select(deliveries.c.id)
    .where(
        deliveries.c.account_id == callback_endpoints.c.account_id,
        deliveries.c.url == callback_endpoints.c.url,
        deliveries.c.status == "PENDING",
    )
    .limit(COUNTED)
    .correlate(callback_endpoints)
    .lateral()
)
_COLUMNS = (*callback_endpoints.c, select(func.count()).select_from(_PENDING).scalar_subquery().label("pending"))


async def list_page(unit: Unit, account_id: str, page: PageRequest) -> Page[Row[Any]]:
    """A page of the account's endpoints by URL."""
    statement = select(*_COLUMNS).where(callback_endpoints.c.account_id == account_id)
    return await fetch_page(unit, statement, page, order=[callback_endpoints.c.url], descending=False)


async def resume(unit: Unit, account_id: str, url: str) -> Row[Any]:
    """End the pause of an endpoint, as if it had answered. Raises NotFound."""
    await unit.driver.execute(
        """
        update callback_endpoints
        set failures = 0, first_failure_at = null, pauses = 0, paused_at = null, paused_until = null, probing = false
        where account_id = $1 and url = $2
        """,
        account_id,
        url,
    )
    table = callback_endpoints.c
    statement = select(*_COLUMNS).where(table.account_id == account_id, table.url == url)
    if (row := (await unit.connection.execute(statement)).one_or_none()) is None:
        raise NotFound("nothing was ever sent to this URL")
    unit.after_commit.append(unit.wake_delivery)
    return row
