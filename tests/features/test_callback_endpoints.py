"""Endpoints that keep failing are paused, and are tried again; whoever looks after them sees it and can end it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from time import monotonic
from typing import Any

import pytest
from prometheus_client import REGISTRY

from orchestrator.domain.pausing import Pausing
from orchestrator.outbox import measuring, retention
from orchestrator.outbox.retention import Kept
from tests.features.test_callback_isolation import running, tell
from tests.support import traffic
from tests.support.app import Service
from tests.support.clock import StoppedClock, stop_clock
from tests.support.delivery import deliver, deliverer, deliveries, forget_deliveries
from tests.support.receiver import Receiver, everything_is_fine, receiver
from tests.support.refusals import refusal
from tests.support.traffic import OTHER_PHONE, US

PATH = "/orchestrator/v1/Endpoints"
PAUSING = Pausing(failures=3, seconds=10, pauses=(30, 60))


@pytest.fixture
def clock(service: Service) -> StoppedClock:
    return stop_clock(service)


@pytest.fixture
async def hook(service: Service, clock: StoppedClock) -> AsyncIterator[Receiver]:
    """A receiver that fails, and five conversations that wait to be told, four events each."""
    await forget_deliveries(service)
    async with receiver() as failing:
        failing.answer = lambda _: 500
        await tell(service, failing, US, 5)
        yield failing


async def sent(service: Service, hook: Receiver) -> int:
    """Deliver what is due; how many callbacks came."""
    before = len(hook.received)
    await deliver(service, pausing=PAUSING)
    return len(hook.received) - before


async def endpoint(service: Service) -> dict[str, Any]:
    """The one that there is."""
    (found,) = (await traffic.get(service, PATH))["endpoints"]
    return dict(found)


async def paused(service: Service, clock: StoppedClock, hook: Receiver) -> None:
    """Let it fail until it is paused."""
    assert await sent(service, hook) == 5
    clock.advance(seconds=10)
    assert await sent(service, hook) == 1


async def test_a_failing_endpoint_is_paused_and_one_delivery_tries_it(
    service: Service, clock: StoppedClock, hook: Receiver
) -> None:
    assert await sent(service, hook) == 5
    found = await endpoint(service)
    assert (found["state"], found["failures"], found["pauses"], found["pendingCount"]) == ("OPEN", 5, 0, 20)
    assert (found["since"], found["lastError"]) == (None, "HTTP 500")
    clock.advance(seconds=10)
    assert await sent(service, hook) == 1
    found = await endpoint(service)
    assert (found["state"], found["failures"], found["pauses"]) == ("PAUSED", 6, 1)
    before = await deliveries(service)
    clock.advance(seconds=29)
    assert await sent(service, hook) == 0
    assert await deliveries(service) == before
    clock.advance(seconds=1)
    assert (await endpoint(service))["state"] == "PROBING"
    assert await sent(service, hook) == 1
    found = await endpoint(service)
    assert (found["state"], found["pauses"]) == ("PAUSED", 2)
    clock.advance(seconds=60)
    hook.answer = everything_is_fine
    assert await sent(service, hook) == 20
    found = await endpoint(service)
    assert (found["state"], found["failures"], found["pendingCount"], found["until"]) == ("OPEN", 0, 0, None)
    assert found["lastError"] == "HTTP 500"


async def test_one_worker_alone_tries_a_paused_endpoint(service: Service, clock: StoppedClock, hook: Receiver) -> None:
    await paused(service, clock, hook)
    clock.advance(seconds=30)
    hook.open.clear()
    async with (
        deliverer(service, pausing=PAUSING) as one,
        deliverer(service, pausing=PAUSING) as other,
        running(one),
        running(other),
    ):
        await hook.until(7)
        await asyncio.sleep(0.2)
        assert (len(hook.received), (await endpoint(service))["state"]) == (7, "PROBING")
        hook.open.set()
    assert (await endpoint(service))["state"] == "PAUSED"


async def test_a_pause_can_be_ended(service: Service, clock: StoppedClock, hook: Receiver) -> None:
    await paused(service, clock, hook)
    hook.answer = everything_is_fine
    answer = await service.api.post(f"{PATH}/Resume", json={"url": hook.url()})
    assert (answer.status_code, answer.json()["state"], answer.json()["failures"]) == (200, "OPEN", 0)
    clock.advance(seconds=30)
    assert await sent(service, hook) == 20
    refusal(await service.api.post(f"{PATH}/Resume", json={"url": hook.url("/other")}), 404, 20404)


async def test_an_endpoint_that_fails_now_and_then_is_not_paused(
    service: Service, clock: StoppedClock, hook: Receiver
) -> None:
    hook.answer = lambda _: 500 if len(hook.received) % 2 else 200
    for _ in range(12):
        await sent(service, hook)
        clock.advance(seconds=150)
    found = await endpoint(service)
    assert (found["state"], found["pauses"]) == ("OPEN", 0)
    assert {one["status"] for one in await deliveries(service)} == {"DELIVERED"}


async def test_metrics_tell_of_lag_and_pauses(service: Service, clock: StoppedClock, hook: Receiver) -> None:
    clock.advance(seconds=7)
    assert await measured(service) == (7, 0)
    clock.advance(seconds=-7)
    await paused(service, clock, hook)
    assert await measured(service) == (0, 1)


async def measured(service: Service) -> tuple[float | None, float | None]:
    """Lag in whole seconds, and endpoints that are paused."""
    await service.fetch("delete from callback_endpoints where account_id <> $1 returning 1", service.account.account_id)
    async with service.units.begin() as unit:
        await measuring.measure(unit)
    lag = REGISTRY.get_sample_value("orchestrator_outbox_lag_seconds")
    return lag, REGISTRY.get_sample_value("orchestrator_endpoints_paused")


async def test_another_account_sees_nothing_and_resumes_nothing(
    service: Service, clock: StoppedClock, hook: Receiver
) -> None:
    await paused(service, clock, hook)
    async with service.client(await service.new_account()) as other:
        assert (await other.get(PATH)).json()["endpoints"] == []
        refusal(await other.post(f"{PATH}/Resume", json={"url": hook.url()}), 404, 20404)
    assert (await endpoint(service))["state"] == "PAUSED"


@asynccontextmanager
async def silent(connections: int) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A server that takes requests and never answers: its origin, and when it has so many connections."""
    open_ones, came = list[asyncio.StreamWriter](), asyncio.Event()

    async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones.append(writer)
        if len(open_ones) == connections:
            came.set()

    async with await asyncio.start_server(take, "127.0.0.1", 0, backlog=1000) as server:
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", came
        finally:
            for writer in open_ones:
                writer.close()


async def pile_up(service: Service, origin: str, endpoints: int, each: int) -> None:
    """Deliveries that are due at many endpoints, in ten conversations each."""
    await service.fetch(
        """
        with event as (
          insert into events (account_id, conversation_id, sequence, position, type, body, occurred_at)
          select $1, 'conv_' || n, s, n * 1000 + s + 1000000, 'PARTICIPANT_ADDED', '{}', $5::timestamptz
          from generate_series(1, 10) n, generate_series(1, $4 / 10) s
        )
        insert into deliveries
          (account_id, id, conversation_id, sequence, url, method, status, holds_order, next_attempt_at, created_at)
        select $1, 'd' || e || '_' || n || '_' || s, 'conv_' || n, s, $2 || '/' || lpad(e::text, 4, '0'), 'POST',
               'PENDING', true, $5 - interval '1 second' + s * interval '1 millisecond', $5
        from generate_series(1, $3::int) e, generate_series(1, 10) n, generate_series(1, $4::int / 10) s
        """,
        service.account.account_id,
        origin,
        endpoints,
        each,
        service.units.clock.now(),
    )


async def test_a_hundred_dead_endpoints_with_a_thousand_deliveries_each_hold_up_nobody(service: Service) -> None:
    await forget_deliveries(service)
    async with receiver() as quick, silent(100) as (origin, stuck), deliverer(service, concurrency=256) as delivering:
        await pile_up(service, origin, endpoints=100, each=1_000)
        task = asyncio.create_task(delivering.run())
        await stuck.wait()
        started = monotonic()
        await tell(service, quick, OTHER_PHONE, 3)
        delivering.awake.set()
        await quick.until(12)
        assert monotonic() - started < 10, "an attempt at a dead one lasts 15 s"
        task.cancel()
        await asyncio.sleep(0)  # it settles what is being sent; but that will never be answered
        for sending in list(delivering._sending):
            sending.cancel()
        await asyncio.wait([task])
    await forget_deliveries(service)


async def test_what_waits_for_an_endpoint_that_is_silent_for_days_is_given_up(
    service: Service, clock: StoppedClock, hook: Receiver
) -> None:
    await paused(service, clock, hook)
    silent = Kept(silent=timedelta(days=5))
    clock.advance(days=5)
    await retention.reap(service.units, silent)
    assert {one["status"] for one in await deliveries(service)} == {"PENDING"}
    await tell(service, hook, OTHER_PHONE, 1)
    clock.advance(seconds=60)
    await retention.reap(service.units, silent)
    found = [one["status"] for one in await deliveries(service)]
    # What has not waited that long stays, and so does what is only paused since later.
    assert (found.count("DEAD") >= 15, "PENDING" in found) == (True, True)
    listed = await traffic.get(service, "/orchestrator/v1/Deliveries", status="DEAD")
    assert "not answered for days" in listed["deliveries"][0]["lastError"]
