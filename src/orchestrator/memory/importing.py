"""The importer: reads uploaded files piece by piece and writes their rows, a batch in each transaction.

A file is read to its end before anything is written: what is not UTF-8, not CSV, or too long writes nothing. A process
that dies leaves an import that another one goes on with, after the last batch that was written.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from orchestrator.domain.backoff import Backoff
from orchestrator.kernel.unit import Units
from orchestrator.memory import import_jobs
from orchestrator.memory.errors import StoreNotFound
from orchestrator.memory.import_files import Cells, CsvFile, Unusable
from orchestrator.memory.import_jobs import Job, Lost
from orchestrator.memory.import_writing import write_rows
from orchestrator.memory.imports import UPLOAD_WITHIN
from orchestrator.memory.stores import serving_store

log = structlog.get_logger(__name__)

MOST_ROWS = 1_000_000
MOST_FAILED = 100
"""Rows that may fail; with one more the import ends, and what was written stays (contract: memory.md 4.11)."""

SCHEDULE = Backoff(delays=(5.0, 30.0, 120.0, 600.0))
"""Seconds before an import that did not get any further is tried again: five attempts in a quarter of an hour."""

_REAP_INTERVAL = 60.0
_TOO_LATE = f"no file was uploaded within {UPLOAD_WITHIN.total_seconds() / 60:.0f} minutes"


@dataclass(slots=True)
class Importer:
    """Imports files until it is told to stop."""

    units: Units
    backoff: Backoff = SCHEDULE
    batch: int = 500
    """Rows of one transaction (contract: 1,000 at most). The shorter, the less a merge in the store waits."""
    concurrency: int = 2
    """Imports at once: a long one does not hold up a short one."""
    lease: timedelta = timedelta(seconds=60)
    """How long a claim holds: longer than a batch can take."""
    interval: float = 1.0
    """Seconds between looks when nothing wakes the loop."""
    awake: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False
    _reap_at: float = 0.0

    async def run(self) -> None:
        """Import for ever. Cancelling stops after the batches that are being written."""
        self._stopping = False
        loops = [asyncio.create_task(self._keep_importing()) for _ in range(self.concurrency)]
        try:
            await asyncio.wait(loops, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            self._stopping = True
            self.awake.set()
            await asyncio.shield(asyncio.wait(loops))
        for loop in loops:
            loop.result()

    async def run_once(self) -> int:
        """Import everything that is due now; returns how many imports were claimed."""
        total = 0
        while job := await self.claim():
            total += 1
            await self.perform(job)
        return total

    async def claim(self) -> Job | None:
        """Take an import that is due, for this importer alone until the lease lapses."""
        async with self.units.begin() as unit:
            return await import_jobs.claim(unit, self.lease)

    async def reap(self) -> int:
        """Fail the imports whose file did not come in time; returns how many they are."""
        async with self.units.begin() as unit:
            return await import_jobs.reap(unit, _TOO_LATE)

    async def perform(self, job: Job) -> None:
        """Go on with a claimed import until it ends, or the importer stops."""
        try:
            await self._settle(job)
        except (Lost, StoreNotFound):
            log.info("import is no longer ours", import_id=job.id)

    async def batches(self, job: Job) -> AsyncGenerator[tuple[Cells, Sequence[Cells]], None]:
        """The rows that have not been looked at yet, in batches, each with the header. Raises Unusable, Lost."""
        done, seen = job.progress.rows_done, 0
        file = _file_of(job)
        batch: list[Cells] = []
        async for cells in self._rows(job, file):
            seen += 1
            if seen > done:
                batch.append(cells)
            if len(batch) == self.batch:
                yield file.header, batch
                batch = []
        if batch:
            yield file.header, batch

    async def write(self, job: Job, header: Cells, rows: Sequence[Cells]) -> None:
        """Write a batch. Raises Lost, StoreNotFound; then nothing is written."""
        async with self.units.begin() as unit:
            store = await serving_store(unit, job.account_id, job.store_id, writing=True)
            progress = await write_rows(unit, store, job, header, rows)
            until = unit.now + self.lease
            await import_jobs.save(unit, job, progress, until)
        job.progress, job.until, job.attempts = progress, until, 1

    async def _settle(self, job: Job) -> None:
        try:
            if await self._go_on(job):
                await self._end(job, None)
            else:
                await self._put_back(job, timedelta(0), attempts=job.attempts - 1)
        except (Lost, StoreNotFound):
            raise
        except Unusable as reason:
            await self._end(job, str(reason))
        except Exception as error:
            log.error("import failed inside", import_id=job.id, attempt=job.attempts, exc_info=error)
            await self._retry(job, f"the service failed while importing: {type(error).__name__}")

    async def _go_on(self, job: Job) -> bool:
        """Write what is left; False when the importer stops before. Raises Unusable, Lost, StoreNotFound."""
        if job.attempts > len(self.backoff.delays) + 1:
            raise Unusable(f"given up: the process that was importing ended, {job.attempts - 1} times")
        _check_failures(job)
        if not job.progress.rows_done:
            await self._check(job)
        async with aclosing(self.batches(job)) as batches:
            async for header, rows in batches:
                await self.write(job, header, rows)
                _check_failures(job)
                if self._stopping:
                    return False
        return True

    async def _check(self, job: Job) -> None:
        """Read the file to its end. Raises Unusable, Lost."""
        count = 0
        async for _ in self._rows(job, _file_of(job)):
            count += 1
            if count > MOST_ROWS:
                raise Unusable(f"the file has more than {MOST_ROWS:,} rows")

    async def _rows(self, job: Job, file: CsvFile) -> AsyncIterator[Cells]:
        number = 0
        while True:
            content = await self._chunk(job, number)
            for cells in file.feed(content):
                yield cells
            if content is None:
                return
            number += 1

    async def _chunk(self, job: Job, number: int) -> bytes | None:
        async with self.units.begin() as unit:
            until = unit.now + self.lease
            content = await import_jobs.read_chunk(unit, job, number, until)
        job.until = until
        return content

    async def _end(self, job: Job, reason: str | None) -> None:
        async with self.units.begin() as unit:
            await import_jobs.end(unit, job, reason)
        progress = job.progress
        status = "COMPLETED" if reason is None else "FAILED"
        log.info("import ended", import_id=job.id, status=status, rows=progress.rows_done, failed=progress.rows_failed)

    async def _retry(self, job: Job, reason: str) -> None:
        wait = self.backoff.delay(job.attempts, chance=random.random())  # noqa: S311
        if wait is None:
            await self._end(job, f"{reason}; given up after attempt {job.attempts}")
        else:
            await self._put_back(job, wait, attempts=job.attempts)

    async def _put_back(self, job: Job, wait: timedelta, *, attempts: int) -> None:
        async with self.units.begin() as unit:
            await import_jobs.put_back(unit, job, wait, attempts=attempts)

    async def _keep_importing(self) -> None:
        while not self._stopping:
            job = await self.claim()
            if job is None:
                await self._rest()
            else:
                await self.perform(job)

    async def _rest(self) -> None:
        """Until a file was uploaded, or the interval is over."""
        clock = asyncio.get_running_loop()
        if clock.time() >= self._reap_at:
            self._reap_at = clock.time() + _REAP_INTERVAL
            await self.reap()
        try:
            async with asyncio.timeout(self.interval):
                await self.awake.wait()
        except TimeoutError:
            pass
        self.awake.clear()


def _file_of(job: Job) -> CsvFile:
    return CsvFile([mapping["columnName"] for mapping in job.mappings])


def _check_failures(job: Job) -> None:
    """Raise Unusable when more rows have failed than may."""
    if job.progress.rows_failed > MOST_FAILED:
        raise Unusable(
            f"more than {MOST_FAILED} rows failed; of the first {job.progress.rows_done:,} rows the others are written"
        )
