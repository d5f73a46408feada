"""Recall of a conversation over HTTP: what is remembered because of it, and what was said last."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.ids import CONVERSATION, new_id
from tests.features.test_communication_writes import Body, end, new_conversation, path_of, say
from tests.support import traffic
from tests.support.app import Service
from tests.support.memories import (
    DOG,
    PARCEL,
    SHOP,
    TEA,
    contents,
    known_profile,
    note,
    observation,
    profile_path,
    recall,
    scores,
)
from tests.support.memory import assert_refused, new_phone, new_profile, new_store
from tests.support.traffic import KIRAN, US


@pytest.fixture
async def store(service: Service) -> str:
    return await new_store(service)


@pytest.fixture
async def profile(service: Service, store: str) -> str:
    """The path of a profile."""
    return profile_path(store, await new_profile(service, store, phone=new_phone()))


@pytest.fixture
async def known(service: Service, store: str) -> str:
    """The path of a profile of which something is known."""
    return await known_profile(service, store)


async def test_a_conversation_is_a_query(service: Service, known: str) -> None:
    conversation = await new_conversation(service)
    for words in ("hello", "my dog", "the postman"):
        await say(service, conversation, words)
    found = await recall(service, known, conversationId=conversation["id"])
    assert contents(found["observations"])[0] == DOG
    assert scores(found["observations"])[0] > scores(found["observations"])[1]
    assert found["communications"] == []  # none were asked for
    asked = await recall(service, known, conversationId=conversation["id"], query="tea")
    assert contents(asked["observations"])[0] == TEA


async def test_only_the_last_ten_communications_are_a_query(service: Service, known: str) -> None:
    conversation = await new_conversation(service)
    await say(service, conversation, "postman")
    for _ in range(10):
        await say(service, conversation, "tea in the morning")
    found = (await recall(service, known, conversationId=conversation["id"]))["observations"]
    assert contents(found)[0] == TEA
    assert scores(found)[0] == 1


async def test_long_communications_are_a_query_too(service: Service, known: str) -> None:
    conversation = await new_conversation(service)
    words = "postman " + " ".join(f"word{number}" for number in range(150_000))
    await say(service, conversation, words)
    found = (await recall(service, known, conversationId=conversation["id"]))["observations"]
    assert contents(found)[0] == DOG


async def test_a_conversation_in_which_nothing_was_said_is_no_query(service: Service, known: str) -> None:
    silent = await new_conversation(service)
    for conversation_id in (silent["id"], new_id(CONVERSATION), "comms_conversation_01kgh3k9v2c8xq5r7t1w4y6z0a"):
        found = await recall(
            service, known, conversationId=conversation_id, communicationsLimit=5, relevanceThreshold=1
        )
        assert contents(found["observations"]) == [PARCEL, SHOP, TEA, DOG]
        assert "score" not in found["observations"][0]
        assert found["communications"] == []


async def test_the_last_communications_come_along_oldest_first(service: Service, profile: str) -> None:
    conversation = await new_conversation(service)
    for number in range(5):
        await say(service, conversation, f"number {number}", channelId=f"CA{number}")
        service.clock.advance(seconds=10)

    async def said(**body: Any) -> list[str]:
        found = await recall(service, profile, conversationId=conversation["id"], **body)
        return [one["content"]["text"] for one in found["communications"]]

    assert await said(communicationsLimit=2) == ["number 3", "number 4"]
    assert await said(communicationsLimit=100, query="tea") == [f"number {number}" for number in range(5)]
    assert await said(communicationsLimit=0) == await said() == []
    times = [one["occurredAt"] for one in await traffic.communications(service, conversation)]
    assert await said(communicationsLimit=2, endDate=times[3]) == ["number 1", "number 2"]
    assert await said(communicationsLimit=3, beginDate=rest_plus(times[3])) == ["number 4"]
    older = conversation["id"].replace("conv_", "comms_")
    found = await recall(service, profile, conversationId=older, communicationsLimit=1)
    assert [one["content"] for one in found["communications"]] == [{"text": "number 4"}]


def rest_plus(moment: str) -> str:
    """A second later."""
    return rest_time(datetime.fromisoformat(moment) + timedelta(seconds=1))


async def test_a_communication_shows_who_said_it_to_whom(service: Service, store: str, profile: str) -> None:
    profile_id = profile.rpartition("/")[2]
    customer = {"type": "CUSTOMER", "name": "Kiran", "profileId": profile_id, "addresses": [end(KIRAN)]}
    conversation = await new_conversation(service, customer, {"type": "AI_AGENT", "addresses": [end(US)]})
    said = await say(service, conversation, "hello", channelId="CA1")
    found = await recall(service, profile, conversationId=conversation["id"], communicationsLimit=1)
    kiran, us = conversation["participants"]
    assert found["communications"] == [
        {
            "id": said["id"],
            "author": {
                "id": kiran["id"],
                "name": "Kiran",
                "address": KIRAN,
                "channel": "SMS",
                "type": "CUSTOMER",
                "profileId": profile_id,
            },
            "content": {"text": "hello"},
            "recipients": [
                {"id": us["id"], "name": US, "address": US, "channel": "SMS", "type": "AI_AGENT", **delivery(said)}
            ],
            "channelId": "CA1",
            "createdAt": said["createdAt"],
            "updatedAt": said["updatedAt"],
        }
    ]


def delivery(said: Body) -> Body:
    """The delivery status that the communication itself shows of its recipient."""
    return {name: value for name, value in said["recipients"][0].items() if name == "deliveryStatus"}


async def test_what_clients_would_drop_is_shown_in_their_terms(service: Service, profile: str) -> None:
    """The Memory API has no status READ, and TAC drops a communication with one, or with a name that is too long."""
    customer = {"type": "CUSTOMER", "name": "K" * 300, "addresses": [end(KIRAN)]}
    conversation = await new_conversation(service, customer, {"type": "AI_AGENT", "addresses": [end(US)]})
    said = await say(service, conversation, "hello")
    replaced = {"content": said["content"], "recipients": [end(US, deliveryStatus="READ")]}
    answer = await service.api.put(path_of(conversation, said), json=replaced)
    assert answer.json()["recipients"][0]["deliveryStatus"] == "READ"
    found = await recall(service, profile, conversationId=conversation["id"], communicationsLimit=1)
    [shown] = found["communications"]
    assert shown["author"]["name"] == "K" * 256
    assert shown["recipients"][0]["deliveryStatus"] == "DELIVERED"
    assert "channelId" not in shown


async def test_a_foreign_conversation_tells_nothing(service: Service, known: str) -> None:
    conversation = await new_conversation(service)
    await say(service, conversation, "postman")
    mine = service.api
    account = await service.new_account()
    async with service.client(account) as service.api:
        store = await new_store(service)
        theirs = profile_path(store, await new_profile(service, store, phone=new_phone()))
        await note(service, theirs, observation("postman"))
        found = await recall(service, theirs, conversationId=conversation["id"], communicationsLimit=5)
        assert found["communications"] == []
        assert "score" not in found["observations"][0]
        assert_refused(await service.api.post(f"{known}/Recall", json={}), 404, 520041)
    service.api = mine


async def test_a_deleted_conversation_tells_nothing(service: Service, known: str) -> None:
    conversation = await new_conversation(service)
    await say(service, conversation, "postman")
    assert (await service.api.delete(f"/v2/Conversations/{conversation['id']}")).status_code == 202
    found = await recall(service, known, conversationId=conversation["id"], communicationsLimit=5)
    assert found["communications"] == []
    assert "score" not in found["observations"][0]
