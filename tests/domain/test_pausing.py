"""When an endpoint that keeps failing is left alone."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.pausing import Health, News, Pausing

NOW = datetime(2026, 2, 3, 9, tzinfo=UTC)
RULE = Pausing(failures=3, seconds=60, pauses=(30, 90))
FAILED, SUCCEEDED = News(succeeded=False, failures=1, error="HTTP 500"), News(succeeded=True, failures=0)
PAUSED = Health(3, NOW, NOW, "HTTP 500", 1, NOW, NOW + timedelta(seconds=30))

news = st.builds(News, succeeded=st.booleans(), failures=st.integers(0, 5), error=st.none() | st.just("HTTP 500"))


def after(*steps: tuple[float, News], health: Health | None = None) -> Health:
    """What is known after the news, each with its second."""
    known = health or Health()
    for second, told in steps:
        known = known.after(told, NOW + timedelta(seconds=second), RULE)
    return known


def test_failures_in_a_row_over_some_time_pause() -> None:
    assert after((0, FAILED), (30, FAILED)).paused_until is None
    assert after((0, FAILED), (30, FAILED), (59, FAILED)).paused_until is None
    paused = after((0, FAILED), (30, FAILED), (60, FAILED))
    assert (paused.failures, paused.pauses) == (3, 1)
    assert (paused.paused_at, paused.paused_until) == (NOW + timedelta(seconds=60), NOW + timedelta(seconds=90))


def test_a_success_in_between_begins_anew() -> None:
    known = after((0, FAILED), (60, FAILED), (61, News(succeeded=True, failures=2)), (100, FAILED))
    assert (known.failures, known.paused_until) == (3, None)


def test_what_was_on_its_way_when_the_pause_began_changes_nothing_of_it() -> None:
    known = after((20, FAILED), (40, FAILED), health=PAUSED)
    assert (known.pauses, known.paused_until, known.failures) == (1, PAUSED.paused_until, 5)


def test_pauses_grow_and_have_an_end() -> None:
    known, lengths = PAUSED, []
    for _ in range(3):
        assert known.paused_until is not None
        moment = known.paused_until
        probing = Health(4, NOW, NOW, "", known.pauses, NOW, moment + timedelta(minutes=1), probing=True)
        known = probing.after(FAILED, moment, RULE)
        assert known.paused_until is not None
        lengths.append((known.paused_until - moment).total_seconds())
        assert (known.paused_at, known.probing) == (NOW, False)
    assert lengths == [90, 90, 90]


def test_a_success_ends_the_pause_and_keeps_the_last_error() -> None:
    assert after((31, SUCCEEDED), health=PAUSED) == Health(last_failure_at=NOW, last_error="HTTP 500")


@given(st.lists(st.tuples(st.integers(0, 100), news), max_size=20))
def test_only_failures_pause_and_any_success_opens(told: list[tuple[int, News]]) -> None:
    known, second = Health(), 0
    for wait, one in told:
        second += wait
        before, known = known, after((second, one), health=known)
        if one.succeeded and not one.failures:
            assert known.failures == known.pauses == 0
            assert known.paused_until is None
        if known.pauses > before.pauses:
            assert one.failures
        assert (known.paused_until is None) == (known.pauses == 0)
