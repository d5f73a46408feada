"""Conversations that are deleted while traffic, callbacks, timers and other callers work on them."""

import asyncio
import random
import time
import uuid
from collections import Counter
from typing import Any

import pytest

from orchestrator.kernel.ids import new_sid
from tests.races.test_api_keys import CONFIGURATIONS, call, only_configuration, pair, racing
from tests.support.conversations import BELONGINGS, PATH, customer, sms
from tests.support.factories import OUR_NUMBER
from tests.support.processes import Cluster
from tests.support.receiver import Receiver, receiver

SECONDS = 2.5
CUSTOMERS = 6
DELETED_AT_ONCE = 3


async def rows(processes: Cluster, query: str) -> set[Any]:
    found = await processes.database.fetch(query, processes.account.account_id)
    return {row[0] for row in found}


async def nothing_is_left_of_deleted_ones(processes: Cluster) -> None:
    """Every row that names a conversation names one that is there."""
    for table in BELONGINGS:
        orphans = f"""
            select conversation_id from {table} where account_id = $1
            except select id from conversations where account_id = $1
        """
        assert await rows(processes, orphans) == set(), table


async def listed(processes: Cluster, position: int) -> list[str]:
    answer = await call(processes, position, "GET", f"{PATH}?pageSize=10")
    return [one["id"] for one in answer.body["conversations"]]


class Play:
    """Customers who write, and callers who delete, until the time is over."""

    def __init__(self, processes: Cluster) -> None:
        self.processes = processes
        self.deadline = time.monotonic() + SECONDS
        self.chance = random.Random(3)
        self.answered: dict[str, float] = {}
        """When each message was answered."""
        self.statuses = Counter[tuple[str, int]]()
        self.last_deletion = 0.0

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.deadline

    async def keep_writing(self, number: int) -> None:
        while not self.is_over:
            await self.write(number)

    async def write(self, number: int) -> str:
        sid = new_sid("SM")
        form = {"MessageSid": sid, "From": f"+1558{number:07d}", "To": OUR_NUMBER, "Body": sid}
        assert await self.processes.post_message(self.chance.randrange(2), form) == 200
        self.answered[sid] = time.monotonic()
        return sid

    async def keep_asking(self, method: str, below: str, body: Any) -> None:
        """Ask for the same of whatever conversations there are."""
        while not self.is_over:
            for conversation in await listed(self.processes, self.chance.randrange(2)):
                answer = await call(
                    self.processes, self.chance.randrange(2), method, f"{PATH}/{conversation}{below}", body
                )
                self.statuses[f"{method} {below}", answer.status] += 1

    async def keep_deleting(self) -> None:
        while not self.is_over:
            for conversation in await listed(self.processes, self.chance.randrange(2)):
                # Two at once, sometimes one request twice.
                keys = [str(uuid.uuid4())] * 2 if self.chance.random() < 0.5 else [str(uuid.uuid4()) for _ in range(2)]
                await asyncio.gather(*(self.delete(conversation, position, key) for position, key in enumerate(keys)))
            await asyncio.sleep(0.05)

    async def delete(self, conversation: str, position: int, key: str) -> None:
        url = f"{self.processes.origins[position]}{PATH}/{conversation}"
        async with self.processes.session.delete(url, headers={"Idempotency-Key": key}) as answer:
            await answer.read()
            self.statuses["DELETE", answer.status] += 1
            self.last_deletion = time.monotonic()


async def test_deletions_against_traffic(database_url: str) -> None:
    """Whatever was answered is in a conversation that is there, or went with one that was deleted."""
    async with racing(database_url) as processes:
        play = Play(processes)
        newcomer = customer(sms("+15550009999"))
        await asyncio.gather(
            *(play.keep_writing(number) for number in range(CUSTOMERS)),
            *(play.keep_deleting() for _ in range(DELETED_AT_ONCE)),
            play.keep_asking("POST", "/Participants", newcomer),
            play.keep_asking("PATCH", "", {"name": "Parcel"}),
            play.keep_asking("GET", "/Participants", None),
        )
        surviving = [await play.write(number) for number in range(CUSTOMERS)]
        late = {sid for sid, moment in play.answered.items() if moment > play.last_deletion}
        assert set(surviving) <= late
        kept = await rows(processes, "select resource_id from communications where account_id = $1")
        assert late <= kept <= play.answered.keys()
        assert await rows(processes, "select resource_id from receipts where account_id = $1") == play.answered.keys()
        assert play.statuses["DELETE", 202] > CUSTOMERS
        assert {status for _, status in play.statuses} <= {200, 201, 202, 400, 404, 409}
        await nothing_is_left_of_deleted_ones(processes)


async def tell(processes: Cluster, hooks: Receiver, *paths: str) -> None:
    """Have every event told to a receiver."""
    callbacks = {"statusCallbacks": [hooks.callback(path) for path in paths]}
    path = f"{CONFIGURATIONS}/{await only_configuration(processes)}"
    assert (await call(processes, 0, "PATCH", path, callbacks)).status == 202


async def test_deletions_against_callbacks_and_timers(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliverers and sweeps of two processes go on; what is told after the last deletion arrives."""
    monkeypatch.setenv("ORCHESTRATOR_ALLOW_INSECURE_CALLBACKS", "true")
    options: dict[str, Any] = {"worker": True, "clock_speed": 200, "timeouts": {"closed": 1}}
    async with receiver() as hooks, racing(database_url, **options) as processes:
        await tell(processes, hooks, "/one", "/other")
        play = Play(processes)
        await asyncio.gather(
            *(play.keep_writing(number) for number in range(CUSTOMERS)),
            *(play.keep_deleting() for _ in range(DELETED_AT_ONCE)),
        )
        created = await call(processes, 0, "POST", PATH, {"configurationId": await only_configuration(processes)})
        while {one.path for one in hooks.received if one.conversation_id == created.id} != {"/one", "/other"}:
            await hooks.until(len(hooks.received) + 1)
        assert play.statuses["DELETE", 202] > CUSTOMERS
        assert {status for _, status in play.statuses} == {202, 404}
        await nothing_is_left_of_deleted_ones(processes)


async def test_one_pair_is_created_closed_and_deleted_again_and_again(database_url: str) -> None:
    """At most one is open at any time, and in the end the pair is free or held by the one that is."""
    async with racing(database_url, worker=True, clock_speed=200, timeouts={"closed": 1}) as processes:
        play = Play(processes)
        body = {"configurationId": await only_configuration(processes), "participants": pair(1)}

        async def keep_creating(position: int) -> None:
            while not play.is_over:
                answer = await call(processes, position, "POST", PATH, body)
                play.statuses["POST", answer.status] += 1

        await asyncio.gather(
            *(keep_creating(position) for position in range(4)),
            *(play.keep_deleting() for _ in range(2)),
            play.keep_asking("PUT", "", {"status": "CLOSED"}),
            play.keep_writing(1),
        )
        assert play.statuses["POST", 201] > 2
        assert {status for _, status in play.statuses} <= {200, 201, 202, 404, 409}
        await nothing_is_left_of_deleted_ones(processes)
