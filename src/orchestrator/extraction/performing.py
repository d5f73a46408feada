"""The loop over jobs: claim and settle in short transactions, ask the extractor while none is open.

A job is asked for at least once and written down once. A worker that dies leaves a claim that lapses; another then asks
again with the same key, and only who still has the claim writes.
"""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import structlog

from orchestrator.domain.backoff import Backoff
from orchestrator.domain.lifecycle import Status
from orchestrator.extraction import answers, briefing, digest, store, writing
from orchestrator.extraction.answers import Answer, Malformed
from orchestrator.extraction.briefing import Briefing
from orchestrator.extraction.extractor_api import Extractor, NotNow, Refused
from orchestrator.extraction.model import Job, Result
from orchestrator.kernel.jobs import JobLoop, durably
from orchestrator.kernel.telemetry import EXTRACTIONS
from orchestrator.kernel.unit import Unit, Units

log = structlog.get_logger(__name__)

Value = TypeVar("Value")

LONGEST_REASON = 1_000
"""Characters of a `failureReason`."""

_PAUSES = (0.05, 0.2, 1.0, 2.0, 5.0)
"""Seconds between attempts to write while the database is away: whoever asks again may be told something else."""


@dataclass(slots=True)
class JobPerformer:
    """Does jobs until it is told to stop."""

    units: Units
    extractor: Extractor | None
    """None: nothing is extracted."""
    digests: bool
    """Without an extractor, CLOSED conversations leave a digest."""
    backoff: Backoff
    concurrency: int = 8
    lease: timedelta = timedelta(seconds=100)
    """How long a claim holds: longer than the extractor may take."""
    interval: float = 1.0
    """Seconds between looks while there is nothing to do."""

    @property
    def loop(self) -> JobLoop[Job]:
        """What is under way when it is stopped, others meet when the claims lapse."""
        return JobLoop(self.claim, self.perform, self.concurrency, self.interval, drains=False)

    async def run(self) -> None:
        """Do jobs for ever, until cancelled."""
        await self.loop.run()

    async def run_once(self) -> int:
        """Do everything that is due now, and what becomes due by it; returns how many jobs were claimed."""
        return await self.loop.run_once()

    async def claim(self, limit: int) -> list[Job]:
        """Take jobs that are due, for this performer alone until the lease lapses."""
        async with self.units.begin() as unit:
            return await store.claim(unit, limit=limit, lease=self.lease)

    async def perform(self, job: Job) -> None:
        """Do one claimed job."""
        if job.attempts > len(self.backoff.delays) + 1:
            await self._fail(job, "given up: whoever worked on it ended before it was done")
        elif self.extractor is not None:
            await self._extract(job, self.extractor)
        elif self.digests and job.state is Status.CLOSED:
            await self._complete(job, lambda unit: digest.sum_up(unit, job))
        else:
            await self._nothing(job, "there is no extractor")

    async def _extract(self, job: Job, extractor: Extractor) -> None:
        told = await self._durably(lambda unit: briefing.prepare(unit, job))
        if isinstance(told, str):
            await self._nothing(job, told)
            return
        try:
            answer = answers.read(await extractor.ask(told.to_json(), key=job.key))
        except NotNow as outcome:
            await self._postpone(job, str(outcome), retry_after=outcome.retry_after)
        except Malformed as outcome:
            await self._postpone(job, str(outcome))
        except Refused as outcome:
            await self._fail(job, str(outcome))
        else:
            await self._remember(job, told, answer)

    async def _remember(self, job: Job, told: Briefing, answer: Answer) -> None:
        await self._complete(job, lambda unit: writing.write(unit, job, told, answer))

    async def _nothing(self, job: Job, note: str) -> None:
        async def write(_: Unit) -> Result:
            return Result(note=note)

        await self._complete(job, write)

    async def _complete(self, job: Job, write: Callable[[Unit], Awaitable[Result]]) -> None:
        """Write and complete together, if the job is still ours."""

        async def settle(unit: Unit) -> Result | None:
            if not await store.hold(unit, job):
                return None
            result = await write(unit)
            await store.complete(unit, job, result)
            return result

        if (result := await self._durably(settle)) is not None:
            _count(job, "completed", note=result.note, ignored=result.ignored)

    async def _postpone(self, job: Job, reason: str, *, retry_after: float | None = None) -> None:
        wait = self.backoff.delay(job.attempts, chance=random.random(), retry_after=retry_after)  # noqa: S311
        if wait is None:
            await self._fail(job, f"given up after attempt {job.attempts}: {reason}")
        elif await self._durably(lambda unit: store.postpone(unit, job, _storable(reason), wait)):
            _count(job, "postponed", reason=reason, seconds=wait.total_seconds())

    async def _fail(self, job: Job, reason: str) -> None:
        if await self._durably(lambda unit: store.fail(unit, job, _storable(reason))):
            _count(job, "failed", reason=reason)

    async def _durably(self, write: Callable[[Unit], Awaitable[Value]]) -> Value:
        return await durably(self.units, write, pauses=_PAUSES)


def _storable(reason: str) -> str:
    return reason.encode(errors="replace").decode().replace("\x00", "\ufffd")[:LONGEST_REASON]


def _count(job: Job, outcome: str, **more: object) -> None:
    EXTRACTIONS.labels(outcome).inc()
    log.info("extraction", job=job.key, outcome=outcome, **more)
