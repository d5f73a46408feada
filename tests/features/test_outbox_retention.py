"""What of the outbox is past its keeping goes, from the beginning of the log on, and nothing else."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from orchestrator.outbox import retention
from orchestrator.outbox.retention import Kept
from tests.support import traffic
from tests.support.app import Service
from tests.support.clock import StoppedClock, stop_clock
from tests.support.delivery import deliver, forget_deliveries
from tests.support.factories import make_configuration
from tests.support.receiver import Receiver, receiver
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, US

KEPT = Kept(events=timedelta(days=30), deliveries=timedelta(days=20), attempts=timedelta(days=5))
TABLES = ("events", "deliveries", "delivery_attempts", "callback_endpoints")
OTHER = "+15550000001"


@pytest.fixture
def clock(service: Service) -> StoppedClock:
    return stop_clock(service)


@pytest.fixture
async def hook(service: Service, clock: StoppedClock) -> AsyncIterator[Receiver]:
    await forget_deliveries(service)
    async with receiver() as running:
        await make_configuration(service, statusCallbacks=[running.callback()])
        await traffic.message(service, KIRAN, US)
        yield running


async def rows(service: Service) -> list[int]:
    return [
        len(await service.fetch(f"select from {table} where account_id = $1", service.account.account_id))
        for table in TABLES
    ]


async def reaped_to(service: Service) -> int:
    (row,) = await service.fetch(
        "select reaped_to from event_positions where account_id = $1", service.account.account_id
    )
    position: int = row["reaped_to"]
    return position


async def test_each_kind_is_kept_for_its_time(service: Service, clock: StoppedClock, hook: Receiver) -> None:
    await deliver(service)
    assert await rows(service) == [4, 4, 4, 1]
    for days, left in ((5, [4, 4, 0, 1]), (20, [4, 0, 0, 0]), (30, [0, 0, 0, 0])):
        start, before = clock.moment, await rows(service)
        clock.moment = start + timedelta(days=days)
        await retention.reap(service.units, KEPT)
        assert await rows(service) == before
        clock.advance(seconds=1)
        await retention.reap(service.units, KEPT)
        assert await rows(service) == left
        clock.moment = start
    assert await reaped_to(service) == 4
    refusal(await service.api.get("/orchestrator/v1/Events", params={"after": 3}), 410, 20410)
    assert (await traffic.get(service, "/orchestrator/v1/Events", after=4))["events"] == []


async def test_the_log_ends_before_the_first_event_that_must_stay(
    service: Service, clock: StoppedClock, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 2)
    hook.answer = lambda one: 500 if one.sequence == 3 else 200
    await deliver(service)
    clock.advance(days=31)
    await traffic.message(service, OTHER, US)
    await retention.reap(service.units, KEPT)
    assert (await rows(service))[0] == 4 + 2
    assert await reaped_to(service) == 2
    assert [one["position"] for one in (await traffic.get(service, "/orchestrator/v1/Events"))["events"]] == [
        *(3, 4, 5, 6, 7, 8)
    ]
    hook.answer = lambda _: 410
    await deliver(service)
    await retention.reap(service.units, KEPT)
    assert await reaped_to(service) == 4
    assert (await rows(service))[0] == 4


async def test_an_endpoint_with_something_pending_stays(service: Service, clock: StoppedClock, hook: Receiver) -> None:
    hook.answer = lambda _: 500
    await deliver(service)
    clock.advance(days=400)
    await retention.reap(service.units, KEPT)
    assert await rows(service) == [4, 4, 0, 1]


async def test_a_deleted_conversation_takes_its_attempts_along(
    service: Service, clock: StoppedClock, hook: Receiver
) -> None:
    await deliver(service)
    conversation = await traffic.only_conversation(service)
    assert (await service.api.delete(f"/v2/Conversations/{conversation['id']}")).is_success
    assert await rows(service) == [0, 0, 0, 1]
