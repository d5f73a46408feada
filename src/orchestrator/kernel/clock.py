"""The only reader of the system clock. Everybody else gets the time as a value, once per transaction."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any


class Clock:
    """Tells the time in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FastClock(Clock):
    """Runs faster than time by a whole factor, alike in every process: all count from the same moment."""

    def __init__(self, *, start: datetime, speed: int) -> None:
        self._start = start
        self._speed = speed

    def now(self) -> datetime:
        return self._start + (super().now() - self._start) * self._speed


@dataclass(frozen=True, slots=True)
class Turned:
    """How far a clock is turned."""

    ahead: timedelta = timedelta()
    """Of the clock as it would be, while it runs. It is behind that where it once stood still."""
    stands_at: datetime | None = None
    """None while it runs."""
    version: int = 0
    """Larger the later it was written."""

    @property
    def shows_its_base(self) -> bool:
        """Whether it is as if nobody had ever turned it."""
        return self.stands_at is None and not self.ahead


class SharedClock(Clock):
    """One that can be turned, and shows the same in every process of a database.

    How far it is turned is in the database, and read for every unit of work, so that a turn holds from its commit on.
    Who asks outside a unit is told by what was read last.
    """

    def __init__(self, base: Clock) -> None:
        self.base = base
        """What it shows as long as nobody turns it."""
        self.turned = Turned()
        self._learned = 0

    def now(self) -> datetime:
        return self.turned.stands_at or self.base.now() + self.turned.ahead

    async def read(self, fetch_row: Callable[[str], Awaitable[Any]]) -> None:
        """Learn how far it is turned, by a connection that runs this query."""
        learned = self._learned
        row = await fetch_row("select ahead, stands_at, xmin as version from clock")
        told = Turned() if row is None else Turned(row["ahead"], row["stands_at"], row["version"])
        # Answers of two connections may come in the other order. What was asked for after the last answer had come is
        # newer whatever its version: the database may be another one meanwhile, put back from a backup.
        if learned == self._learned or told.version >= self.turned.version:
            self.turned, self._learned = told, self._learned + 1


def clock_of(*, start: datetime | None, speed: int, shared: bool = False) -> Clock:
    """The clock that the settings ask for; without a start it is the system's. A `shared` one can be turned."""
    base = Clock() if start is None else FastClock(start=start, speed=speed)
    return SharedClock(base) if shared else base


@lru_cache(maxsize=4096)
def rest_time(moment: datetime) -> str:
    """A time in a REST body: whole seconds, because the official Python SDK parses only those into datetimes."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def event_time(moment: datetime) -> str:
    """The time of an event in a status callback: milliseconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
