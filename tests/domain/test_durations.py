"""How people write how long."""

import contextlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.durations import UNITS, parse_duration, write_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90s", 90),
        ("10m", 600),
        ("1h30m", 5_400),
        ("1h 30m", 5_400),
        ("3d", 3 * 86_400),
        ("2w", 14 * 86_400),
        ("1y", 365 * 86_400),
        ("1.5h", 5_400),
        ("600", 600),
        ("0.25", 0.25),
        (600, 600),
        (0.5, 0.5),
    ],
)
def test_what_is_meant(written: object, seconds: float) -> None:
    assert parse_duration(written).total_seconds() == seconds


@given(st.timedeltas(timedelta(seconds=1), timedelta(days=10**6)))
def test_what_is_written_is_read_again(duration: timedelta) -> None:
    assert abs(parse_duration(write_duration(duration)) - duration) <= timedelta(seconds=0.5)


@given(st.lists(st.sampled_from(list(UNITS)), unique=True, min_size=1), st.data())
def test_parts_are_added_up(units: list[str], data: st.DataObject) -> None:
    parts = [(data.draw(st.integers(1, 1_000)), unit) for unit in UNITS if unit in units]
    expected = sum((number * UNITS[unit] for number, unit in parts), timedelta())
    assert parse_duration("".join(f"{number}{unit}" for number, unit in parts)) == expected


@given(
    st.text()
    | st.from_regex(r"\A-?[0-9.]{0,9}[a-z]{0,2}-?[0-9]{0,3}[a-z]?\Z")
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.none()
    | st.lists(st.integers())
)
def test_whatever_else_is_written_is_a_time_or_a_value_error(written: object) -> None:
    with contextlib.suppress(ValueError):
        assert parse_duration(written) > timedelta()


@pytest.mark.parametrize(
    "wrong", ["", "m", "ten minutes", "30m1h", "1h1h", "-5m", "0m", "1m2", "1e3", "\u0661m", "1 h"]
)
def test_what_nobody_means(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"time|clock"):
        parse_duration(wrong)
