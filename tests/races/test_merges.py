"""Profiles that become one while their people write, and people met twice at once, through several processes."""

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from orchestrator.kernel.ids import new_sid
from tests.races.test_api_keys import CONFIGURATIONS, call, deadlocks
from tests.support.conversations import PATH, keys_held, keys_meant, keys_waited_for
from tests.support.factories import OUR_NUMBER
from tests.support.processes import Cluster, cluster

MESSAGES = 40
AFTERWARDS = 6

chance = random.Random(5)


@pytest.fixture(scope="module")
async def processes(database_url: str) -> AsyncIterator[Cluster]:
    """Two processes; nobody has had to be ended because of a deadlock."""
    before = await deadlocks(database_url)
    async with cluster(database_url, processes=2, grouping="GROUP_BY_PROFILE") as running:
        yield running
    assert await deadlocks(database_url) == before


async def write(processes: Cluster, sender: str) -> str:
    """Let a message arrive at one of the processes; returns its SID once it is answered."""
    form = {"MessageSid": new_sid("SM"), "From": sender, "To": sender.partition("+")[0] + OUR_NUMBER, "Body": "hello"}
    assert await processes.post_message(chance.randrange(2), form) == 200
    return form["MessageSid"]


async def link(processes: Cluster, store: str, profile: str, number: str) -> None:
    """Give a profile a number, whoever has it, and wherever the profile is by now."""
    while True:
        url = f"{chance.choice(processes.origins)}/v1/Stores/{store}/Profiles/{profile}/Identifiers"
        body = {"idType": "phone", "value": number}
        async with processes.session.post(url, json=body, allow_redirects=False) as answer:
            if answer.status == 202:
                return
            assert answer.status == 308, await answer.text()
            profile = answer.headers["Canonical-Profile-Id"]


async def disturb(processes: Cluster, conversation: str, number: str) -> None:
    """Say something in a conversation as its caller, and end it perhaps."""
    us, them = ({"channel": "SMS", "address": address} for address in (OUR_NUMBER, number))
    said = {"author": us, "recipients": [them], "content": {"type": "TEXT", "text": "said"}}
    answer = await call(processes, chance.randrange(2), "POST", f"{PATH}/{conversation}/Communications", said)
    assert answer.status in {201, 400}
    if chance.random() < 0.5:
        await call(processes, chance.randrange(2), "PUT", f"{PATH}/{conversation}", {"status": "CLOSED"})


async def who(processes: Cluster, numbers: list[str]) -> set[str]:
    """The profiles that have these numbers."""
    query = "select profile_id from profile_identifiers where account_id = $1 and value = any ($2)"
    return {row["profile_id"] for row in await processes.database.fetch(query, processes.account.account_id, numbers)}


async def where(processes: Cluster, sids: list[str]) -> list[str]:
    """The conversation of every communication of these messages."""
    query = "select conversation_id from communications where account_id = $1 and resource_id = any ($2)"
    return [row["conversation_id"] for row in await processes.database.fetch(query, processes.account.account_id, sids)]


async def everything_has_followed(processes: Cluster) -> None:
    """No open conversation knows of a profile that is gone; its keys are held by it, or it waits for them."""
    account = processes.account.account_id
    left_behind = """
        select count(*) from participants p
        join conversations c on c.account_id = p.account_id and c.id = p.conversation_id and c.status <> 'CLOSED'
        join profiles m on m.account_id = p.account_id and m.id = p.profile_id and m.merged_into is not null
        where p.account_id = $1
    """
    assert await processes.database.fetchval(left_behind, account) == 0
    held = await keys_held(processes.database.fetch, account)
    waiting = await keys_waited_for(processes.database.fetch, account)
    assert held | waiting == await keys_meant(processes.database.fetch, account)
    assert not held & waiting
    assert await processes.gaps_in_sequences() == 0


@pytest.mark.parametrize(
    "rounds", [6, pytest.param(150, marks=[pytest.mark.soak, pytest.mark.timeout(900)])], ids=["few", "many"]
)
async def test_messages_while_their_senders_become_one(processes: Cluster, rounds: int) -> None:
    """No message is lost or doubled, and once the merges are answered everything lands in one conversation."""
    (configuration,) = (await call(processes, 0, "GET", CONFIGURATIONS)).body["configurations"]
    written: list[str] = []
    for number in range(rounds):
        numbers = [f"+1556{number:03d}{digit:04d}" for digit in range(3)]
        first = [await write(processes, sender) for sender in numbers]
        people = [(await who(processes, [sender])).pop() for sender in numbers]
        begun = [(await where(processes, [sid]))[0] for sid in first]
        acting = [
            link(processes, configuration["memoryStoreId"], one, another)
            for one, another in zip(people, numbers[1:] + numbers[:1], strict=True)
        ]
        acting += [disturb(processes, *one) for one in zip(begun, numbers, strict=True)]

        async def act_and_write(acting: list[Any] = acting, numbers: list[str] = numbers) -> list[str]:
            await asyncio.gather(*acting)
            return await asyncio.gather(*(write(processes, chance.choice(numbers)) for _ in range(AFTERWARDS)))

        writing = [write(processes, chance.choice(numbers)) for _ in range(MESSAGES)]
        meanwhile, afterwards = await asyncio.gather(asyncio.gather(*writing), act_and_write())
        written += [*first, *meanwhile, *afterwards]
        assert await who(processes, numbers) == {min(people)}
        assert len(set(await where(processes, afterwards))) == 1
        await everything_has_followed(processes)
    assert len(await where(processes, written)) == len(set(written)) == rounds * (3 + MESSAGES + AFTERWARDS)


async def test_somebody_who_is_met_twice_at_once_is_one_profile(processes: Cluster) -> None:
    for number in range(10):
        one, another = (f"+1557{number:03d}{digit:04d}" for digit in range(2))
        contacts = [one, f"whatsapp:{one}", another, another]
        chance.shuffle(contacts)
        written = await asyncio.gather(*(write(processes, sender) for sender in contacts))
        assert len(set(await where(processes, written))) == 2
        assert len(await who(processes, [one, f"whatsapp:{one}"])) == len(await who(processes, [another])) == 1
    await everything_has_followed(processes)
