"""Durable jobs: the loop that claims what is due and does each in a task of its own, and writing that outlasts a pause.

The rows, their claims and what is done belong to whoever has the jobs. A claim lapses with its lease, so a process that
dies loses nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import structlog

from orchestrator.kernel.unit import Unit, Units, is_transient

log = structlog.get_logger(__name__)

Job = TypeVar("Job")
Result = TypeVar("Result")


@dataclass(slots=True)
class JobLoop(Generic[Job]):
    """Does jobs until it is told to stop."""

    claim: Callable[[int], Awaitable[Sequence[Job]]]
    """Takes at most so many jobs that are due, for this loop alone until the lease lapses."""
    perform: Callable[[Job], Awaitable[None]]
    concurrency: int
    """Jobs under way at once."""
    interval: float
    """Seconds between looks when nothing wakes the loop."""
    awake: asyncio.Event = field(default_factory=asyncio.Event)
    drains: bool = True
    """Whether stopping waits for what is under way; else that is cancelled, and met again when its claim lapses."""
    _performing: set[asyncio.Task[None]] = field(default_factory=set)

    async def run(self) -> None:
        """Do jobs for ever, until cancelled."""
        try:
            while True:
                if not await self._turn():
                    await self._rest()
        finally:
            await asyncio.shield(self._stop())

    async def run_once(self) -> int:
        """Do everything that is due now, and what becomes due by it; returns how many jobs were claimed."""
        total = 0
        while claimed := await self.claim(self.concurrency):
            total += len(claimed)
            await asyncio.gather(*(self.perform(job) for job in claimed))
        return total

    async def _turn(self) -> bool:
        """Start what is due; False when there was nothing to do, or no room for it."""
        room = self.concurrency - len(self._performing)
        claimed = await self.claim(room) if room > 0 else []
        for job in claimed:
            task = asyncio.create_task(self._perform_alone(job))
            self._performing.add(task)
            task.add_done_callback(self._ended)
        return bool(claimed)

    async def _perform_alone(self, job: Job) -> None:
        """Do a job whose trouble is nobody else's. Unsettled, it is met again when its claim lapses."""
        try:
            await self.perform(job)
        except Exception as error:
            log.error("a job was not settled", kind=type(job).__module__, exc_info=error)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._performing.discard(task)
        self.awake.set()  # there is room, and what waited for this job may go

    async def _rest(self) -> None:
        """Until somebody has something to do, or the interval is over."""
        try:
            async with asyncio.timeout(self.interval):
                await self.awake.wait()
        except TimeoutError:
            pass
        self.awake.clear()

    async def _stop(self) -> None:
        if not self.drains:
            for task in self._performing:
                task.cancel()
        if self._performing:
            await asyncio.wait(self._performing)


async def durably(units: Units, write: Callable[[Unit], Awaitable[Result]], *, pauses: Sequence[float]) -> Result:
    """Write in a unit of its own, again after each pause (in seconds) while the database is away."""
    for pause in pauses:
        try:
            async with units.begin() as unit:
                return await write(unit)
        except Exception as error:
            if not is_transient(error):
                raise
            await asyncio.sleep(pause)
    async with units.begin() as unit:
        return await write(unit)
