"""The only reader of the system clock. Everybody else gets the time as a value, once per transaction."""

from datetime import UTC, datetime
from functools import lru_cache


class Clock:
    """Tells the time in UTC."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@lru_cache(maxsize=4096)
def rest_time(moment: datetime) -> str:
    """A time in a REST body: whole seconds, because the official Python SDK parses only those into datetimes."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def event_time(moment: datetime) -> str:
    """The time of an event in a status callback: milliseconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
