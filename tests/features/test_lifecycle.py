"""The life of a conversation in time: ACTIVE, INACTIVE, CLOSED, by timers that run from the last communication."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from orchestrator.lifecycle.sweep import sweep_all
from tests.support import traffic
from tests.support.app import Service
from tests.support.clock import StoppedClock, stop_clock
from tests.support.factories import make_configuration
from tests.support.traffic import BY_ADDRESSES, KIRAN, US

LIFETIME = timedelta(minutes=1_576_800)
SECOND = timedelta(seconds=1)


@pytest.fixture
def clock(service: Service) -> StoppedClock:
    return stop_clock(service)


async def configure(service: Service, **timeouts: tuple[int | None, int | None]) -> None:
    """A configuration that captures these channels, with (inactive, closed) minutes each."""
    settings = {
        channel: traffic.channel(*traffic.both_ways(), inactive=inactive, closed=closed)
        for channel, (inactive, closed) in timeouts.items()
    }
    await make_configuration(service, conversationGroupingType=BY_ADDRESSES, channelSettings=settings)


async def status_at(service: Service, clock: StoppedClock, moment: datetime) -> str:
    """What the conversation is once the sweep has looked at a moment."""
    clock.moment = moment
    await sweep_all(service.units)
    status: str = (await traffic.only_conversation(service))["status"]
    return status


async def planned(service: Service) -> datetime | None:
    """When the sweep will look next."""
    (row,) = await service.fetch(
        "select next_transition_at from conversations where account_id = $1", service.account.account_id
    )
    moment: datetime | None = row["next_transition_at"]
    return moment


async def changes(service: Service) -> list[str]:
    """The states that events have told of."""
    return [event.data["status"] for event in await traffic.events(service) if event.type == "CONVERSATION_UPDATED"]


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


async def test_inactive_after_ten_and_closed_after_thirty_minutes_and_not_a_second_early(
    service: Service, clock: StoppedClock
) -> None:
    await configure(service, SMS=(10, 30))
    await traffic.message(service, KIRAN, US)
    start = clock.now()
    assert await status_at(service, clock, start + minutes(10) - SECOND) == "ACTIVE"
    assert await status_at(service, clock, start + minutes(10)) == "INACTIVE"
    assert await status_at(service, clock, start + minutes(30) - SECOND) == "INACTIVE"
    assert await status_at(service, clock, start + minutes(30)) == "CLOSED"
    assert await status_at(service, clock, start + minutes(90)) == "CLOSED"
    assert await changes(service) == ["INACTIVE", "CLOSED"]


async def test_both_timers_run_from_the_last_communication(service: Service, clock: StoppedClock) -> None:
    await configure(service, SMS=(10, 30))
    await traffic.message(service, KIRAN, US)
    clock.advance(minutes=7)
    await traffic.message(service, US, KIRAN)
    last = clock.now()
    assert await status_at(service, clock, last + minutes(10) - SECOND) == "ACTIVE"
    assert await status_at(service, clock, last + minutes(10)) == "INACTIVE"
    assert await status_at(service, clock, last + minutes(30) - SECOND) == "INACTIVE"
    assert await status_at(service, clock, last + minutes(30)) == "CLOSED"


async def test_a_transition_is_told_with_its_moment(service: Service, clock: StoppedClock) -> None:
    await configure(service, SMS=(10, 30))
    await traffic.message(service, KIRAN, US)
    await status_at(service, clock, clock.now() + minutes(10))
    conversation = await traffic.only_conversation(service)
    last = (await traffic.events(service))[-1]
    assert last.data == {name: value for name, value in conversation.items() if name != "configuration"}
    assert conversation["updatedAt"] == clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_traffic_leaves_the_planned_look_alone_and_the_sweep_plans_the_next_one(
    service: Service, clock: StoppedClock
) -> None:
    await configure(service, SMS=(10, 30))
    await traffic.message(service, KIRAN, US)
    start = clock.now()
    assert await planned(service) == start + minutes(10)
    for _ in range(2):
        clock.advance(minutes=4)
        await traffic.message(service, KIRAN, US)
        assert await planned(service) == start + minutes(10)
    assert await status_at(service, clock, start + minutes(10)) == "ACTIVE"
    assert await planned(service) == start + minutes(18)
    assert await changes(service) == []
    assert await status_at(service, clock, start + minutes(18)) == "INACTIVE"
    assert await planned(service) == start + minutes(38)
    assert await status_at(service, clock, start + minutes(38)) == "CLOSED"
    assert await planned(service) is None


async def test_reopening_brings_the_planned_look_forward(service: Service, clock: StoppedClock) -> None:
    await configure(service, SMS=(10, 30))
    await traffic.message(service, KIRAN, US)
    await status_at(service, clock, clock.now() + minutes(10))
    clock.advance(minutes=5)
    await traffic.message(service, KIRAN, US)
    assert await planned(service) == clock.now() + minutes(10)


async def test_the_last_running_channel_decides(service: Service, clock: StoppedClock) -> None:
    await configure(service, SMS=(10, 60), VOICE=(1, 2))
    await traffic.message(service, KIRAN, US)
    start = clock.now()
    clock.advance(minutes=1)
    await traffic.speech(service, KIRAN, US)
    assert await status_at(service, clock, start + minutes(10) - SECOND) == "ACTIVE"
    assert await status_at(service, clock, start + minutes(10)) == "INACTIVE"
    clock.moment = start + minutes(59)
    await traffic.speech(service, KIRAN, US)
    assert await status_at(service, clock, start + minutes(60)) == "INACTIVE"
    assert await status_at(service, clock, start + minutes(61) - SECOND) == "INACTIVE"
    assert await status_at(service, clock, start + minutes(61)) == "CLOSED"


async def test_a_channel_without_timeouts_blocks(service: Service, clock: StoppedClock) -> None:
    await configure(service, SMS=(10, 30), VOICE=(None, None))
    await traffic.message(service, KIRAN, US)
    await traffic.speech(service, KIRAN, US)
    start = clock.now()
    assert await status_at(service, clock, start + timedelta(days=1000)) == "ACTIVE"
    assert await status_at(service, clock, start + LIFETIME) == "CLOSED"


async def test_a_channel_without_inactive_timeout_blocks_only_that_step(service: Service, clock: StoppedClock) -> None:
    await configure(service, SMS=(10, 30), VOICE=(None, 20))
    await traffic.message(service, KIRAN, US)
    await traffic.speech(service, KIRAN, US)
    start = clock.now()
    assert await status_at(service, clock, start + minutes(30) - SECOND) == "ACTIVE"
    assert await status_at(service, clock, start + minutes(30)) == "CLOSED"
    assert await changes(service) == ["CLOSED"]


async def test_a_channel_that_nobody_used_does_not_count(service: Service, clock: StoppedClock) -> None:
    await configure(service, SMS=(10, 30), VOICE=(None, None))
    await traffic.message(service, KIRAN, US)
    assert await status_at(service, clock, clock.now() + minutes(30)) == "CLOSED"


async def test_equal_timeouts_go_straight_to_closed(service: Service, clock: StoppedClock) -> None:
    await configure(service, SMS=(10, 10))
    await traffic.message(service, KIRAN, US)
    assert await status_at(service, clock, clock.now() + minutes(10)) == "CLOSED"
    assert await changes(service) == ["CLOSED"]


async def test_nothing_lives_longer_than_three_years_however_busy_it_is(service: Service, clock: StoppedClock) -> None:
    await configure(service, SMS=(10, 1_576_800))
    await traffic.message(service, KIRAN, US)
    start = clock.now()
    clock.moment = start + LIFETIME - minutes(1)
    await traffic.message(service, KIRAN, US)
    assert await status_at(service, clock, start + LIFETIME - SECOND) == "ACTIVE"
    assert await status_at(service, clock, start + LIFETIME) == "CLOSED"
    await traffic.message(service, KIRAN, US)
    assert [one["status"] for one in await traffic.conversations(service)] == ["CLOSED", "ACTIVE"]


async def test_call_events_are_no_communications(service: Service, clock: StoppedClock) -> None:
    await configure(service, VOICE=(10, 30))
    call_sid = await traffic.speech(service, KIRAN, US)
    start = clock.now()
    clock.advance(minutes=9)
    event = {"CallSid": call_sid, "From": KIRAN, "To": US, "CallStatus": "in-progress"}
    assert (await service.post_webhook("/ingest/twilio/voice", event)).status_code == 200
    assert await status_at(service, clock, start + minutes(10)) == "INACTIVE"


async def test_a_change_of_the_name_restarts_nothing(service: Service, clock: StoppedClock) -> None:
    await configure(service, SMS=(10, 30))
    await traffic.message(service, KIRAN, US)
    start = clock.now()
    clock.advance(minutes=9)
    await traffic.change(service, await traffic.only_conversation(service), name="Parcel")
    assert await status_at(service, clock, start + minutes(10)) == "INACTIVE"


async def test_an_explicit_close_is_the_end(service: Service, clock: StoppedClock) -> None:
    await configure(service, SMS=(10, 30))
    await traffic.message(service, KIRAN, US)
    start = clock.now()
    closed: dict[str, Any] = await traffic.change(service, await traffic.only_conversation(service), status="CLOSED")
    assert await planned(service) is None
    assert await status_at(service, clock, start + minutes(60)) == "CLOSED"
    assert await traffic.only_conversation(service) == closed
    assert await changes(service) == ["CLOSED"]


async def test_a_conversation_that_was_put_to_rest_closes_in_time(service: Service, clock: StoppedClock) -> None:
    await configure(service, SMS=(10, 30))
    await traffic.message(service, KIRAN, US)
    start = clock.now()
    clock.advance(minutes=1)
    await traffic.change(service, await traffic.only_conversation(service), status="INACTIVE")
    assert await status_at(service, clock, start + minutes(30) - SECOND) == "INACTIVE"
    assert await status_at(service, clock, start + minutes(30)) == "CLOSED"
    assert await changes(service) == ["INACTIVE", "CLOSED"]
