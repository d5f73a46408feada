"""Concurrent requests become one transaction: whatever queued while the previous batch was written is the next one.

There is no collecting timer; when the service is idle a message is a batch of one and waits for nothing.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import structlog

from orchestrator.kernel.errors import Unavailable
from orchestrator.kernel.telemetry import BATCH_RETRIES, BATCH_SIZE

log = structlog.get_logger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")

_MOST_WAITING = 10_000


class Batcher(Generic[Item, Result]):
    """Collects items and writes them in batches, one batch at a time and in order of arrival."""

    def __init__(self, write: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]], *, size: int) -> None:
        self._write = write
        self._size = size
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def submit(self, item: Item) -> Result:
        """Write an item; returns once it is durable. Raises what the write raised, or Unavailable when overloaded."""
        if len(self._waiting) >= _MOST_WAITING:
            raise Unavailable("more traffic arrives than can be written; repeat shortly", headers={"Retry-After": "1"})
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        return await future

    async def _write_all(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(self._size, len(self._waiting)))]
            BATCH_SIZE.observe(len(batch))
            await self._write_batch(batch)

    async def _write_batch(self, batch: Sequence[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._write([item for item, _ in batch])
        except Exception as error:
            await self._recover(batch, error)
            return
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)

    async def _recover(self, batch: Sequence[tuple[Item, asyncio.Future[Result]]], error: Exception) -> None:
        """One bad message harms only itself: what failed together is written again one by one."""
        if len(batch) == 1:
            ((_, future),) = batch
            if not future.done():
                future.set_exception(error)
            return
        BATCH_RETRIES.inc()
        log.warning("batch failed, writing its messages one by one", messages=len(batch), error=str(error))
        for entry in batch:
            await self._write_batch([entry])
