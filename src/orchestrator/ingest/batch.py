"""Concurrent requests become one transaction: whatever queued while the previous batch was written is the next one.

There is no collecting timer; when the service is idle a message is a batch of one and waits for nothing.
"""

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from typing import Generic, TypeVar

import asyncpg
import structlog

from orchestrator.kernel.errors import Unavailable
from orchestrator.kernel.telemetry import BATCH_RETRIES, BATCH_SIZE
from orchestrator.kernel.unit import is_transient

log = structlog.get_logger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")

_MOST_WAITING = 10_000
_TRIES = 3
_PAUSE = 0.05
"""Seconds before a batch that met a transient failure is written again."""


class Outdated(Exception):
    """What a batch had read was no longer true when it was locked: read again."""


class Batcher(Generic[Item, Result]):
    """Collects items and writes them in batches.

    There are a few lanes, each with one batch in flight: while the database works for one, the process works for
    another. Items of one lane are written in the order of their arrival, so what must stay in order shares a lane.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]],
        *,
        size: int,
        lanes: int,
        lane_of: Callable[[Item], Hashable],
    ) -> None:
        self._lanes = [_Lane(write, size) for _ in range(lanes)]
        self._lane_of = lane_of

    async def submit(self, item: Item) -> Result:
        """Write an item; returns once it is durable. Raises what the write raised, or Unavailable when overloaded."""
        lane = self._lanes[hash(self._lane_of(item)) % len(self._lanes)]
        return await lane.submit(item)


class _Lane(Generic[Item, Result]):
    """Writes one batch at a time; whatever queued meanwhile is the next."""

    def __init__(self, write: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]], size: int) -> None:
        self._write = write
        self._size = size
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        if len(self._waiting) >= _MOST_WAITING:
            raise Unavailable("more traffic arrives than can be written; repeat shortly", headers={"Retry-After": "1"})
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._writer is None or self._writer.done():
            # In a context of its own: what it logs concerns many requests, not the one that happens to start it.
            self._writer = asyncio.create_task(self._write_all(), context=contextvars.Context())
        return await future

    async def _write_all(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(self._size, len(self._waiting)))]
            BATCH_SIZE.observe(len(batch))
            await self._settle(batch)

    async def _settle(self, batch: Sequence[tuple[Item, "asyncio.Future[Result]"]]) -> None:
        """Write a batch and answer its requests. One bad message harms only itself: the others are written alone."""
        try:
            results = await self._persist([item for item, _ in batch])
        except Exception as error:  # whatever it is, it belongs to the requests
            if len(batch) == 1 or _concerns_all(error):
                for _, future in batch:
                    _fail(future, error)
                return
            BATCH_RETRIES.inc()
            log.warning("batch failed, writing its messages one by one", messages=len(batch), error=_kind(error))
            for entry in batch:
                await self._settle([entry])
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)

    async def _persist(self, items: Sequence[Item]) -> Sequence[Result]:
        """Write items, again where that is all it takes (a deadlock, a lost connection, something that has ended)."""
        for attempt in range(1, _TRIES):
            try:
                return await self._write(items)
            except Exception as error:
                if not (is_transient(error) or isinstance(error, Outdated)):
                    raise
                BATCH_RETRIES.inc()
                log.warning("transient failure, writing the batch again", messages=len(items), error=_kind(error))
                await asyncio.sleep(_PAUSE * attempt)
        return await self._write(items)


def _kind(error: Exception) -> str:
    """What went wrong; the database's own words may repeat what somebody wrote."""
    return f"{type(error).__name__} {getattr(error, 'sqlstate', '')}".strip()


def _concerns_all(error: Exception) -> bool:
    """A database that cannot be used is the same for every message; a deadlock may be over for each alone."""
    return is_transient(error) and not isinstance(error, asyncpg.DeadlockDetectedError | asyncpg.SerializationError)


def _fail(future: "asyncio.Future[Result]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
