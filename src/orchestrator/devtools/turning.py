"""Turning the clock: only forward, and while nothing else does. Its base is what it shows if nobody turns it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.devtools import clock, deadlines
from orchestrator.devtools.deadlines import Left
from orchestrator.devtools.happened import Happened, Moved, Sent
from orchestrator.devtools.walking import Walk
from orchestrator.kernel.clock import SharedClock
from orchestrator.kernel.errors import Conflict, OnlyInDevMode
from orchestrator.kernel.fields import refused
from orchestrator.kernel.jobs import durably
from orchestrator.kernel.unit import Unit, Units
from orchestrator.worker import Leases

FARTHEST = timedelta(days=100 * 365)
"""Ahead of its base; what is planned from then on must still be a time that everybody can write."""
_PAUSES = (0.05, 0.2, 1.0, 2.0, 5.0)
"""Seconds, while the database is away: a clock that ran before a turn must not be left standing."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of a turn; nothing where no time passed."""

    moved: Sequence[Moved] = ()
    moved_in_all: int = 0
    sent: Sequence[Sent] = ()
    sent_in_all: int = 0
    left: Left = field(default_factory=Left)


@dataclass(frozen=True, slots=True)
class Turner:
    """Turns the clock of a service. Raises OnlyInDevMode where it cannot be turned, and Conflict."""

    units: Units
    leases: Leases
    wake: Callable[[], None]
    """Tells the loops of this process that something is due."""
    is_stopping: Callable[[], bool]

    def _turnable(self) -> SharedClock:
        if not isinstance(self.units.clock, SharedClock):
            raise OnlyInDevMode(
                "the clock can be turned only in dev mode (ORCHESTRATOR_MODE=dev): conversations would be closed, and "
                "what is past its keeping would be lost"
            )
        return self.units.clock

    async def freeze(self) -> Turn:
        """Let the clock stand still at what it shows."""
        ours = self._turnable()
        async with clock.alone(self.units):
            await clock.stop(self.units, ours)
        return Turn()

    async def run(self) -> Turn:
        """Let the clock run on from where it stands still."""
        ours = self._turnable()
        async with clock.alone(self.units), self.units.begin() as unit:
            await clock.run_on(unit, ours)
        return Turn()

    async def reset(self, *, force: bool) -> Turn:
        """Put the clock back to its base, unless something was written at a later time than that shows."""
        ours = self._turnable()
        async with clock.alone(self.units), self.units.begin() as unit:
            if ours.turned.shows_its_base:
                return Turn()  # nothing goes back
            now, newest = ours.base.now(), await clock.newest(unit)
            if newest is not None and newest > now and not force:
                raise Conflict(
                    f"something was written at {newest.isoformat()}, which is later than {now.isoformat()}: it would "
                    "lie in the future; `force` puts the clock back all the same",
                    details={"newest": newest.isoformat()},
                )
            await clock.run_ahead(unit, timedelta())
        return Turn()

    async def advance(self, account_id: str, *, by: timedelta | None = None, to: datetime | None = None) -> Turn:
        """Go on by so much, or to a time. Raises BadRequest where that is in the past or too far away."""

        async def target(unit: Unit) -> datetime:
            # What is longer is refused in any case, and might lead to where no year is.
            goal = to or unit.now + min(by or timedelta(), FARTHEST * 2)
            if goal <= unit.now:
                raise refused("/to", f"the clock is only turned forward, and shows {unit.now.isoformat()}", str(goal))
            return goal

        return await self._go(account_id, target, "/to" if by is None else "/by")

    async def next_deadline(self, account_id: str) -> Turn:
        """Go to the next step that time brings to a conversation of the account. Raises Conflict if there is none."""

        async def target(unit: Unit) -> datetime:
            deadline = await deadlines.next_of_account(unit, account_id)
            if deadline is None:
                raise Conflict("there is no deadline: the account has no open conversation")
            return deadline.step.at

        return await self._go(account_id, target, "/action")

    async def _go(self, account_id: str, target: Callable[[Unit], Awaitable[datetime]], pointer: str) -> Turn:
        ours = self._turnable()
        async with clock.alone(self.units):
            async with self.units.begin() as unit:
                goal = await target(unit)
                if goal - ours.base.now() > FARTHEST:
                    raise refused(pointer, f"that is more than {FARTHEST.days // 365} years ahead", str(goal))
                stood = ours.turned.stands_at is not None
            try:
                await clock.stop(self.units, ours)
                return await self._walk(account_id, goal)
            finally:
                if not stood:
                    await durably(self.units, lambda unit: clock.run_on(unit, ours), pauses=_PAUSES)

    async def _walk(self, account_id: str, goal: datetime) -> Turn:
        async with self.units.begin() as unit:
            happened = await Happened.from_now(unit, account_id)
        left = await Walk(self.units, self.leases, self.wake, self.is_stopping, happened).to(goal)
        sent = list(happened.sent.values())
        return Turn(happened.moved, happened.moved_in_all, sent, len(sent) + len(happened.not_told), left)
