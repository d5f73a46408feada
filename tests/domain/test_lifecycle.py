"""When silence moves a conversation (contract: conversations.md section 6)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain.addresses import Channel
from orchestrator.domain.configuration import Timeouts
from orchestrator.domain.lifecycle import LIFETIME, Life, Status, Transition, has_ended, next_transition
from tests.domain.strategies import channels

ACTIVE, INACTIVE, CLOSED = Status
CREATED = datetime(2026, 1, 1, tzinfo=UTC)
THREE_YEARS = 1_576_800  # minutes


def at(minute: float) -> datetime:
    return CREATED + timedelta(minutes=minute)


# Small numbers, so that deadlines meet; and numbers near the end of the longest life.
SHORT, EARLY, LATE = st.integers(1, 12), st.integers(0, 12), st.integers(THREE_YEARS - 12, THREE_YEARS)
WATCHED = (*range(25), *range(THREE_YEARS - 12, THREE_YEARS + 1))
"""Every minute at which a conversation made of these numbers can move."""

moments = (EARLY | LATE).map(at)
limits = st.none() | (SHORT | st.just(THREE_YEARS)).map(lambda minutes: timedelta(minutes=minutes))
lives = st.builds(
    Life,
    status=st.sampled_from(Status),
    created_at=st.just(CREATED),
    activity=st.dictionaries(channels, moments, max_size=3),
    timeouts=st.dictionaries(channels, st.builds(Timeouts, limits, limits)),
    participant_channels=st.frozensets(channels, max_size=3),
)
open_lives = lives.filter(lambda life: life.status is not CLOSED)


def clocks(life: Life) -> Mapping[Channel, datetime]:
    """What is counted from: communications, and before there is one the creation, for the participants' channels."""
    if life.activity:
        return life.activity
    return dict.fromkeys(life.participant_channels, life.created_at)


def timeout(life: Life, channel: Channel, step: str) -> timedelta | None:
    found: timedelta | None = getattr(life.timeouts.get(channel, Timeouts()), step)
    return found


def all_agree(life: Life, step: str, now: datetime) -> bool:
    """Whether every channel of the conversation has been silent for as long as it takes."""
    waits = [(now - since, timeout(life, channel, step)) for channel, since in clocks(life).items()]
    return bool(waits) and all(needed is not None and silent >= needed for silent, needed in waits)


def watched(life: Life) -> Transition | None:
    """The next step, found by looking at the conversation minute by minute."""
    if life.status is CLOSED:
        return None
    for minute in WATCHED:
        if all_agree(life, "closed", at(minute)) or minute >= THREE_YEARS:
            return Transition(CLOSED, at(minute))
        if life.status is ACTIVE and all_agree(life, "inactive", at(minute)):
            return Transition(INACTIVE, at(minute))
    raise AssertionError("a conversation outlived three years")


def steps(life: Life) -> list[Transition]:
    """All that silence brings from here."""
    found = []
    while (step := next_transition(life)) is not None:
        found.append(step)
        life = replace(life, status=step.to)
    return found


@given(lives)
@settings(max_examples=300)
def test_silence_moves_a_conversation_as_a_watcher_sees_it(life: Life) -> None:
    assert next_transition(life) == watched(life)


@given(open_lives)
def test_no_step_comes_before_every_running_channel_agrees(life: Life) -> None:
    step = next_transition(life)
    assert step is not None
    if step.at != CREATED + LIFETIME:
        name = "closed" if step.to is CLOSED else "inactive"
        for channel, since in clocks(life).items():
            needed = timeout(life, channel, name)
            assert needed is not None
            assert step.at >= since + needed


@given(open_lives)
def test_no_conversation_outlives_three_years(life: Life) -> None:
    assert steps(life)[-1].to is CLOSED
    assert all(step.at <= CREATED + LIFETIME for step in steps(life))


@given(lives)
def test_closed_is_final_and_inactive_comes_strictly_before(life: Life) -> None:
    found = steps(life)
    after = {ACTIVE: ([CLOSED], [INACTIVE, CLOSED]), INACTIVE: ([CLOSED],), CLOSED: ([],)}
    assert [step.to for step in found] in after[life.status]
    assert sorted({step.at for step in found}) == [step.at for step in found]


@given(open_lives.filter(lambda life: bool(life.activity)), channels, moments)
@settings(max_examples=200)
def test_more_activity_never_makes_a_deadline_earlier(life: Life, channel: Channel, moment: datetime) -> None:
    """Not even on a channel that was silent so far: it can only delay what the others propose."""
    later = max(moment, life.activity.get(channel, moment))
    busier = replace(life, activity={**life.activity, channel: later})
    before, after = next_transition(life), next_transition(busier)
    assert before is not None
    assert after is not None
    assert after.at >= before.at
    assert steps(busier)[-1].at >= steps(life)[-1].at


@given(lives, moments)
def test_has_ended_exactly_when_the_steps_until_now_lead_to_closed(life: Life, now: datetime) -> None:
    reached = [life.status, *(step.to for step in steps(life) if step.at <= now)]
    assert has_ended(life, now) == (reached[-1] is CLOSED)


def one_channel(inactive: int | None, closed: int | None, last: int, status: Status = ACTIVE) -> Life:
    of_sms = Timeouts(*(None if limit is None else timedelta(minutes=limit) for limit in (inactive, closed)))
    return Life(status, CREATED, {Channel.SMS: at(last)}, {Channel.SMS: of_sms})


@given(st.integers(0, 1_000_000))
def test_inactive_after_10_and_closed_after_30_minutes_of_silence(last: int) -> None:
    """Section 6: "INACTIVE at +10, CLOSED at +30 (not +40)"."""
    life = one_channel(10, 30, last)
    assert steps(life) == [Transition(INACTIVE, at(last + 10)), Transition(CLOSED, at(last + 30))]


@given(SHORT, EARLY)
def test_equal_deadlines_go_straight_to_closed(limit: int, last: int) -> None:
    """Section 6: "equal allowed = straight to CLOSED"."""
    assert steps(one_channel(limit, limit, last)) == [Transition(CLOSED, at(last + limit))]


@pytest.mark.parametrize("closed", [None, THREE_YEARS])
def test_without_a_closed_timeout_a_conversation_lasts_three_years(closed: int | None) -> None:
    """Section 6: "no timer for that channel, only the 3-year cap"; "from creation, whatever the activity"."""
    assert steps(one_channel(None, closed, last=500)) == [Transition(CLOSED, at(THREE_YEARS))]
    assert steps(one_channel(10, closed, last=500)) == [
        Transition(INACTIVE, at(510)),
        Transition(CLOSED, at(THREE_YEARS)),
    ]


def both_channels(**activity: int) -> Life:
    return Life(
        ACTIVE,
        CREATED,
        {Channel(name): at(minute) for name, minute in activity.items()},
        {
            Channel.VOICE: Timeouts(timedelta(minutes=1), timedelta(minutes=5)),
            Channel.SMS: Timeouts(None, timedelta(minutes=60)),
        },
        frozenset({Channel.VOICE, Channel.SMS}),
    )


def test_the_last_channel_that_still_runs_decides() -> None:
    """Section 6: "voice ended but SMS timer 60 → closes on the SMS timer"; no inactive timeout blocks INACTIVE."""
    assert steps(both_channels(VOICE=20, SMS=0)) == [Transition(CLOSED, at(60))]
    assert steps(both_channels(VOICE=58, SMS=0)) == [Transition(CLOSED, at(63))]


def test_before_the_first_communication_the_participants_channels_count_from_creation() -> None:
    """Section 6: "or, before any, each channel of the participants' addresses"."""
    assert steps(both_channels()) == [Transition(CLOSED, at(60))]


def test_the_first_communication_may_bring_the_end_forward() -> None:
    """From then on only channels with communications count: the one exception to activity never hurrying anything."""
    assert steps(both_channels(VOICE=3)) == [Transition(INACTIVE, at(4)), Transition(CLOSED, at(8))]


@pytest.mark.parametrize("status", [ACTIVE, INACTIVE])
def test_an_empty_conversation_of_nobody_lasts_three_years(status: Status) -> None:
    assert steps(Life(status, CREATED, {}, {})) == [Transition(CLOSED, at(THREE_YEARS))]


@pytest.mark.parametrize("now", [CREATED, at(THREE_YEARS * 2)])
def test_a_closed_conversation_has_ended_at_any_time(now: datetime) -> None:
    life = one_channel(10, 30, last=0, status=CLOSED)
    assert next_transition(life) is None
    assert has_ended(life, now)


@pytest.mark.parametrize(("minute", "ended"), [(0, False), (10, False), (29.9, False), (30, True), (31, True)])
@pytest.mark.parametrize("status", [ACTIVE, INACTIVE])
def test_a_conversation_has_ended_from_its_closing_minute_on(status: Status, minute: float, *, ended: bool) -> None:
    assert has_ended(one_channel(10, 30, last=0, status=status), at(minute)) == ended
