"""Waiting for what comes next in the event log: once, or for as long as somebody listens."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from time import monotonic

from fastapi.sse import format_sse_event

from orchestrator.kernel.unit import Units
from orchestrator.outbox import log
from orchestrator.outbox.log import Extract, Wish

_LOOK = 0.25
"""Seconds between looks for new events."""
_SIGN_OF_LIFE = 15.0
"""Seconds of silence after which a stream says that it is still there, so that proxies keep it open."""


class Reader:
    """Reads the log again and again. No unit is open while it waits."""

    def __init__(self, units: Units, stopping: asyncio.Event) -> None:
        self._units = units
        self._stopping = stopping

    async def read(self, wish: Wish) -> Extract:
        async with self._units.begin() as unit:
            return await log.read(unit, wish)

    async def wait(self, wish: Wish, *, seconds: float) -> Extract:
        """The next events; nothing once the time is over, or the service stops."""
        until = monotonic() + seconds
        extract = await self.read(wish)
        while not extract.events and monotonic() < until and not self._stopping.is_set():
            await self._pause()
            # What was looked at without finding anything need not be looked at again.
            wish = replace(wish, after=extract.after)
            extract = await self.read(wish)
        return extract

    async def stream(self, wish: Wish, extract: Extract) -> AsyncIterator[bytes]:
        """The events from the first extract on, until the client goes or the service stops."""
        while True:
            for event, position, event_type in zip(extract.events, extract.positions, extract.types, strict=True):
                yield format_sse_event(data_str=event.decode(), id=str(position), event=event_type)
            if self._stopping.is_set():
                return
            wish = replace(wish, after=extract.after)
            extract = await self.wait(wish, seconds=_SIGN_OF_LIFE)
            if not extract.events:
                yield format_sse_event(comment="still here")

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(_LOOK):
                await self._stopping.wait()
        except TimeoutError:
            pass
