"""Where one batch of messages spends its time: the ingest pipeline in this process, step by step.

    python -m benchmarks.pipeline_steps [--seconds 2] [--batches 1,16,64] [--plans]

No HTTP, one batch at a time, on a Postgres of its own. `CPU` is this process (our code, the driver, the event loop);
what is left of the wall clock is waiting for Postgres. `--plans` shows the plan of each statement instead, as prepared
statements have it from their sixth execution on.
"""

import argparse
import asyncio
import random
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from time import monotonic, perf_counter
from urllib.parse import urlencode

import uvloop
from starlette.requests import Request

from benchmarks.load import ORIGIN, PATH, form
from benchmarks.stopwatch import Stopwatch, TimedDriver
from benchmarks.world import World, new_world
from orchestrator.accounts.service import Account
from orchestrator.communications import service as communications
from orchestrator.conversations import service as conversations
from orchestrator.domain.messages import InboundMessage
from orchestrator.ingest import pipeline, receipts, twilio
from orchestrator.ingest.identifying import Policy
from orchestrator.ingest.webhooks import Webhooks
from orchestrator.kernel.clock import Clock
from orchestrator.kernel.db import create_engine
from orchestrator.kernel.signing import sign
from orchestrator.kernel.unit import Units
from orchestrator.outbox.record import Outbox

_STEPS = (
    (receipts, "claim"),
    (pipeline, "capture"),
    (pipeline, "identify"),
    (pipeline, "_find_conversations"),
    (pipeline, "_attend"),
    (communications, "append"),
    (conversations, "save"),
    (Outbox, "write"),
    (receipts, "note_uncaptured"),
)
_WARM_UP = 0.5
_TEXT = "Hi, my parcel 4711 should have come yesterday. Can you tell me where it is?"


def report(world: World, *, seconds: float = 2, sizes: Sequence[int] = (1, 16, 64)) -> str:
    """Tables for each size of batch, and for what happens to a request before it."""
    return uvloop.run(_report(world, seconds, sizes))


async def _report(world: World, seconds: float, sizes: Sequence[int]) -> str:
    tables = [await _edge(world, seconds / 2)]
    engine = create_engine(world.dsn, pool_size=2)
    units = Units(engine, Clock())
    for size in sizes:
        stopwatch = Stopwatch()
        with stopwatch.on(_STEPS):
            await _repeat(world, units, stopwatch, size, _WARM_UP)
            stopwatch.reset()
            await _repeat(world, units, stopwatch, size, seconds)
        tables.append(f"batches of {size}\n{stopwatch.table(size)}")
        if size == max(sizes):
            tables.append(f"its statements\n{stopwatch.statement_table(size)}")
    await engine.dispose()
    return "\n\n".join(tables)


async def _repeat(world: World, units: Units, stopwatch: Stopwatch, size: int, seconds: float) -> None:
    give_up = monotonic() + seconds
    while monotonic() < give_up:
        await _write(units, stopwatch, _messages(world, size))


async def _write(units: Units, stopwatch: Stopwatch, messages: list[InboundMessage]) -> None:
    """One batch, as `ingest.routes` writes it."""
    stopwatch.batches += 1
    opening = units.begin()
    with stopwatch.step("begin"):
        unit = await opening.__aenter__()
    unit.driver = TimedDriver(unit.driver, stopwatch)
    with stopwatch.rest():
        await pipeline.ingest(unit, messages, Policy())
    with stopwatch.step("commit"):
        await opening.__aexit__(None, None, None)


def _messages(world: World, size: int) -> list[InboundMessage]:
    found = [twilio.message(_form(world)) for _ in range(size)]
    return [message for message in found if message is not None]


def _form(world: World) -> dict[str, str]:
    number = random.randrange(1, world.conversations + 1)
    return form(world, number=number, sid="SM" + secrets.token_hex(16), text=_TEXT)


async def _edge(world: World, seconds: float) -> str:
    """What a request costs before it joins a batch."""
    account = Account(world.account_id, "benchmark", world.auth_token, datetime.now(UTC))

    class Accounts:
        async def recognise(self, account_id: str, fits: Callable[[str], bool]) -> Account | None:
            return account if account_id == account.account_id and fits(account.auth_token) else None

    webhooks = Webhooks(Accounts(), public_url=ORIGIN, verify_signatures=True)
    fields = [_form(world) for _ in range(1000)]
    requests = [partial(_request, *_signed(world, form)) for form in fields]
    give_up, count, reading, parsing = monotonic() + seconds, 0, 0.0, 0.0
    while monotonic() < give_up:
        request = requests[count % len(requests)]()
        started = perf_counter()
        read = await webhooks.read(request)
        between = perf_counter()
        twilio.message(read)
        parsing += perf_counter() - between
        reading += between - started
        count += 1
    return (
        "before the batch, µs of CPU per message\n"
        f"{'read the form, verify the signature':<40}{reading / count * 1e6:>8.1f}\n"
        f"{'make the message (addresses seen before)':<40}{parsing / count * 1e6:>8.1f}"
    )


def _signed(world: World, fields: dict[str, str]) -> tuple[bytes, str]:
    return urlencode(fields).encode(), sign(world.auth_token, ORIGIN + PATH, fields.items())


def _request(body: bytes, signature: str) -> Request:
    headers = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8", "x-twilio-signature": signature}
    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(scope, receive)


async def _plans(world: World, size: int) -> str:
    """The plan of each statement for whatever arguments, and how often it and plans for given arguments were used."""
    engine = create_engine(world.dsn, pool_size=2)
    units, stopwatch = Units(engine, Clock()), Stopwatch()
    for _ in range(_EXECUTIONS):
        await _write(units, stopwatch, _messages(world, size))
    plans = []
    async with units.begin() as unit:
        await unit.driver.execute(_PLAN_OF)
        for row in await unit.driver.fetch(_PREPARED):
            lines = await unit.driver.fetch("select pg_temp.plan_of($1)", row["statement"])
            uses = f"generic plan used {row['generic_plans']} times, custom plans {row['custom_plans']} times"
            plans.append("\n".join([" ".join(row["statement"].split()), uses, *(f"    {line[0]}" for line in lines)]))
    await engine.dispose()
    return "\n\n".join(plans)


_EXECUTIONS = 12
_PREPARED = """
select statement, generic_plans, custom_plans from pg_prepared_statements
where generic_plans + custom_plans > 1 and statement not ilike '%pg_catalog%' and statement ~ '[$]1'
order by prepare_time
"""
_PLAN_OF = """
create function pg_temp.plan_of(statement text) returns setof text language plpgsql as
$$ begin return query execute 'explain (generic_plan) ' || statement; end $$
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline_steps", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--batches", type=lambda text: [int(part) for part in text.split(",")], default=[1, 16, 64])
    parser.add_argument("--conversations", type=int, default=50_000)
    parser.add_argument("--callbacks", type=int, choices=(0, 1, 2), default=1)
    parser.add_argument("--plans", action="store_true")
    arguments = parser.parse_args()
    with new_world(conversations=arguments.conversations, callbacks=arguments.callbacks) as world:
        if arguments.plans:
            print(asyncio.run(_plans(world, max(arguments.batches))))
        else:
            print(report(world, seconds=arguments.seconds, sizes=arguments.batches))


if __name__ == "__main__":
    main()
