"""Grouping keys that callers and traffic want at the same instant, through several processes."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest

from orchestrator.kernel.ids import new_sid
from tests.support.conversations import PATH, agent, customer, keys_held, keys_meant, sms, someone, whatsapp
from tests.support.factories import OUR_NUMBER, configuration_body
from tests.support.processes import Cluster, cluster

GROUPINGS = (
    "GROUP_BY_PARTICIPANT_ADDRESSES_AND_CHANNEL_TYPE",
    "GROUP_BY_PARTICIPANT_ADDRESSES",
    "GROUP_BY_PROFILE",
)
BY_ADDRESSES = GROUPINGS[1]
CONFIGURATIONS = "/v2/ControlPlane/Configurations"
ROUNDS = 5
AT_ONCE = 16


@dataclass(frozen=True)
class Answer:
    """What one of the processes answered."""

    status: int
    body: Any
    conflicting: str | None

    @property
    def id(self) -> str:
        return str(self.body["id"])


async def call(processes: Cluster, position: int, method: str, path: str, body: Any = None) -> Answer:
    """Ask one of the processes; none may fail."""
    url = processes.origins[position % len(processes.origins)] + path
    async with processes.session.request(method, url, json=body) as answer:
        found = await answer.json()
        assert answer.status < 500, found
        return Answer(answer.status, found, answer.headers.get("X-Conflicting-Resource-Id"))


async def write(processes: Cluster, position: int, sender: str) -> None:
    """Let a message arrive."""
    form = {"MessageSid": new_sid("SM"), "From": sender, "To": OUR_NUMBER, "Body": "hello"}
    assert await processes.post_message(position, form) == 200


async def only_configuration(processes: Cluster) -> str:
    (configuration,) = (await call(processes, 0, "GET", CONFIGURATIONS)).body["configurations"]
    return str(configuration["id"])


async def deadlocks(database_url: str) -> int:
    connection = await asyncpg.connect(database_url)
    query = "select deadlocks from pg_stat_database where datname = current_database()"
    found: int = await connection.fetchval(query)
    await connection.close()
    return found


async def keys_are_those_of_open_conversations(processes: Cluster) -> None:
    account_id = processes.account.account_id
    held = await keys_held(processes.database.fetch, account_id)
    assert held == await keys_meant(processes.database.fetch, account_id)
    assert await processes.gaps_in_sequences() == 0


@asynccontextmanager
async def racing(database_url: str, grouping: str = BY_ADDRESSES, **options: Any) -> AsyncIterator[Cluster]:
    """Two processes. Afterwards the keys are right, and nobody has had to be ended because of a deadlock."""
    before = await deadlocks(database_url)
    async with cluster(database_url, processes=2, grouping=grouping, **options) as processes:
        yield processes
        await keys_are_those_of_open_conversations(processes)
    # Only now have the connections told the statistics everything.
    assert await deadlocks(database_url) == before


def pair(number: int) -> list[dict[str, Any]]:
    return [customer(sms(f"+1558{number:07d}")), agent(sms(OUR_NUMBER))]


@pytest.mark.parametrize("grouping", GROUPINGS)
async def test_of_many_creates_one_wins(database_url: str, grouping: str) -> None:
    async with racing(database_url, grouping) as processes:
        configuration_id = await only_configuration(processes)
        for number in range(ROUNDS):
            body = {"configurationId": configuration_id, "participants": pair(number)}
            answers = await asyncio.gather(
                *(call(processes, position, "POST", PATH, body) for position in range(AT_ONCE))
            )
            (won,) = [answer for answer in answers if answer.status == 201]
            lost = {(answer.status, answer.conflicting) for answer in answers if answer is not won}
            assert lost == {(409, won.id)}
        assert await processes.count("conversations") == ROUNDS
        assert await processes.count("participants") == 2 * ROUNDS
        assert await processes.count("profiles") == ROUNDS


async def test_of_groups_that_overlap_no_two_share_a_pair(database_url: str) -> None:
    chance = random.Random(1)
    async with racing(database_url) as processes:
        configuration_id = await only_configuration(processes)
        for number in range(ROUNDS):
            numbers = [f"+1558{number:03d}{digit:04d}" for digit in range(6)]

            def group(numbers: list[str] = numbers) -> dict[str, Any]:
                some = chance.sample(numbers, 3)
                members = [*(someone(None, sms(one)) for one in some), agent(sms(OUR_NUMBER))]
                chance.shuffle(members)
                return {"configurationId": configuration_id, "participants": members}

            answers = await asyncio.gather(
                *(call(processes, position, "POST", PATH, group()) for position in range(AT_ONCE))
            )
            won = [answer.id for answer in answers if answer.status == 201]
            assert won
            assert {answer.conflicting for answer in answers if answer.status == 409} <= set(won)
            assert Counter(answer.status for answer in answers).keys() <= {201, 409}


@pytest.mark.parametrize("grouping", GROUPINGS)
async def test_creates_against_first_messages(database_url: str, grouping: str) -> None:
    """One conversation for each pair, made by whoever comes first; every message is in it."""
    async with racing(database_url, grouping) as processes:
        configuration_id = await only_configuration(processes)
        for number in range(ROUNDS):
            them, us = pair(number)
            body = {"configurationId": configuration_id, "participants": [them, us]}
            sender = them["addresses"][0]["address"]
            writing = [write(processes, position, sender) for position in range(AT_ONCE)]
            creating = [call(processes, position, "POST", PATH, body) for position in range(AT_ONCE)]
            both: list[Any] = [one for two in zip(writing, creating, strict=True) for one in two]
            answers = [one for one in await asyncio.gather(*both) if isinstance(one, Answer)]
            listed = (await call(processes, 0, "GET", f"{PATH}?pageSize=1")).body["conversations"]
            won = {answer.id for answer in answers if answer.status == 201}
            assert won <= {listed[0]["id"]}
            assert {answer.conflicting for answer in answers if answer.status == 409} == {listed[0]["id"]}
        assert await processes.count("conversations") == ROUNDS
        assert await processes.count("communications") == ROUNDS * AT_ONCE
        assert await processes.count("participants") == 2 * ROUNDS


async def test_a_customer_of_many_addresses_is_one_profile(database_url: str) -> None:
    """Whatever the order in which callers give the addresses; and nobody fails when messages come meanwhile."""
    chance = random.Random(4)
    async with racing(database_url, "GROUP_BY_PROFILE") as processes:
        configuration_id = await only_configuration(processes)

        async def introduce(position: int, numbers: list[str]) -> None:
            owned = chance.sample([*map(sms, numbers), *map(whatsapp, numbers)], 2 * len(numbers))
            body = {"configurationId": configuration_id, "participants": [customer(*owned)]}
            assert (await call(processes, position, "POST", PATH, body)).status in {201, 409}

        for number in range(ROUNDS):
            alone, written_to = ([f"+1556{number:03d}{one}{digit:03d}" for digit in range(3)] for one in range(2))
            await asyncio.gather(*(introduce(position, alone) for position in range(AT_ONCE)))
            await asyncio.gather(*(write(processes, position, sender) for position, sender in enumerate(alone)))
            assert await processes.count("conversations") == await processes.count("profiles")
            writing = [write(processes, position, chance.choice(written_to)) for position in range(AT_ONCE)]
            await asyncio.gather(*writing, *(introduce(position, written_to) for position in range(AT_ONCE)))
        assert await processes.count("communications") == ROUNDS * (AT_ONCE + 3)


async def test_an_address_is_added_once(database_url: str) -> None:
    async with racing(database_url) as processes:
        configuration_id = await only_configuration(processes)
        for number in range(ROUNDS):
            body = {"configurationId": configuration_id, "participants": pair(number)}
            conversation = (await call(processes, 0, "POST", PATH, body)).id
            joining = customer(sms(f"+1559{number:07d}"))
            path = f"{PATH}/{conversation}/Participants"
            answers = await asyncio.gather(
                *(call(processes, position, "POST", path, joining) for position in range(AT_ONCE))
            )
            (won,) = [answer for answer in answers if answer.status == 201]
            lost = {(answer.status, answer.conflicting) for answer in answers if answer is not won}
            assert lost == {(409, won.id)}
        assert await processes.count("participants") == 3 * ROUNDS


async def test_a_pair_is_added_to_one_of_many_conversations(database_url: str) -> None:
    async with racing(database_url) as processes:
        configuration_id = await only_configuration(processes)
        conversations = [
            (
                await call(processes, 0, "POST", PATH, {"configurationId": configuration_id, "participants": pair(one)})
            ).id
            for one in range(AT_ONCE)
        ]
        for number in range(ROUNDS):
            joining = customer(sms(f"+1559{number:07d}"))
            answers = await asyncio.gather(
                *(
                    call(processes, position, "POST", f"{PATH}/{conversation}/Participants", joining)
                    for position, conversation in enumerate(conversations)
                )
            )
            (won,) = [answer for answer in answers if answer.status == 201]
            lost = {(answer.status, answer.conflicting) for answer in answers if answer is not won}
            assert lost == {(409, won.body["conversationId"])}


async def test_addresses_that_change_hands_against_traffic(database_url: str) -> None:
    """Whatever the order, no message is lost, and everybody is found by the addresses that they have in the end."""
    chance = random.Random(2)
    async with racing(database_url) as processes:
        configuration_id = await only_configuration(processes)
        numbers = [f"+1557000{digit:04d}" for digit in range(4)]
        people = [customer(sms(one)) for one in numbers[:2]] + [agent(sms(OUR_NUMBER)), agent(sms("+16505550100"))]
        body = {"configurationId": configuration_id, "participants": people}
        members = (await call(processes, 0, "POST", PATH, body)).body["participants"]
        written = 0
        statuses = Counter[int]()

        async def change(position: int) -> None:
            member = members[position % len(members)]
            path = f"{PATH}/{member['conversationId']}/Participants/{member['id']}"
            given = chance.sample([*numbers, OUR_NUMBER], chance.randint(0, 2))
            changed = {**member, "addresses": [sms(one) for one in given]}
            statuses[(await call(processes, position, "PUT", path, changed)).status] += 1

        async def talk(position: int) -> None:
            nonlocal written
            await write(processes, position, numbers[position % len(numbers)])
            written += 1

        async def join(position: int) -> None:
            path = f"{PATH}/{members[0]['conversationId']}/Participants"
            joining = someone(chance.choice(["CUSTOMER", "AGENT"]), sms(chance.choice([*numbers, OUR_NUMBER])))
            statuses[(await call(processes, position, "POST", path, joining)).status] += 1

        for _ in range(ROUNDS):
            everybody = [one(position) for position in range(AT_ONCE) for one in (change, talk, join)]
            chance.shuffle(everybody)
            await asyncio.gather(*everybody)
        assert set(statuses) <= {200, 201, 409}
        assert statuses[200] > ROUNDS
        assert await processes.count("communications") == written == ROUNDS * AT_ONCE


async def test_a_configuration_that_is_deleted_keeps_no_open_conversation(database_url: str) -> None:
    async with racing(database_url) as processes:
        statuses = Counter[int]()
        for number in range(ROUNDS):
            accepted = await call(processes, 0, "POST", CONFIGURATIONS, configuration_body())
            configuration_id = accepted.body["related"]["configurationId"]
            bodies = [
                {"configurationId": configuration_id, "participants": pair(position)} for position in range(AT_ONCE)
            ]
            creating = [call(processes, position, "POST", PATH, body) for position, body in enumerate(bodies)]
            creating.insert(number, call(processes, 1, "DELETE", f"{CONFIGURATIONS}/{configuration_id}"))
            answers = await asyncio.gather(*creating)
            deleted = answers.pop(number)
            statuses[deleted.status] += 1
            created = [answer.status for answer in answers]
            assert deleted.status == (409 if 201 in created else 202)
            assert set(created) <= ({201} if 201 in created else {404})
        assert set(statuses) <= {202, 409}
