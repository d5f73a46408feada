"""Times and durations as people write them: `90s`, `10m`, `2h`, `3d`; and the time that the service has."""

import re
from datetime import datetime, timedelta

from orchestrator.cli.api import Api, Refused
from orchestrator.cli.errors import WrongUsage
from orchestrator.kernel.clock import Clock

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = re.compile(r"([0-9]{1,6})([smhd])")


def duration(option: str, text: str) -> timedelta:
    """A duration. Raises WrongUsage, which names the option."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise WrongUsage(f"{option}: give a duration such as 90s, 10m, 2h or 3d, not {text!r}")
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


def moment(option: str, text: str, now: datetime) -> datetime:
    """A time with its zone, or how long before `now`. Raises WrongUsage, which names the option."""
    match = _DURATION.fullmatch(text.strip())
    if match is not None:
        try:
            return now - duration(option, text)
        except OverflowError as error:
            raise WrongUsage(f"{option}: {text} ago there was no time yet") from error
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        wanted = "a time with its zone such as 2026-02-03T09:15:00Z, or how long ago such as 10m"
        raise WrongUsage(f"{option}: give {wanted}, not {text!r}")
    return found


async def service_time(api: Api) -> datetime:
    """What the service takes for now: in dev mode its clock can be turned. Raises CommandFailed."""
    try:
        clock = await api.get("/orchestrator/v1/Clock")
    except Refused as error:
        if error.status != 404:
            raise
        return Clock().now()  # a version whose clock cannot be turned
    return datetime.fromisoformat(clock["now"])
