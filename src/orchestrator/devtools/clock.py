"""The row of the table `clock`: written here alone, by one at a time; `kernel.clock` reads it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

from orchestrator.kernel.clock import Clock, SharedClock
from orchestrator.kernel.errors import Conflict
from orchestrator.kernel.unit import Unit, Units

_LOCK = 0x636C6F636B  # any number that no other program uses; spells "clock"
_LOOK = 0.05
"""Seconds between looks whether whoever turns the clock has finished."""
_PATIENCE = 30.0
"""Seconds to wait for that."""
_MARGIN = timedelta(milliseconds=10)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a clock shows."""

    now: datetime
    ahead: timedelta
    """Of the time that it would show if it had never been turned."""
    is_frozen: bool
    can_turn: bool


def read(unit: Unit, clock: Clock) -> Reading:
    """What the clock shows in this unit."""
    if not isinstance(clock, SharedClock):
        return Reading(unit.now, timedelta(), is_frozen=False, can_turn=False)
    turned = clock.turned
    if turned.stands_at is None:
        return Reading(unit.now, turned.ahead, is_frozen=False, can_turn=True)
    return Reading(turned.stands_at, turned.stands_at - clock.base.now(), is_frozen=True, can_turn=True)


@asynccontextmanager
async def alone(units: Units) -> AsyncIterator[None]:
    """In the block nobody else turns the clock, in any process. Raises Conflict if somebody does so for long.

    A turn is many transactions, so the lock is one of a session: that of a connection which nothing else uses, and
    which is closed at the end, whatever happened.
    """
    give_up = monotonic() + _PATIENCE
    while True:
        async with units.engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            try:
                free = await driver.fetchval("select pg_try_advisory_lock($1)", _LOCK)
                if free:
                    yield
            except BaseException:
                await connection.invalidate()
                raise
            if free:
                await connection.invalidate()
                return
        if monotonic() > give_up:
            raise Conflict("somebody else is turning the clock; wait until that is done")
        await asyncio.sleep(_LOOK)


async def stop(units: Units, clock: SharedClock) -> datetime:
    """Let the clock stand still, if it does not; returns where.

    Until the commit others go by the running clock. So that nobody has been later than the moment at which it stands,
    that is a little ahead, and further if the commit took longer.
    """
    margin, ahead = _MARGIN, None
    while True:
        async with units.begin() as unit:
            if ahead is None and clock.turned.stands_at is not None:
                return clock.turned.stands_at
            ahead = clock.turned.ahead if ahead is None else ahead
            moment = clock.base.now() + ahead + margin
            await stand_at(unit, moment)
        if clock.base.now() + ahead <= moment:
            return moment
        margin *= 4


async def stand_at(unit: Unit, moment: datetime) -> None:
    """Let the clock stand still, from the commit on."""
    await _write(unit, timedelta(), moment)


async def run_on(unit: Unit, clock: SharedClock) -> None:
    """Let the clock run on from what it shows, if it stands still."""
    if clock.turned.stands_at is not None:
        await run_ahead(unit, unit.now - clock.base.now())


async def run_ahead(unit: Unit, ahead: timedelta) -> None:
    """Let the clock run, so far ahead of the time that it would show if it had never been turned."""
    await _write(unit, ahead, None)


async def _write(unit: Unit, ahead: timedelta, stands_at: datetime | None) -> None:
    await unit.driver.execute(
        """
        insert into clock (ahead, stands_at) values ($1, $2)
        on conflict (is_the_clock) do update set ahead = excluded.ahead, stands_at = excluded.stands_at
        """,
        ahead,
        stands_at,
    )


async def newest(unit: Unit) -> datetime | None:
    """The latest time at which anything was said or told of, in any account."""
    found: datetime | None = await unit.driver.fetchval(
        """
        select greatest(
          (select max(occurred_at) from events),
          (select max(updated_at) from conversations),
          (select max(created_at) from communications),
          (select max(updated_at) from messages),
          (select max(received_at) from uncaptured)
        )
        """
    )
    return found
