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
            working = asyncio.create_task(self._work())
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, working.cancel)
            await asyncio.wait([working])
        if working.cancelled():
            return False
        working.result()
        return True

    async def _work(self) -> None:
        """Read until it is enough; what was read is handed on, however long that takes."""
        try:
            async with asyncio.timeout(self.seconds) as limit:
                await self._read()
        except TimeoutError:
            if not limit.expired():
                raise
        if self.forwarder is not None:
            await self.forwarder.finish()

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
