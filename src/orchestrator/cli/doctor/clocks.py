"""Checks of clocks: the service's, this machine's, the database's, and one that somebody has turned."""

from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime

from orchestrator.cli.api import Api
from orchestrator.cli.doctor.findings import Finding
from orchestrator.cli.doctor.seen import Seen
from orchestrator.domain.durations import write_duration
from orchestrator.kernel.clock import Clock

TOLERANCE = timedelta(seconds=3)
"""The header tells whole seconds, and the service writes it anew once a second."""


async def service_skew(api: Api) -> timedelta | None:
    """How far the service's clock is ahead of this machine's; None where its answers have no `Date`."""
    before = Clock().now()
    date = (await api.request("GET", "/healthz")).headers.get("date")
    if date is None:
        return None
    middle = before + (Clock().now() - before) / 2
    return parsedate_to_datetime(date) - middle


def skewed(skew: timedelta | None) -> Iterator[Finding]:
    """The service's machine and this one do not agree."""
    if skew is not None and abs(skew) > TOLERANCE:
        yield Finding(
            "clock-skew",
            "clocks",
            f"The service's clock is {_apart(skew)} this machine's.",
            "Set both by NTP. Machines that serve one database must agree within a second: timers and repeated "
            "callbacks are due by the clock of whoever looks.",
        )


def database_skewed(skew: timedelta) -> Iterator[Finding]:
    """The database's machine and this one do not agree."""
    if abs(skew) > TOLERANCE:
        yield Finding(
            "database-clock-skew",
            "clocks",
            f"The database's clock is {_apart(skew)} this machine's. The service does not go by it.",
            "Set both by NTP: logs and backups are hard to compare otherwise.",
        )


def turned(seen: Seen) -> Iterator[Finding]:
    """The service's clock was stopped or put forward, which only dev mode allows."""
    if seen.clock is None:
        return
    ahead = timedelta(seconds=float(seen.clock["aheadSeconds"]))
    if seen.clock["isFrozen"] or ahead:
        state = f"stands still at {seen.clock['now']}" if seen.clock["isFrozen"] else f"is {_apart(ahead)} real time"
        yield Finding(
            "clock-turned",
            "clocks",
            f"The service's clock {state}: timers, retries and times of events go by it.",
            "`orchestrator clock` shows it, `orchestrator clock run` lets it go on, `orchestrator clock reset` puts it "
            "right.",
        )


def _apart(skew: timedelta) -> str:
    return f"{write_duration(skew)} {'ahead of' if skew > timedelta() else 'behind'}"


CHECKS = (turned,)
