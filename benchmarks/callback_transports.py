"""Signed callbacks per second by HTTP client, on one core, against a minimal receiver in another process.

    python benchmarks/callback_transports.py [seconds per variant] [rounds]

Loopback only; ends by itself. Rounds are interleaved, the table shows the median and the range. The first three
variants do the same work per post: digest and sign, send, read the answer. `CallbackClient` is what the service ships:
it also normalises the URL, checks the target, bounds the attempt in time and limits connections per host.
"""

import asyncio
import os
import statistics
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from time import perf_counter
from typing import cast

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from orchestrator.kernel.signing import sign, signed_url
from orchestrator.outbox.client import CallbackClient, build_request

IN_FLIGHT = 32
TOKEN = "0123456789abcdef0123456789abcdef"
BODY = b'{"eventType":"COMMUNICATION_CREATED","timestamp":"2026-02-03T09:15:04.160Z","data":{%s}}' % (
    b'"text":"' + b"x" * 600 + b'"'
)

Post = Callable[[str], Awaitable[int]]
Variant = Callable[[], AbstractAsyncContextManager[Post]]


class Receiver(asyncio.Protocol):
    """Answers 200 to every request whose head and body have arrived; knows just enough HTTP for that."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its class
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (head := self._buffer.find(b"\r\n\r\n")) >= 0:
            fields = self._buffer[:head].lower()
            length = int(fields.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self._buffer) < head + 4 + length:
                return
            whole, self._buffer = self._buffer[:head], self._buffer[head + 4 + length :]
            self._transport.write(self.answer(whole))

    def answer(self, head: bytes) -> bytes:
        """What is answered to a request with this head."""
        return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def receive() -> None:
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        # The receiver ends with its parent, whose end of this pipe then closes.
        await asyncio.to_thread(sys.stdin.read)


def headers_for(target: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "I-Twilio-Idempotency-Token": "8f14e45f-ceea-467f-a830-5f8d5c1c9e11",
        "X-Twilio-Signature": sign(TOKEN, target),
    }


@asynccontextmanager
async def httpx_with(transport: httpx.AsyncBaseTransport | None) -> AsyncIterator[Post]:
    limits = httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
    async with httpx.AsyncClient(transport=transport, limits=limits, trust_env=False) as client:

        async def post(url: str) -> int:
            target = signed_url(url, BODY)
            return (await client.post(target, content=BODY, headers=headers_for(target))).status_code

        yield post


@asynccontextmanager
async def bare_aiohttp() -> AsyncIterator[Post]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT)) as session:

        async def post(url: str) -> int:
            target = signed_url(url, BODY)
            async with session.post(target, data=BODY, headers=headers_for(target)) as response:
                await response.read()
                return response.status

        yield post


@asynccontextmanager
async def shipped() -> AsyncIterator[Post]:
    async with CallbackClient(allow_insecure=True, connections_per_host=IN_FLIGHT) as client:

        async def post(url: str) -> int:
            outcome = await client.send(build_request(url, "POST", BODY, TOKEN, "8f14e45f-ceea-467f-a830-5f8d5c1c9e11"))
            return outcome.status or 0

        yield post


VARIANTS: dict[str, Variant] = {
    "httpx, its own transport": lambda: httpx_with(None),
    "httpx on aiohttp": lambda: httpx_with(AiohttpTransport()),
    "aiohttp": bare_aiohttp,
    "CallbackClient": shipped,
}


async def rate(variant: Variant, url: str, seconds: float) -> float:
    """Answered posts per second."""
    async with variant() as post:
        assert await post(url) == 200
        started, done = perf_counter(), 0

        async def work() -> None:
            nonlocal done
            while perf_counter() - started < seconds:
                assert await post(url) == 200
                done += 1

        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
        return done / (perf_counter() - started)


def pin(core: int) -> None:
    """Keep this process on one core, and the receiver away from it, where the system can do that."""
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[core % len(cores)]})


def run(coroutine_function: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await coroutine_function()

    try:
        import uvloop
    except ImportError:  # Windows
        asyncio.run(main())
    else:
        uvloop.run(main())


async def measure(port: int, seconds: float, rounds: int) -> None:
    url = f"http://127.0.0.1:{port}/hook?tenant=1"
    rates: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for _ in range(rounds):
        for name, variant in VARIANTS.items():
            rates[name].append(await rate(variant, url, seconds))
    print(f"{'variant':<26}{'posts/s':>9}   range")
    for name, measured in rates.items():
        print(f"{name:<26}{statistics.median(measured):>9,.0f}   {min(measured):,.0f} - {max(measured):,.0f}")


def main() -> None:
    if sys.argv[1:] == ["receive"]:
        pin(1)
        run(receive)
        return
    seconds, rounds = float([*sys.argv, "3"][1]), int([*sys.argv, "3", "3"][2])
    command = [sys.executable, __file__, "receive"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as receiver:
        assert receiver.stdout is not None
        port = int(receiver.stdout.readline())
        pin(0)
        run(lambda: measure(port, seconds, rounds))
        receiver.terminate()


if __name__ == "__main__":
    main()
