"""What the database says: counts of the account's rows, asked over a connection of their own."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from orchestrator.cli.errors import CommandFailed
from orchestrator.cli.prove.customers import Customer
from orchestrator.kernel.db import create_engine
from orchestrator.kernel.unit import Driver
from orchestrator.serving import without_password

_GONE_WITHIN = 5.0
"""Seconds for the server to notice that its clients have hung up; only then it has counted everything."""


@asynccontextmanager
async def asking(database_url: str) -> AsyncIterator[Driver]:
    """A connection. Raises CommandFailed."""
    try:
        engine = create_engine(database_url, pool_size=1)
        connection = await engine.connect()
    except Exception as error:  # whatever it is, the database cannot be asked
        reason = str(getattr(error, "orig", None) or error).partition("\n")[0]
        raise CommandFailed(f"cannot use the database {without_password(database_url)}: {reason}") from error
    try:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        yield driver
    finally:
        await connection.close()
        await engine.dispose()


async def accounts(driver: Driver) -> int:
    """Accounts in the database; none in one that is still empty."""
    if await driver.fetchval("select to_regclass('accounts') is null"):
        return 0
    return int(await driver.fetchval("select count(*) from accounts"))


async def deadlocks(driver: Driver) -> int:
    """Deadlocks that the server has seen in this database; to be asked when the service is gone."""
    others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    give_up = asyncio.get_running_loop().time() + _GONE_WITHIN
    while await driver.fetchval(f"{others} and application_name = 'orchestrator'"):
        if asyncio.get_running_loop().time() > give_up:
            break
        await asyncio.sleep(0.05)
    return int(await driver.fetchval("select deadlocks from pg_stat_database where datname = current_database()"))


async def unfinished(driver: Driver, account_id: str) -> tuple[int, int]:
    """Callbacks that are still to be delivered, and conversations that no timer has closed yet."""
    row = await driver.fetchrow(
        """
        select (select count(*) from deliveries where account_id = $1 and status = 'PENDING') as deliveries,
               (select count(*) from conversations where account_id = $1 and status <> 'CLOSED') as conversations
        """,
        account_id,
    )
    assert row is not None
    return row["deliveries"], row["conversations"]


@dataclass(frozen=True, slots=True)
class Kept:
    """What there is in the end."""

    messages: list[str]
    """The provider's ids, one for each communication."""
    delivered: set[str]
    """Those that are known to have reached their recipient."""
    uncaptured: int
    conversations: int
    still_open: int
    keys: int
    """Grouping keys that somebody still holds or waits for."""
    events: int
    gaps: int
    """Conversations whose events are not numbered 1, 2, 3, … up to the conversation's own counter."""
    undelivered: int
    """Deliveries that are not settled as delivered."""
    split: int
    """Of the linked customers, those who are several profiles."""


async def kept(driver: Driver, account_id: str, linked: Collection[Customer]) -> Kept:
    """Count."""
    rows = await driver.fetch(_MESSAGES, account_id)
    counted = await driver.fetchrow(_COUNTS, account_id)
    assert counted is not None
    owners = await driver.fetch(_OWNERS, account_id)
    profiles: dict[str, set[str]] = {}
    for row in owners:
        profiles.setdefault(row["value"].removeprefix("whatsapp:"), set()).add(row["profile_id"])
    of_linked = [set().union(*(profiles.get(phone, set()) for phone in one.phones)) for one in linked]
    return Kept(
        messages=[row["resource_id"] for row in rows],
        delivered={row["resource_id"] for row in rows if row["is_delivered"]},
        split=sum(len(found) != 1 for found in of_linked),
        **dict(counted),
    )


_MESSAGES = """
select resource_id, recipients -> 0 ->> 'deliveryStatus' = 'DELIVERED' as is_delivered
from communications where account_id = $1
"""
_OWNERS = "select value, profile_id from profile_identifiers where account_id = $1 and id_type in ('phone', 'whatsapp')"
_COUNTS = """
select
  (select count(*) from uncaptured where account_id = $1) as uncaptured,
  (select count(*) from conversations where account_id = $1) as conversations,
  (select count(*) from conversations where account_id = $1 and status <> 'CLOSED') as still_open,
  (select count(*) from conversation_keys where account_id = $1)
    + (select count(*) from waiting_keys where account_id = $1) as keys,
  (select count(*) from events where account_id = $1) as events,
  (select count(*) from (
     select c.id from conversations c
     left join events e on e.account_id = c.account_id and e.conversation_id = c.id
     where c.account_id = $1 group by c.id, c.event_sequence
     having count(distinct e.sequence) <> c.event_sequence or max(e.sequence) <> c.event_sequence
   ) broken) as gaps,
  (select count(*) from deliveries where account_id = $1 and status <> 'DELIVERED') as undelivered
"""
