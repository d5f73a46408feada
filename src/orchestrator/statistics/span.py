"""A stretch of time, cut into minutes, hours or days of UTC."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

MOST_BUCKETS = 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class By(StrEnum):
    """How long a piece is."""

    MINUTE = "MINUTE"
    HOUR = "HOUR"
    DAY = "DAY"

    @property
    def width(self) -> timedelta:
        return _WIDTHS[self]


_WIDTHS = {By.MINUTE: timedelta(minutes=1), By.HOUR: timedelta(hours=1), By.DAY: timedelta(days=1)}
_USUAL = {By.MINUTE: 60, By.HOUR: 48, By.DAY: 30}
"""So many pieces where nobody says from when."""


class TooLong(ValueError):
    """More pieces than are counted at once, or none."""


@dataclass(frozen=True, slots=True)
class Span:
    """Whole pieces, one after the other."""

    by: By
    first: int
    """Number of the first piece since 1970."""
    count: int

    @classmethod
    def of(cls, by: By, begin: datetime | None, end: datetime) -> "Span":
        """The pieces from the one of `begin` to the one of `end`. Raises TooLong."""
        last = (end - _EPOCH) // by.width
        first = last - _USUAL[by] + 1 if begin is None else (begin - _EPOCH) // by.width
        if not 1 <= last - first + 1 <= MOST_BUCKETS:
            raise TooLong(f"from and to must be 1 to {MOST_BUCKETS} pieces of a {by.lower()} apart")
        return cls(by, first, last - first + 1)

    @property
    def begin(self) -> datetime:
        return self.at(self.first)

    @property
    def end(self) -> datetime:
        """The moment after the last piece."""
        return self.at(self.first + self.count)

    @property
    def numbers(self) -> Iterator[int]:
        return iter(range(self.first, self.first + self.count))

    def at(self, number: int) -> datetime:
        """When a piece begins."""
        return _EPOCH + number * self.by.width
