"""Communications and time: when something was said, what that does to the timers, and when it is too late."""

from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.kernel.clock import rest_time
from orchestrator.lifecycle.sweep import sweep_all
from tests.features.test_communication_writes import Body, end, new_conversation, news, post, say
from tests.support import traffic
from tests.support.app import Service
from tests.support.clock import stop_clock
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, US


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2026-02-03T09:15:04Z", "2026-02-03T09:15:04Z"),
        ("2026-02-03T09:15:04.999999Z", "2026-02-03T09:15:04Z"),
        ("2026-06-08T20:41:52.387426051Z", "2026-06-08T20:41:52Z"),
        ("2026-02-03T09:15:04+05:30", "2026-02-03T03:45:04Z"),
        ("2026-02-03T00:15:04-11:00", "2026-02-03T11:15:04Z"),
        ("2026-02-03T09:15:04+00:00", "2026-02-03T09:15:04Z"),
        ("1000-01-01T00:00:00Z", "1000-01-01T00:00:00Z"),
        ("9999-01-01T00:30:00+01:00", "9998-12-31T23:30:00Z"),
    ],
)
async def test_times_come_back_in_utc_in_whole_seconds(service: Service, given: str, shown: str) -> None:
    conversation = await new_conversation(service)
    said = await say(service, conversation, occurredAt=given)
    assert said["occurredAt"] == shown
    assert await traffic.communications(service, conversation) == [said]


async def test_the_list_is_in_the_order_of_speaking_and_not_of_arrival(service: Service) -> None:
    conversation = await new_conversation(service)
    for year in ("2030", "1000", "2020", "9998", "2019"):
        await say(service, conversation, year, occurredAt=f"{year}-06-01T00:00:00Z")
    await say(service, conversation, "now")
    said = await traffic.communications(service, conversation)
    assert [one["content"]["text"] for one in said] == ["1000", "2019", "2020", "now", "2030", "9998"]


async def test_an_inactive_conversation_is_reopened_first(service: Service) -> None:
    conversation = await new_conversation(service)
    await traffic.change(service, conversation, status="INACTIVE")
    said = await say(service, conversation)
    reopened, told = await news(service, conversation, 4)
    assert (reopened.type, reopened.data["status"]) == ("CONVERSATION_UPDATED", "ACTIVE")
    assert (told.type, told.data) == ("COMMUNICATION_CREATED", said)
    assert (await traffic.only_conversation(service))["status"] == "ACTIVE"


async def test_timers_start_anew_by_our_time(service: Service) -> None:
    clock = stop_clock(service)
    conversation = await new_conversation(service)
    clock.advance(minutes=9)
    await say(service, conversation, occurredAt="2020-01-01T00:00:00Z")
    await say(service, conversation, occurredAt="2030-01-01T00:00:00Z")
    for minutes, status in ((9, "ACTIVE"), (1, "INACTIVE"), (49, "INACTIVE"), (1, "CLOSED")):
        clock.advance(minutes=minutes)
        await sweep_all(service.units)
        assert (await traffic.only_conversation(service))["status"] == status


async def test_each_channel_has_its_own_timer(service: Service) -> None:
    clock = stop_clock(service)
    timers = {
        "SMS": traffic.channel(inactive=10, closed=20),
        "VOICE": traffic.channel(inactive=1, closed=2),
    }
    conversation = await new_conversation(service, channelSettings=timers)
    await say(service, conversation)
    clock.advance(minutes=19)
    await say(service, conversation, author=end(KIRAN, "VOICE"), recipients=[end(US, "VOICE")])
    clock.advance(seconds=59)
    await sweep_all(service.units)
    assert (await traffic.only_conversation(service))["status"] == "ACTIVE"
    clock.advance(seconds=61)
    await sweep_all(service.units)
    assert (await traffic.only_conversation(service))["status"] == "CLOSED"


async def closed_by_hand(service: Service, conversation: Body) -> None:
    await traffic.change(service, conversation, status="CLOSED")


async def overdue(service: Service, conversation: Body) -> None:
    """Its closing time has passed, and nobody has looked yet."""
    service.clock.advance(minutes=60)


@pytest.mark.parametrize("end_it", [closed_by_hand, overdue])
async def test_nothing_more_is_said_in_a_conversation_that_has_ended(service: Service, end_it: Any) -> None:
    conversation = await new_conversation(service)
    await end_it(service, conversation)
    before = await traffic.row_counts(service)
    for changes in ({}, {"author": end("+15550000001")}, {"resourceId": "SM1"}):
        assert "CLOSED" in refusal(await post(service, conversation, **changes), 400, 20001)["message"]
    assert await traffic.row_counts(service) == before
    assert await traffic.communications(service, conversation) == []


async def test_the_moment_is_that_of_the_service(service: Service) -> None:
    before = rest_time(datetime.now(UTC))
    said = await say(service, await new_conversation(service))
    assert before <= said["occurredAt"] <= rest_time(datetime.now(UTC))
