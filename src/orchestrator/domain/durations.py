"""How people write how long: 90s, 10m, 1h30m, 3d, 1y, or a number of seconds."""

import math
import re
from datetime import timedelta

UNITS = {
    "y": timedelta(days=365),
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
"""From the longest to the shortest; a year has 365 days."""
EXPECTED = "a time is a number of seconds, or text such as 90s, 10m, 1h30m, 3d or 1y"

_NUMBER = r"[0-9]{1,12}(?:\.[0-9]{1,6})?"
_WRITTEN = re.compile("".join(rf"(?:({_NUMBER}){unit} ?)?" for unit in UNITS), re.ASCII)
_SECONDS = re.compile(_NUMBER, re.ASCII)


def parse_duration(written: object) -> timedelta:
    """How long that is; more than nothing. Raises ValueError, which says what was expected.

    >>> parse_duration("1h30m")
    datetime.timedelta(seconds=5400)
    >>> parse_duration(600) == parse_duration("600") == parse_duration("10m")
    True
    """
    try:
        found = _duration(written)
    except OverflowError as error:
        raise ValueError("that is longer than anybody can count") from error
    if not found:
        raise ValueError("the time must be longer than nothing")
    return found


def write_duration(duration: timedelta) -> str:
    """The same for people, to the second.

    >>> write_duration(timedelta(seconds=5400.4))
    '1h30m'
    >>> write_duration(timedelta())
    '0s'
    """
    rest, parts = round(abs(duration).total_seconds()), []
    for name, unit in UNITS.items():
        count, rest = divmod(rest, round(unit.total_seconds()))
        if count and name != "w":  # 10d says more than 1w3d
            parts.append(f"{count}{name}")
        elif count:
            rest += count * round(unit.total_seconds())
    return "".join(parts) or "0s"


def _duration(written: object) -> timedelta:
    if isinstance(written, bool) or not isinstance(written, str | int | float):
        raise ValueError(EXPECTED)
    if not isinstance(written, str):
        return _seconds(written)
    text = written.strip()
    if text.startswith("-"):
        raise ValueError("the clock is only turned forward")
    if _SECONDS.fullmatch(text):
        return timedelta(seconds=float(text))
    if not text or (match := _WRITTEN.fullmatch(text)) is None:
        raise ValueError(EXPECTED)
    parts = zip(UNITS.values(), match.groups(), strict=True)
    return sum((unit * float(number) for unit, number in parts if number), timedelta())


def _seconds(number: float) -> timedelta:
    if number < 0:
        raise ValueError("the clock is only turned forward")
    if not math.isfinite(number):
        raise ValueError(EXPECTED)
    return timedelta(seconds=number)
