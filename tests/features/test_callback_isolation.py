"""A slow or dead endpoint holds up nobody but itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from orchestrator.outbox.deliver import Deliverer
from tests.support import traffic
from tests.support.app import Service
from tests.support.delivery import deliverer, deliveries, forget_deliveries
from tests.support.factories import make_configuration
from tests.support.receiver import Receiver, receiver
from tests.support.traffic import OTHER_PHONE, US


@asynccontextmanager
async def running(deliverer: Deliverer) -> AsyncIterator[None]:
    """The delivery loop, as a worker runs it."""
    task = asyncio.create_task(deliverer.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def tell(service: Service, hook: Receiver, number: str, conversations: int) -> None:
    """Conversations of one of our numbers that wait to be told to a receiver, four events each."""
    settings = {"SMS": traffic.channel(("*", number))}
    await make_configuration(service, channelSettings=settings, statusCallbacks=[hook.callback()])
    for customer in range(conversations):
        await traffic.message(service, f"+1555000{customer:04d}", number)


async def test_an_endpoint_that_does_not_answer_leaves_room_for_others(service: Service) -> None:
    await forget_deliveries(service)
    async with receiver() as stuck, receiver() as quick, deliverer(service, concurrency=8) as delivering:
        stuck.open.clear()
        await tell(service, stuck, US, 20)
        async with running(delivering):
            await stuck.until(1)
            await tell(service, quick, OTHER_PHONE, 3)
            await quick.until(12)
            assert 1 <= len(stuck.received) < 8
            stuck.open.set()
            await stuck.until(80)
    assert {one["status"] for one in await deliveries(service)} == {"DELIVERED"}


async def test_an_answer_that_is_not_http_is_a_failed_attempt(service: Service) -> None:
    await forget_deliveries(service)
    answers = [b"HTTP/1.1 500 \xff\xfe\r\n\r\n", b"HTTP/1.1 500 no\r\nA\x00: b\r\n\r\n", b"\x00\xff\n", b""]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readline()).split()[1].partition(b"?")[0]
        writer.write(answers[int(path.removeprefix(b"/"))])
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for first in (0, 2):
            callbacks = [{"url": f"{origin}/{number}"} for number in (first, first + 1)]
            await make_configuration(service, statusCallbacks=callbacks)
        await traffic.message(service, traffic.KIRAN, US)
        async with deliverer(service) as delivering:
            await delivering.run_once()
    tried = [one for one in await deliveries(service) if one["sequence"] == 1]
    assert [(one["status"], one["attempts"], one["last_status"]) for one in tried] == [("PENDING", 1, None)] * 4
    assert all(one["last_error"] for one in tried)


async def test_stopping_settles_what_is_being_sent(service: Service) -> None:
    await forget_deliveries(service)
    async with receiver() as hook, deliverer(service) as delivering:
        hook.open.clear()
        await tell(service, hook, US, 1)
        async with running(delivering):
            await hook.until(1)
            asyncio.get_running_loop().call_later(0.05, hook.open.set)
    first, *rest = await deliveries(service)
    assert first["status"] == "DELIVERED"
    assert {one["status"] for one in rest} == {"PENDING"}
