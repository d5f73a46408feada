"""Events are taken from the stream, chosen, shown and handed on, until it is enough."""

import asyncio
import signal
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Protocol

from orchestrator.cli.lists import Resource
from orchestrator.cli.tail.choosing import Choice
from orchestrator.cli.tail.forwarding import Forwarder
from orchestrator.cli.tail.stream import Stream


class Screen(Protocol):
    """Where events are shown."""

    def show(self, event: Resource) -> None: ...


@dataclass(frozen=True, slots=True)
class Following:
    """What is done with the events of a stream."""

    stream: Stream
    choice: Choice
    screen: Screen
    forwarder: Forwarder | None = None
    count: int | None = None
    """Events after which it is enough; None: never."""
    seconds: float | None = None
    """Time after which it is enough; None: never."""

    async def run(self) -> bool:
        """Whether it was enough; False when somebody interrupted it, and what was not handed on yet never is."""
        async with AsyncExitStack() as stack:
            if self.forwarder is not None:
                await stack.enter_async_context(self.forwarder.running())
            if not await self._uninterrupted():
                return False
            if self.forwarder is not None:
                await self.forwarder.finish()
        return True

    async def _uninterrupted(self) -> bool:
        reading = asyncio.create_task(self._read())
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, reading.cancel)
        done, _ = await asyncio.wait([reading], timeout=self.seconds)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)  # whoever does not want to wait for the rest interrupts once more
        if not done:
            reading.cancel()
            await asyncio.wait([reading])
            return True
        if reading.cancelled():
            return False
        reading.result()
        return True

    async def _read(self) -> None:
        taken = 0
        async with aclosing(self.stream.events()) as events:
            async for event in events:
                if await self.choice.includes(event):
                    await self._take(event)
                    taken += 1
                    if taken == self.count:
                        return

    async def _take(self, event: Resource) -> None:
        self.screen.show(event)
        if self.forwarder is not None:
            await self.forwarder.put(event)
