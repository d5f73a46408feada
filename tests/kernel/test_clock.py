"""The clock that is read from the database: answers come in any order, and the database may be another one."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from orchestrator.kernel.clock import Clock, SharedClock

EARLY, LATE = datetime(2030, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)


def standing(at: datetime, version: int) -> dict[str, Any]:
    return {"ahead": None, "stands_at": at, "version": version}


async def read(clock: SharedClock, row: dict[str, Any] | None) -> None:
    async def answer(_: str) -> Any:
        return row

    await clock.read(answer)


async def overtaken(clock: SharedClock, older: dict[str, Any] | None, newer: dict[str, Any]) -> None:
    """An answer comes after that to a later question."""
    came = asyncio.Event()

    async def answer(_: str) -> Any:
        await came.wait()
        return older

    waiting = asyncio.create_task(clock.read(answer))
    await asyncio.sleep(0)
    await read(clock, newer)
    came.set()
    await waiting


async def test_an_answer_that_was_overtaken_turns_nothing_back() -> None:
    clock = SharedClock(Clock())
    await overtaken(clock, None, standing(EARLY, 7))
    assert clock.now() == EARLY
    await overtaken(clock, standing(EARLY, 7), standing(LATE, 9))
    assert clock.now() == LATE


async def test_a_database_that_was_put_back_is_believed_though_its_transactions_have_lower_numbers() -> None:
    clock = SharedClock(Clock())
    await read(clock, standing(LATE, 4_000_000_000))
    await read(clock, standing(EARLY, 800))
    assert clock.now() == EARLY
    await read(clock, None)
    assert clock.now() < EARLY
