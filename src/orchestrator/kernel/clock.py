"""The only reader of the system clock. Everybody else gets the time as a value, once per transaction."""

from datetime import UTC, datetime
from functools import lru_cache


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


def clock_of(*, start: datetime | None, speed: int) -> Clock:
    """The clock that the settings ask for; without a start it is the system's."""
    return Clock() if start is None else FastClock(start=start, speed=speed)


@lru_cache(maxsize=4096)
def rest_time(moment: datetime) -> str:
    """A time in a REST body: whole seconds, because the official Python SDK parses only those into datetimes."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def event_time(moment: datetime) -> str:
    """The time of an event in a status callback: milliseconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
