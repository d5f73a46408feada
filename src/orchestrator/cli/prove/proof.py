"""One proof from its beginning to its end: play, wait until all is quiet, read the log, stop, count."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.cli.prove import counts
from orchestrator.cli.prove.checks import Check, all_checks
from orchestrator.cli.prove.client import Client
from orchestrator.cli.prove.customers import customers
from orchestrator.cli.prove.ground import Ground
from orchestrator.cli.prove.play import Play, Played
from orchestrator.cli.prove.receiver import Receiver, receiving
from orchestrator.cli.prove.replay import Replay
from orchestrator.kernel.unit import Driver

_PATIENCE = 60.0
"""Seconds without any progress after which what is unfinished counts as lost."""
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Proof:
    """What was played, and what was found."""

    played: Played
    receiver: Receiver
    conversations: int
    seconds: float
    """How long the traffic lasted."""
    checks: list[Check]
    log: str
    """The last of what the service said: warnings and errors."""

    @property
    def holds(self) -> bool:
        return all(check.holds for check in self.checks)


async def prove(ground: Ground, *, messages: int, seed: int, tell: Callable[[str], None]) -> Proof:
    """Play so many messages and count. `tell` is told how far it has got. Raises CommandFailed."""
    async with counts.asking(ground.database_url) as driver:
        before = await counts.deadlocks(driver)
        tell("the service starts")
        ground.service.start()
        await asyncio.to_thread(ground.service.wait_until_ready)
        async with receiving(ground.auth_token, seed) as receiver:
            client = Client(ground.service.url, ground.account_id, ground.auth_token)
            async with client:
                play = Play(client, lambda done: tell(f"{done:,} of {messages:,} messages answered"))
                await play.configure(receiver.url)
                started = time.monotonic()
                await play.run(customers(messages, seed))
                seconds = time.monotonic() - started
                await until_quiet(driver, ground.account_id, tell)
                replay = Replay(play.played.configurations)
                await read_log(client, replay)
            await asyncio.to_thread(ground.service.stop)
        tell("counting")
        kept = await counts.kept(driver, ground.account_id, play.played.linked)
        checks = all_checks(play.played, kept, replay, receiver)
        deadlocks = await counts.deadlocks(driver) - before
        checks.append(Check("server", "requests that failed and were sent again", 0, client.troubles.total()))
        checks.append(Check("server", "deadlocks, as PostgreSQL counts them", 0, deadlocks))
        return Proof(play.played, receiver, kept.conversations, seconds, checks, ground.service.log_tail())


async def until_quiet(driver: Driver, account_id: str, tell: Callable[[str], None] = lambda words: None) -> None:
    """Wait until every callback is settled and every conversation closed, or nothing has moved for a long time."""
    left, give_up = (-1, -1), 0.0
    while (now := await counts.unfinished(driver, account_id)) != (0, 0):
        if now != left:
            left, give_up = now, time.monotonic() + _PATIENCE
        if time.monotonic() > give_up:
            return
        tell(f"{now[0]:,} callbacks to be delivered, {now[1]:,} conversations to be closed by their timers")
        await asyncio.sleep(0.25)


async def read_log(client: Client, replay: Replay) -> None:
    """Read the event log over the API, from its beginning to its end."""
    after = 0
    while True:
        page = (await client.call("GET", f"/orchestrator/v1/Events?after={after}&pageSize={_PAGE}")).body
        replay.read(page["events"])
        if not page["events"]:
            return
        after = page["after"]
