"""Charts as shapes: where each bar and line of a chart lies, for a template that draws them as SVG.

Everything is in units of the drawing, whose size is `WIDTH` by `HEIGHT`; colours are classes of the style sheet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, log10
from typing import Any

WIDTH, HEIGHT = 600, 140
_LEFT, _BOTTOM, _TOP = 44, 18, 8
_GAP = 0.15
"""Part of a bar's room that stays empty."""
_LABELS = 5
_UNITS = ((10**9, "G"), (10**6, "M"), (10**3, "k"))


@dataclass(frozen=True, slots=True)
class Bar:
    """One piece of a stack."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    told: str
    """When, what and how much, for who hovers over it."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart, and the same as a table."""

    title: str
    told: str
    """In a sentence, for who does not see it."""
    kinds: Sequence[tuple[str, str]]
    """Class and name of what is counted, in the order of the stack."""
    bars: Sequence[Bar]
    lines: Sequence[tuple[str, str]]
    """Class, and points of a polyline."""
    scale: Sequence[tuple[float, str]]
    """Heights with their numbers."""
    times: Sequence[tuple[float, str]]
    """Places along the time axis with their moments."""
    rows: Sequence[tuple[str, Sequence[Any]]]
    """Moment and numbers; only where there are any."""

    @property
    def is_empty(self) -> bool:
        return not self.rows


Numbers = Sequence[Mapping[str, float | None]]
"""For each piece of time, how much of each kind; None where there is nothing to tell."""


def stacked(title: str, times: Sequence[str], kinds: Sequence[tuple[str, str]], numbers: Numbers) -> Chart:
    """Bars, one on the other."""
    most = _rounded(max((sum(one[kind] or 0 for kind, _ in kinds) for one in numbers), default=0))
    room = (WIDTH - _LEFT) / max(len(times), 1)
    bars = []
    for place, (time, one) in enumerate(zip(times, numbers, strict=True)):
        below = 0.0
        for kind, name in kinds:
            if count := one[kind]:
                height = _height(count, most)
                top = round(HEIGHT - _BOTTOM - _height(below, most) - height, 1)
                left = round(_LEFT + (place + _GAP / 2) * room, 1)
                told = f"{_shown(time)}: {count:g} {name}"
                bars.append(Bar(left, top, round(room * (1 - _GAP), 1), round(height, 1), kind, told))
                below += count
    return _chart(title, times, kinds, numbers, most, bars=bars)


def lines(title: str, times: Sequence[str], kinds: Sequence[tuple[str, str]], numbers: Numbers) -> Chart:
    """A line for each kind, through the pieces in which there is something to tell."""
    most = _rounded(max((one[kind] or 0 for one in numbers for kind, _ in kinds), default=0))
    drawn = []
    for kind, _ in kinds:
        points = [
            f"{_place(place, len(times)):.1f},{HEIGHT - _BOTTOM - _height(value, most):.1f}"
            for place, one in enumerate(numbers)
            if (value := one[kind]) is not None
        ]
        drawn.append((kind, " ".join(points)))
    return _chart(title, times, kinds, numbers, most, drawn=drawn)


def _chart(
    title: str,
    times: Sequence[str],
    kinds: Sequence[tuple[str, str]],
    numbers: Numbers,
    most: float,
    bars: Sequence[Bar] = (),
    drawn: Sequence[tuple[str, str]] = (),
) -> Chart:
    rows = [
        (time, [one[kind] for kind, _ in kinds])
        for time, one in zip(times, numbers, strict=True)
        if any(one[kind] for kind, _ in kinds)
    ]
    step = max(len(times) // _LABELS, 1)
    scale = [(round(HEIGHT - _BOTTOM - _height(part * most, most), 1), _short(part * most)) for part in (0, 0.5, 1)]
    along = [(round(_place(place, len(times)), 1), _shown(times[place])) for place in range(0, len(times), step)]
    told = f"{title}: at most {most:g}" if rows else f"{title}: nothing in this time"
    return Chart(title, told, kinds, bars, drawn, scale, along, rows)


def _place(place: int, count: int) -> float:
    return _LEFT + (place + 0.5) * (WIDTH - _LEFT) / max(count, 1)


def _height(value: float, most: float) -> float:
    return value / most * (HEIGHT - _BOTTOM - _TOP)


def _rounded(most: float) -> float:
    """The next number with one digit that is even, for an axis."""
    if most <= 2:
        return 2
    unit = 10 ** int(log10(most))
    return ceil(most / unit / 2) * 2 * unit if most / unit > 1 else most


def _short(number: float) -> str:
    """For a scale, which has room for four letters: `500`, `1.5k`, `20M`."""
    size, unit = next(((size, unit) for size, unit in _UNITS if number >= size), (1, ""))
    return f"{number / size:g}{unit}"


def _shown(time: str) -> str:
    """The part of a moment that tells the pieces apart."""
    return time[5:10] if time.endswith("T00:00:00Z") else time[11:16]
