"""The way of the clock to a later time, with a stop at whatever is due before: each thing happens at its own time.

At a stop the clock stands still, and nobody goes on before all that is due by then is done: conversations have moved,
callbacks, messages and extractions have been tried as often as was due, and nothing of it is under way. So retries are
stops too. What is done is done by the worker's loops, in this process or another; here they are woken and waited for.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic

from orchestrator.devtools import clock, deadlines
from orchestrator.devtools.deadlines import Left
from orchestrator.devtools.happened import Happened
from orchestrator.kernel.errors import Unavailable
from orchestrator.kernel.unit import Units
from orchestrator.lifecycle.sweep import sweep_all
from orchestrator.worker import Leases

WITHOUT_PROGRESS = 30.0
"""Seconds for which a turn waits while nothing gets done."""
ALTOGETHER = 300.0
"""Seconds for which it waits at most."""
MOST_STOPS = 1_000
FREE_STOPS = 500
"""So many are made wherever something is due; those after them no closer than the rest of the way allows."""
_LOOKS = (0.002, 0.005, 0.01, 0.02, 0.05)
"""Seconds between looks whether everything is done; the last again and again."""


@dataclass(slots=True)
class Patience:
    """How long a turn waits for what is due. Once that is over, the rest of the way is gone without waiting."""

    _began: float = field(default_factory=monotonic)
    _progress_at: float = field(default_factory=monotonic)
    _seen: object = None
    is_lost: bool = False

    def begin(self) -> None:
        """At another stop, whatever there is to be seen is new."""
        self._seen, self._progress_at = None, monotonic()

    def is_over(self, seen: object) -> bool:
        """Whether to wait no longer, given what there is to be seen now."""
        now = monotonic()
        if seen != self._seen:
            self._seen, self._progress_at = seen, now
        waited, altogether = now - self._progress_at, now - self._began
        self.is_lost = self.is_lost or waited > WITHOUT_PROGRESS or altogether > ALTOGETHER
        return self.is_lost


@dataclass(slots=True)
class Walk:
    """One way, in units of its own. Nobody else turns the clock meanwhile."""

    units: Units
    leases: Leases
    wake: Callable[[], None]
    """Tells the loops of this process that something is due."""
    is_stopping: Callable[[], bool]
    happened: Happened
    patience: Patience = field(default_factory=Patience)

    async def to(self, target: datetime) -> Left:
        """Go there from where the clock stands; what is left to do in the end. Raises Unavailable."""
        left, stops = await self._settle(), 0
        while (stop := await self._next(target, stops)) is not None:
            async with self.units.begin() as unit:
                await clock.stand_at(unit, stop)
            left, stops = await self._settle(), stops + 1
        return left

    async def _next(self, target: datetime, stops: int) -> datetime | None:
        """Where to stop next; None at the target."""
        async with self.units.begin() as unit:
            now = unit.now
            if now >= target:
                return None
            # Nobody waits any more for attempts; those that are due are then made at the target.
            due = await deadlines.next_deadline(unit, with_attempts=not self.patience.is_lost)
            if stops >= FREE_STOPS:
                soonest = now + (target - now) / max(1, MOST_STOPS - stops)
                due = due and max(due, soonest)
            stop = target if due is None else min(due, target)
            await self.happened.before(unit, stop)
        return stop

    async def _settle(self) -> Left:
        """Have done what is due now; what is left of it."""
        looks = 0
        self.patience.begin()
        while True:
            if self.is_stopping():
                raise Unavailable("the service stops; the clock got as far as it shows")
            await sweep_all(self.units)
            self.wake()
            async with self.units.begin() as unit:
                left = await deadlines.left(unit, self.leases)
                if left.is_nothing or self.patience.is_over(left):
                    await self.happened.after(unit)
                    return left
            await asyncio.sleep(_LOOKS[min(looks, len(_LOOKS) - 1)])
            looks += 1
