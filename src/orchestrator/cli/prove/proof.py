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
_STEP = 100
"""Messages between two words about the progress."""


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
    service = ground.service
    async with counts.asking(ground.database_url) as driver, receiving(ground.auth_token, seed) as receiver:
        before = await counts.deadlocks(driver)
        tell("the service starts")
        service.start()
        await asyncio.to_thread(service.wait_until_ready)
        async with Client(service.url, ground.account_id, ground.auth_token) as client:
            play = Play(client, _progress(tell, messages))
            await play.configure(receiver.url)
            started = time.monotonic()
            await play.run(customers(messages, seed))
            seconds = time.monotonic() - started
            await until_quiet(driver, ground.account_id, tell)
            replay = await read_log(client, play.played)
        await asyncio.to_thread(service.stop)
        tell("counting")
        kept = await counts.kept(driver, ground.account_id, play.played.linked)
        checks = all_checks(play.played, kept, replay, receiver)
        checks.append(Check("server", "requests that failed and were sent again", 0, client.troubles.total()))
        deadlocks = await counts.deadlocks(driver) - before
        checks.append(Check("server", "deadlocks, as PostgreSQL counts them", 0, deadlocks))
        return Proof(play.played, receiver, kept.conversations, seconds, checks, service.log_tail())


def _progress(tell: Callable[[str], None], messages: int) -> Callable[[int], None]:
    def on_answer(done: int) -> None:
        if done % _STEP == 0:
            tell(f"{done:,} of {messages:,} messages answered")

    return on_answer


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


async def read_log(client: Client, played: Played) -> Replay:
    """Read the event log over the API, from its beginning to its end. Raises CommandFailed."""
    replay = Replay(played.configurations)
    after = 0
    while True:
        page = (await client.call("GET", f"/orchestrator/v1/Events?after={after}&pageSize={_PAGE}")).body
        if not page["events"]:
            return replay
        replay.read(page["events"])
        after = page["after"]
