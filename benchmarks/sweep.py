"""Transitions per second of the closing sweep, beside the bare SQL that writes the same rows.

Most conversations are not due: the sweep must not look at them. The bare SQL knows nothing of timers, versions or
participants; it takes what is due, closes it, frees the key and writes one event, in batches of the same size.
"""

import argparse
import asyncio
from time import perf_counter

import asyncpg

from benchmarks.world import World, new_world
from orchestrator.conversations.following import listen
from orchestrator.domain.linking import Linking
from orchestrator.extraction import asking
from orchestrator.kernel.clock import Clock
from orchestrator.kernel.db import create_engine
from orchestrator.kernel.unit import Units
from orchestrator.lifecycle.sweep import sweep_all

BATCH = 500
_EXPECTED = 0.3


async def bare(world: World, due: int) -> float:
    """Close what is due with one statement for each batch; returns transitions per second."""
    connection = await asyncpg.connect(world.dsn)
    try:
        started, moved = perf_counter(), 0
        while count := int((await connection.execute(_BARE, world.account_id, BATCH)).rpartition(" ")[2]):
            moved += count
        took = perf_counter() - started
    finally:
        await connection.close()
    assert moved == due, moved
    return due / took


async def swept(world: World, due: int) -> float:
    """Let the service's sweep close what is due; returns transitions per second."""
    engine = create_engine(world.dsn, pool_size=2)
    units = Units(engine, Clock())
    listen(units, Linking())
    asking.connect(units, asking.Policy())
    started = perf_counter()
    moved = await sweep_all(units)
    took = perf_counter() - started
    await engine.dispose()
    assert moved == due, moved
    return due / took


async def make_due(world: World, due: int) -> None:
    """Let the time of some conversations have passed; the others stay open for hours."""
    connection = await asyncpg.connect(world.dsn)
    try:
        await connection.execute(_DUE, world.account_id, due)
        await connection.execute("vacuum (analyze) conversations")
    finally:
        await connection.close()


def main() -> None:
    """Print the rates of both, and how they compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--open", type=int, default=200_000, help="conversations that are open (default: 200,000)")
    parser.add_argument(
        "--due", type=int, default=20_000, help="those of them that are due, each time (default: 20,000)"
    )
    arguments = parser.parse_args()
    with new_world(conversations=arguments.open, callbacks=0) as world:
        rates = {}
        for name, measure in (("bare SQL", bare), ("sweep", swept), ("bare SQL again", bare), ("sweep again", swept)):
            asyncio.run(make_due(world, arguments.due))
            rates[name] = asyncio.run(measure(world, arguments.due))
            print(f"{name:16} {rates[name]:>10,.0f} transitions/s")
    ratio = (rates["sweep"] + rates["sweep again"]) / (rates["bare SQL"] + rates["bare SQL again"])
    print(f"ratio {ratio:.2f} (expected: {_EXPECTED} and more) with {arguments.open:,} open conversations")


_DUE = """
update conversations set status = 'INACTIVE', next_transition_at = now() - interval '1 minute',
       channel_activity = jsonb_build_object('SMS', now() - interval '30 days')
where account_id = $1 and id in (
  select id from conversations where account_id = $1 and status = 'ACTIVE' order by id limit $2)
"""
_BARE = """
with due as (
  select account_id, id from conversations
  where status <> 'CLOSED' and next_transition_at <= now() and account_id = $1
  order by next_transition_at limit $2 for no key update skip locked
), moved as (
  update conversations c set status = 'CLOSED', next_transition_at = null, updated_at = now(),
         event_sequence = c.event_sequence + 1
  from due where c.account_id = due.account_id and c.id = due.id
  returning c.account_id, c.id, c.event_sequence
), freed as (
  delete from conversation_keys k using moved where k.account_id = moved.account_id and k.conversation_id = moved.id
), counted as (
  insert into event_positions as known (account_id, position) select $1, count(*) from moved
  on conflict (account_id) do update set position = known.position + excluded.position
  returning position
)
insert into events (account_id, conversation_id, sequence, position, type, body, occurred_at)
select moved.account_id, moved.id, event_sequence, position - row_number() over () + 1, 'CONVERSATION_UPDATED',
       json_build_object('eventType', 'CONVERSATION_UPDATED', 'timestamp', now(),
                         'data', json_build_object('id', moved.id, 'accountId', moved.account_id, 'status', 'CLOSED')),
       now()
from moved, counted
"""


if __name__ == "__main__":
    main()
