"""Callbacks delivered per second on one core, in order, beside what bare loops of the same client make of it.

    python -m benchmarks.callbacks [--seconds 5] [--rounds 3] [--json]

One embedded Postgres of its own, a minimal receiver on another core. What is delivered are conversations of four events
each, for fifty endpoints; with `2 % failing`, one of them answers 503 to everything. The bare loops digest, sign and
send the same body, without a database. Rounds are interleaved. The program fails unless every callback is delivered,
each conversation in its order.
"""

import argparse
import asyncio
import gc
import json
import signal
import statistics
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from time import perf_counter, process_time
from typing import ClassVar

from httpx_aiohttp import AiohttpTransport

from benchmarks.callback_transports import BODY, IN_FLIGHT, Receiver, Variant, bare_aiohttp, httpx_with, pin, run
from benchmarks.world import World, new_world
from orchestrator.domain.backoff import Backoff
from orchestrator.kernel.callback_signing import Signer
from orchestrator.kernel.clock import Clock
from orchestrator.kernel.db import create_engine
from orchestrator.kernel.telemetry import configure_logs
from orchestrator.kernel.unit import Units
from orchestrator.outbox.client import CallbackClient
from orchestrator.outbox.deliver import Deliverer

_ENDPOINTS = 50
_EVENTS = 4
"""Of each conversation."""
_CHOSEN = "httpx on aiohttp, bare loop"
_BARE: dict[str, Variant] = {
    _CHOSEN: lambda: httpx_with(AiohttpTransport()),
    "aiohttp, bare loop": bare_aiohttp,
}
_SHIPPED = {"delivered, all endpoints answer": 0, "delivered, 2 % of the endpoints fail": 1}
"""How many endpoints fail."""


@dataclass(frozen=True)
class Measured:
    """One run."""

    count: int
    seconds: float
    cpu: float
    """Seconds of processor time of the sending process."""

    @property
    def rate(self) -> float:
        return self.count / self.seconds

    @property
    def cost(self) -> float:
        """Microseconds of processor time for each."""
        return self.cpu / self.count * 1e6


class Judging(Receiver):
    """Answers 503 to what is sent to `/failing`, and checks that no conversation's events come out of order."""

    last: ClassVar[dict[bytes, int]] = {}
    out_of_order = 0

    def answer(self, head: bytes) -> bytes:
        if head.startswith(b"POST /failing"):
            return b"HTTP/1.1 503 no\r\nContent-Length: 0\r\n\r\n"
        _, found, rest = head.lower().partition(b"orchestrator-event-id: ")
        if found:
            conversation, _, sequence = rest.partition(b"\r\n")[0].partition(b":")
            if int(sequence) != self.last.get(conversation, 0) + 1:
                Judging.out_of_order += 1
            self.last[conversation] = int(sequence)
        return super().answer(head)


async def receive() -> None:
    server = await asyncio.get_running_loop().create_server(Judging, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await asyncio.to_thread(sys.stdin.read)
    print(Judging.out_of_order, flush=True)


async def bare(variant: Variant, url: str, seconds: float) -> Measured:
    """Signed posts, as many as fit."""
    async with variant() as post:
        assert await post(url) == 200
        started, cpu, done = perf_counter(), process_time(), 0

        async def work() -> None:
            nonlocal done
            while perf_counter() - started < seconds:
                assert await post(url) == 200
                done += 1

        await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
        return Measured(done, perf_counter() - started, process_time() - cpu)


@asynccontextmanager
async def deliverer(world: World) -> AsyncIterator[Deliverer]:
    """As a worker has it with the default settings."""
    engine = create_engine(world.dsn, pool_size=4)

    async def signer(_: str) -> Signer:
        return Signer(world.auth_token)

    async with CallbackClient(allow_insecure=True, connections_per_host=0) as client:
        yield Deliverer(Units(engine, Clock()), client, signer, Backoff())
    await engine.dispose()


async def delivered(world: World, origin: str, count: int, failing: int) -> Measured:
    """Have about so many callbacks recorded, and deliver them all."""
    async with deliverer(world) as delivering:
        wanted = await _record(delivering.units, world, origin, count, failing)
        started, cpu = perf_counter(), process_time()
        task = asyncio.create_task(delivering.run())
        while not task.done() and await _pending(delivering.units, f"{origin}/hook"):
            await asyncio.wait([task], timeout=0.1)
        seconds, spent = perf_counter() - started, process_time() - cpu
        task.cancel()
        await asyncio.wait([task])
    return Measured(wanted, seconds, spent)


async def _record(units: Units, world: World, origin: str, count: int, failing: int) -> int:
    """Only these are pending then; returns how many will be delivered."""
    each = max(1, count // _ENDPOINTS // _EVENTS)
    async with units.begin() as unit:
        await unit.driver.execute("truncate deliveries, events, delivery_attempts, callback_endpoints")
        await unit.driver.execute(
            """
            insert into events (account_id, conversation_id, sequence, position, type, body, occurred_at)
            select $1, 'conv_' || $7 || '_' || e || '_' || c, s, (e * $3 + c) * $4 + s, 'COMMUNICATION_CREATED', $5, $6
            from generate_series(1, $2::int) e, generate_series(1, $3::int) c, generate_series(1, $4::int) s
            """,
            world.account_id,
            _ENDPOINTS,
            each,
            _EVENTS,
            BODY.decode(),
            unit.now,
            str(perf_counter()),
        )
        await unit.driver.execute(
            """
            insert into deliveries
              (account_id, id, conversation_id, sequence, url, method, status, holds_order, next_attempt_at, created_at)
            select account_id, 'orch_delivery_' || position, conversation_id, sequence,
                   $1 || case when endpoint::int <= $2 then '/failing/' else '/hook/' end || endpoint,
                   'POST', 'PENDING', true, $3, $3
            from events, split_part(conversation_id, '_', 3) as endpoint
            """,
            origin,
            failing,
            unit.now,
        )
    return each * _EVENTS * (_ENDPOINTS - failing)


async def _pending(units: Units, prefix: str) -> bool:
    async with units.begin() as unit:
        found: bool = await unit.driver.fetchval(
            "select exists (select from deliveries where status = 'PENDING' and starts_with(url, $1))", prefix
        )
        return found


async def measure(world: World, port: int, seconds: float, rounds: int) -> dict[str, list[Measured]]:
    origin = f"http://127.0.0.1:{port}"
    runs: dict[str, list[Measured]] = {name: [] for name in [*_BARE, *_SHIPPED]}
    for _ in range(rounds):
        for name, variant in _BARE.items():
            runs[name].append(await bare(variant, f"{origin}/hook/1", seconds))
        count = int(runs[_CHOSEN][-1].rate * seconds)
        for name, failing in _SHIPPED.items():
            runs[name].append(await delivered(world, origin, count, failing))
    return runs


def table(runs: dict[str, list[Measured]]) -> str:
    """Medians; ratios are those of each round."""
    lines = [f"{'':<40}{'per second':>11}{'range':>17}{'ratio':>7}{'µs each':>9}{'ratio':>7}"]
    for name, measured in runs.items():
        rates = [one.rate for one in measured]
        by_time = [one.rate / base.rate for one, base in zip(measured, runs[_CHOSEN], strict=True)]
        by_cost = [base.cost / one.cost for one, base in zip(measured, runs[_CHOSEN], strict=True)]
        cost = statistics.median(one.cost for one in measured)
        lines.append(
            f"{name:<40}{statistics.median(rates):>11,.0f}{f'{min(rates):,.0f} - {max(rates):,.0f}':>17}"
            f"{statistics.median(by_time):>7.2f}{cost:>9.0f}{statistics.median(by_cost):>7.2f}"
        )
    return "\n".join(
        [*lines, "µs: processor time of the sending process. Ratios: to the first line of the same round."]
    )


def main() -> None:
    if sys.argv[1:] == ["receive"]:
        pin(1)
        run(receive)
        return
    configure_logs(json=False, level="error")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, so that the server and its files go
    arguments = _arguments()
    command = [sys.executable, "-m", "benchmarks.callbacks", "receive"]
    with (
        new_world(conversations=1, callbacks=0) as world,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as receiver,
    ):
        assert receiver.stdout is not None
        port = int(receiver.stdout.readline())
        pin(0)
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)  # as in the service
        runs: dict[str, list[Measured]] = {}

        async def measuring() -> None:
            runs.update(await measure(world, port, arguments.seconds, arguments.rounds))

        run(measuring)
        out_of_order = int(receiver.communicate()[0])
    if out_of_order:
        raise SystemExit(f"{out_of_order} callbacks came out of order")
    told = {name: [vars(one) for one in measured] for name, measured in runs.items()}
    print(json.dumps(told, indent=2) if arguments.json else table(runs))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.callbacks", description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="of each run (5)")
    parser.add_argument("--rounds", type=int, default=3, help="(3)")
    parser.add_argument("--json", action="store_true", help="every single run, for programs")
    return parser.parse_args()


if __name__ == "__main__":
    main()
