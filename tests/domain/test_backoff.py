"""When a failed callback is tried again (contract README, "Callbacks")."""

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.domain.backoff import DEFAULT_DELAYS, Backoff

chances = st.floats(0, 1)
wishes = st.none() | st.floats(-2, 2) | st.floats(0, 1e6) | st.sampled_from([0.0, 1e300, float("inf"), float("nan")])
failed_attempts = st.integers(1, len(DEFAULT_DELAYS))
schedules = st.builds(
    Backoff,
    delays=st.lists(st.floats(0, 1e6), min_size=1, max_size=10),
    jitter=st.floats(0, 1),
    fast_attempts=st.integers(1, 10),
)


def test_the_default_schedule() -> None:
    """README: "about 5 s, 30 s, 2 min, 10 min, 30 min, 2 h, 5 h, 10 h"."""
    assert [Backoff().delay(attempts, chance=0) for attempts in range(1, 9)] == [
        timedelta(seconds=5),
        timedelta(seconds=30),
        timedelta(minutes=2),
        timedelta(minutes=10),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=5),
        timedelta(hours=10),
    ]


@given(failed_attempts, chances)
def test_jitter_adds_up_to_a_tenth_and_takes_nothing_away(attempts: int, chance: float) -> None:
    wait = Backoff().delay(attempts, chance=chance)
    least = timedelta(seconds=DEFAULT_DELAYS[attempts - 1])
    assert wait is not None
    assert least <= wait <= least * 1.1


@given(failed_attempts, chances, chances)
def test_more_chance_waits_longer(attempts: int, one: float, other: float) -> None:
    shorter, longer = (Backoff().delay(attempts, chance=chance) for chance in sorted((one, other)))
    assert shorter is not None
    assert longer is not None
    assert shorter <= longer


@given(st.floats(0, 1e6), chances, wishes)
@example(0.0, 0.0, 0.5)
@example(0.0, 0.0, None)
def test_retry_after_lengthens_up_to_a_day_and_never_shortens(delay: float, chance: float, wish: float | None) -> None:
    backoff = Backoff(delays=[delay])
    planned = backoff.delay(1, chance=chance)
    wait = backoff.delay(1, chance=chance, retry_after=wish)
    assert planned is not None
    if wish is not None and wish > 0:
        assert wait == max(planned, timedelta(seconds=wish) if wish < 86_400 else timedelta(days=1))
    else:
        assert wait == planned


@given(schedules, chances, wishes, st.integers(1, 20))
def test_gives_up_after_the_last_delay_whatever_the_receiver_wishes(
    backoff: Backoff, chance: float, wish: float | None, more: int
) -> None:
    last = len(backoff.delays)
    assert backoff.delay(last, chance=chance, retry_after=wish) is not None
    assert backoff.delay(last + more, chance=chance, retry_after=wish) is None


def test_the_ninth_failure_of_the_default_schedule_is_the_last() -> None:
    assert [Backoff().delay(attempts, chance=1) is None for attempts in (8, 9, 10)] == [False, True, True]


@pytest.mark.parametrize("attempts", range(10))
def test_order_is_held_while_the_first_four_attempts_last(attempts: int) -> None:
    """README: "the next event waits while the head is in its fast retries, the first four attempts"."""
    assert Backoff().holds_order(attempts, timedelta(seconds=120)) == (attempts < 4)


def test_a_long_wish_of_the_receiver_gives_the_order_up() -> None:
    """README: "so that one broken reply never silences a conversation for hours"."""
    wished = Backoff().delay(1, chance=0, retry_after=86_400)
    assert wished == timedelta(hours=24)
    assert not Backoff().holds_order(1, wished)


@given(schedules, st.integers(0, 20), st.timedeltas(timedelta(), timedelta(days=1)))
def test_order_once_given_up_is_never_taken_back(backoff: Backoff, attempts: int, wait: timedelta) -> None:
    assert backoff.holds_order(attempts, wait) or not backoff.holds_order(attempts + 1, wait)
