"""When an endpoint that keeps failing is left alone for a while."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

DEFAULT_PAUSES = (30.0, 60.0, 120.0, 300.0, 600.0, 900.0)
"""Seconds; the last is that of every further pause."""


@dataclass(frozen=True, slots=True)
class Pausing:
    """When endpoints are paused."""

    failures: int = 10
    """So many attempts must have failed, one after the other …"""
    seconds: float = 60.0
    """… over at least this time: a deployment that takes half a minute is no reason."""
    pauses: Sequence[float] = DEFAULT_PAUSES
    """Seconds of the first pause, of the second, and so on."""

    def pause(self, number: int) -> timedelta:
        """How long the pause of this number lasts, counted from 1."""
        return timedelta(seconds=self.pauses[min(number, len(self.pauses)) - 1])


@dataclass(frozen=True, slots=True)
class News:
    """What has come of some attempts at one endpoint."""

    succeeded: bool
    """Whether any did."""
    failures: int
    """How many failed after the last success."""
    error: str | None = None
    """Of the last failure."""


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of an endpoint."""

    failures: int = 0
    """Since the last success."""
    first_failure_at: datetime | None = None
    """Of those."""
    last_failure_at: datetime | None = None
    last_error: str | None = None
    pauses: int = 0
    """Since the last success."""
    paused_at: datetime | None = None
    """When the first of those began."""
    paused_until: datetime | None = None
    """None unless it is paused. Then one delivery is tried: a success ends the pause, a failure begins the next."""
    probing: bool = False
    """Whether that one is on its way."""

    def after(self, news: News, now: datetime, pausing: Pausing) -> "Health":
        """What is known once the news is."""
        known = Health(last_failure_at=self.last_failure_at, last_error=self.last_error) if news.succeeded else self
        if not news.failures:
            return known
        known = replace(
            known,
            failures=known.failures + news.failures,
            first_failure_at=known.first_failure_at or now,
            last_failure_at=now,
            last_error=news.error,
        )
        return _paused(known, now, pausing) if _must_pause(known, now, pausing) else known


def _must_pause(health: Health, now: datetime, pausing: Pausing) -> bool:
    if health.paused_until is not None:
        # What was on its way when the pause began tells nothing new; the one that was sent after it does.
        return health.probing
    assert health.first_failure_at is not None
    lasted = now - health.first_failure_at
    return health.failures >= pausing.failures and lasted >= timedelta(seconds=pausing.seconds)


def _paused(health: Health, now: datetime, pausing: Pausing) -> Health:
    number = health.pauses + 1
    return replace(
        health,
        pauses=number,
        paused_at=health.paused_at or now,
        paused_until=now + pausing.pause(number),
        probing=False,
    )
