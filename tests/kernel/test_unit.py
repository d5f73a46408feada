"""Units of work: one transaction each, and a connection that comes back clean whatever happened."""

import asyncio

import pytest

from orchestrator.kernel.clock import Clock
from orchestrator.kernel.db import create_engine
from orchestrator.kernel.unit import Units

SLOW_COMMIT = """
create table if not exists slow (x int);
create or replace function wait_a_little() returns trigger language plpgsql as
  $$ begin perform pg_sleep(0.5); return null; end $$;
create constraint trigger slow_commit after insert on slow deferrable initially deferred
  for each row execute function wait_a_little();
"""


async def test_a_unit_that_is_cut_off_in_its_commit_leaves_nothing_open(database_url: str) -> None:
    """Nobody knows then what the server has done; the one connection there is must be fit for the next unit."""
    engine = create_engine(database_url, pool_size=1)
    units = Units(engine, Clock())
    async with units.begin() as unit:
        await unit.driver.execute(SLOW_COMMIT)

    async def work() -> None:
        async with units.begin() as unit:
            await unit.driver.execute("insert into slow values (1)")

    task = asyncio.create_task(work())
    await asyncio.sleep(0.2)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    async with units.begin() as unit:
        assert await unit.driver.fetchval("select count(*) from slow") == 0
        await unit.driver.execute("drop table slow")
    await engine.dispose()


async def test_what_is_to_happen_after_the_commit_does_not_happen_without_it(database_url: str) -> None:
    engine = create_engine(database_url, pool_size=1)
    units = Units(engine, Clock())
    happened: list[str] = []

    async def fail() -> None:
        async with units.begin() as unit:
            unit.after_commit.append(lambda: happened.append("failed"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with units.begin() as unit:
        unit.after_commit.append(lambda: happened.append("committed"))
    assert happened == ["committed"]
    await engine.dispose()
