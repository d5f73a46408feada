"""Receivers of every kind: slow, silent, redirecting, talkative; and a worker that dies in the middle of a callback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, NoReturn

import pytest

from orchestrator.kernel.unit import Units
from tests.features.test_callback_isolation import running
from tests.support import traffic
from tests.support.app import Service
from tests.support.clock import StoppedClock, stop_clock
from tests.support.delivery import SCHEDULE, deliver, deliverer, deliveries, forget_deliveries
from tests.support.factories import make_configuration
from tests.support.receiver import Receiver, receiver
from tests.support.traffic import KIRAN, US


@pytest.fixture
def clock(service: Service) -> StoppedClock:
    return stop_clock(service)


@pytest.fixture
async def hook(service: Service, clock: StoppedClock) -> AsyncIterator[Receiver]:
    await forget_deliveries(service)
    async with receiver() as started:
        yield started


async def tell(service: Service, *urls: str) -> None:
    """Have four events to be told to each of these."""
    await make_configuration(service, statusCallbacks=[{"url": url} for url in urls])
    await traffic.message(service, KIRAN, US)


async def head(service: Service) -> dict[str, Any]:
    return (await deliveries(service))[0]


async def test_the_fragment_shortens_the_wait_for_an_answer_and_is_not_sent(
    service: Service, clock: StoppedClock, hook: Receiver
) -> None:
    await tell(service, hook.url("/hook#rt=100"))
    hook.open.clear()
    started = monotonic()
    await deliver(service)
    assert monotonic() - started < 3
    assert (await head(service))["last_error"] == "timeout: no answer"
    hook.open.set()
    clock.advance(seconds=SCHEDULE.delays[0])
    await deliver(service)
    assert hook.sequences() == [1, 1, 2, 3, 4]
    for one in hook.received:
        assert "#" not in one.url
        assert one.is_signed_by(service.account.auth_token)


async def test_the_fragment_bounds_an_attempt_as_a_whole(service: Service, clock: StoppedClock, hook: Receiver) -> None:
    await tell(service, hook.url("/hook#tt=100"))
    hook.open.clear()
    started = monotonic()
    await deliver(service)
    assert monotonic() - started < 3
    assert (await head(service))["attempts"] == 1


async def test_the_fragment_says_how_often_it_is_tried_again(
    service: Service, clock: StoppedClock, hook: Receiver
) -> None:
    await tell(service, hook.url("/never#rc=0"), hook.url("/twice#rc=2"))
    hook.answer = lambda _: 500
    for delay in (0, *SCHEDULE.delays[:2]):
        clock.advance(seconds=delay)
        await deliver(service)
    assert hook.sequences("/never") == [1, 2, 3, 4]
    assert hook.sequences("/twice") == [1, 1, 1, 2]
    dead = {
        (one["url"].partition("#")[2], one["sequence"]) for one in await deliveries(service) if one["status"] == "DEAD"
    }
    assert dead == {("rc=0", 1), ("rc=0", 2), ("rc=0", 3), ("rc=0", 4), ("rc=2", 1)}


async def test_slow_answers_are_waited_for(service: Service, hook: Receiver) -> None:
    await tell(service, hook.url())
    hook.open.clear()
    asyncio.get_running_loop().call_later(0.3, hook.open.set)
    await deliver(service)
    assert {one["status"] for one in await deliveries(service)} == {"DELIVERED"}


async def test_a_redirection_is_not_followed(service: Service, hook: Receiver) -> None:
    await tell(service, hook.url("/old"))
    hook.answer, hook.headers = (lambda _: 307), {"Location": hook.url("/new")}
    await deliver(service)
    assert (hook.sequences("/old"), hook.sequences("/new")) == ([1, 2, 3, 4], [])
    assert {(one["status"], one["last_status"]) for one in await deliveries(service)} == {("DEAD", 307)}


@asynccontextmanager
async def talkative(megabytes: int) -> AsyncIterator[tuple[str, list[int]]]:
    """A server that answers with a long body: its URL, and how many bytes of each body it got rid of."""
    written = list[int]()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {megabytes << 20}\r\n\r\n".encode())
        written.append(0)
        try:
            for _ in range(megabytes * 16):
                writer.write(bytes(1 << 16))
                await writer.drain()
                written[-1] += 1 << 16
        except OSError:
            pass
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", written


async def test_ten_megabytes_of_answer_are_not_read(service: Service, hook: Receiver) -> None:
    async with talkative(10) as (url, written):
        await tell(service, url)
        await deliver(service)
        assert {one["status"] for one in await deliveries(service)} == {"DELIVERED"}
        assert len(written) == 4
        assert max(written) < 10 << 20


class Dead(Units):
    """The database as a dead worker sees it."""

    def begin(self) -> NoReturn:
        raise ConnectionError


async def test_a_worker_killed_in_the_middle_of_a_callback_loses_nothing(
    service: Service, clock: StoppedClock, hook: Receiver
) -> None:
    await tell(service, hook.url())
    hook.open.clear()
    async with deliverer(service) as delivering:
        task = asyncio.create_task(delivering.run())
        await hook.until(1)
        delivering.units = Dead(service.units.engine, clock)
        hook.open.set()
        with pytest.raises(ConnectionError):
            await task
    assert ((await head(service))["status"], (await head(service))["attempts"]) == ("PENDING", 0)
    before = hook.sequences()
    assert before[0] == 1
    await deliver(service)
    assert hook.sequences() == before
    clock.advance(seconds=delivering.lease.total_seconds())
    await deliver(service)
    assert hook.sequences()[len(before) :] == [1, 2, 3, 4]
    assert hook.received[len(before)].token == hook.received[0].token
    assert {one["status"] for one in await deliveries(service)} == {"DELIVERED"}


async def test_stopping_gives_back_what_was_not_yet_sent(service: Service, hook: Receiver) -> None:
    await tell(service, hook.url())
    hook.open.clear()
    async with deliverer(service) as delivering, running(delivering):
        await hook.until(1)
        asyncio.get_running_loop().call_later(0.05, hook.open.set)
    assert [(one["status"], one["attempts"]) for one in await deliveries(service)] == [
        ("DELIVERED", 1),
        *[("PENDING", 0)] * 3,
    ]
    await deliver(service)  # at once: no lease has to lapse
    assert hook.sequences() == [1, 2, 3, 4]
