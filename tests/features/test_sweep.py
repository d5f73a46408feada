"""The sweep when it is late, when several run at once, and beside traffic."""

import asyncio

import pytest

from orchestrator.lifecycle.sweep import sweep_all
from tests.support import traffic
from tests.support.app import Service
from tests.support.clock import StoppedClock, stop_clock
from tests.support.factories import make_configuration
from tests.support.traffic import KIRAN, US


@pytest.fixture
async def clock(service: Service) -> StoppedClock:
    clock = stop_clock(service)
    await make_configuration(service, channelSettings={"SMS": traffic.channel(*traffic.both_ways())})
    return clock


async def statuses(service: Service) -> list[str]:
    return [one["status"] for one in await traffic.conversations(service)]


async def changes(service: Service) -> dict[str, list[str]]:
    """The states that events have told of, by conversation."""
    told: dict[str, list[str]] = {}
    for event in await traffic.events(service):
        if event.type == "CONVERSATION_UPDATED":
            told.setdefault(event.conversation_id, []).append(event.data["status"])
    return told


async def test_a_late_sweep_tells_of_both_steps(service: Service, clock: StoppedClock) -> None:
    await traffic.message(service, KIRAN, US)
    clock.advance(days=2)
    await sweep_all(service.units)
    assert await statuses(service) == ["CLOSED"]
    assert list((await changes(service)).values()) == [["INACTIVE", "CLOSED"]]
    sequences = [event.sequence for event in await traffic.events(service)]
    assert sequences == [1, 2, 3, 4, 5, 6]


async def test_several_sweeps_at_once_move_each_conversation_exactly_once(
    service: Service, clock: StoppedClock
) -> None:
    for number in range(12):
        await traffic.message(service, f"+1555000{number:04d}", US)
    clock.advance(minutes=10)
    await asyncio.gather(*(sweep_all(service.units) for _ in range(4)))
    assert await statuses(service) == ["INACTIVE"] * 12
    clock.advance(minutes=50)
    await asyncio.gather(*(sweep_all(service.units) for _ in range(4)))
    assert await statuses(service) == ["CLOSED"] * 12
    assert list((await changes(service)).values()) == [["INACTIVE", "CLOSED"]] * 12


async def test_a_conversation_that_somebody_works_on_is_left_to_them(service: Service, clock: StoppedClock) -> None:
    await traffic.message(service, KIRAN, US)
    clock.advance(minutes=10)
    async with service.units.begin() as unit:
        await unit.driver.fetch(
            "select from conversations where account_id = $1 for update", service.account.account_id
        )
        await asyncio.wait_for(sweep_all(service.units), 5)
    assert await statuses(service) == ["ACTIVE"]
    await sweep_all(service.units)
    assert await statuses(service) == ["INACTIVE"]


async def test_traffic_and_sweep_at_the_same_instant_agree(service: Service, clock: StoppedClock) -> None:
    await traffic.message(service, KIRAN, US)
    for _ in range(5):
        clock.advance(minutes=10)
        await asyncio.gather(sweep_all(service.units), traffic.message(service, KIRAN, US))
    assert await statuses(service) == ["ACTIVE"]
    for told in (await changes(service)).values():
        assert told == ["INACTIVE", "ACTIVE"] * (len(told) // 2)
    sequences = [event.sequence for event in await traffic.events(service)]
    assert sequences == list(range(1, len(sequences) + 1))
    assert await traffic.texts(service) == [["hello"] * 6]
