"""Processes die by SIGKILL in the middle of heavy traffic: what was answered is there, once, and in order."""

import asyncio
import random
import sys
from collections.abc import Iterator, Sequence

import pytest

from orchestrator.cli.prove import counts
from orchestrator.cli.prove.checks import all_checks
from orchestrator.cli.prove.client import Client
from orchestrator.cli.prove.customers import Customer, customers
from orchestrator.cli.prove.play import Play
from orchestrator.cli.prove.proof import read_log, until_quiet
from orchestrator.cli.prove.receiver import receiving
from orchestrator.cli.temporary_folder import temporary_folder
from tests.chaos.havoc import API, EVERYTHING, POSTGRES, WORKER, havoc

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them")

SEED = 20
AT_ONCE = 16
"""Customers."""
FEW = (API, WORKER, POSTGRES)
MANY = tuple(random.Random(SEED).choices((API, WORKER, POSTGRES, EVERYTHING), [4, 4, 4, 1], k=150))


@pytest.mark.parametrize(
    "victims", [FEW, pytest.param(MANY, marks=[pytest.mark.soak, pytest.mark.timeout(1800)])], ids=["few", "many"]
)
async def test_what_was_answered_outlives_every_process(victims: Sequence[str]) -> None:
    chance = random.Random(SEED)
    with temporary_folder("chaos") as folder, havoc(folder) as running:
        await running.start()
        async with (
            running.looking_after_worker(),
            receiving(running.auth_token, SEED) as receiver,
            Client(running.service.url, running.account_id, running.auth_token) as client,
        ):
            play = Play(client)
            await play.configure(receiver.url)
            over = asyncio.Event()

            def coming() -> Iterator[Customer]:
                """Customers, until the last process has been killed."""
                for customer in customers(1_000_000, SEED):
                    if over.is_set():
                        return
                    yield customer

            async with asyncio.TaskGroup() as group:
                group.create_task(play.run(coming(), at_once=AT_ONCE))
                for number, victim in enumerate(victims):
                    await asyncio.sleep(chance.uniform(0.2, 1.0))
                    await running.kill(victim)
                    if number % 10 == 9:  # or some would never get far enough to be interrupted
                        await running.recover()
                over.set()
                await running.recover()
            async with counts.asking(running.database_url) as driver:
                await until_quiet(driver, running.account_id)
                replay = await read_log(client, play.played)
                kept = await counts.kept(driver, running.account_id, play.played.linked)
        assert [check for check in all_checks(play.played, kept, replay, receiver) if not check.holds] == []
        assert client.troubles.total() > 0, "nobody noticed that anything was killed"
        assert "the embedded PostgreSQL ended and was started again" in running.log.read_text()
