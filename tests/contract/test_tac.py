"""An agent made with Twilio Agent Connect, from the customer's message to the delivered answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tac.models.outbound import InitiateMessagingConversationOptions

from orchestrator.accounts import service as accounts
from orchestrator.kernel.ids import new_sid
from tests.support.app import Service
from tests.support.factories import OUR_NUMBER, make_configuration
from tests.support.server import post_webhook
from tests.support.tac import WHATSAPP_NUMBER, Agent, agent, redirect, until
from tests.support.traffic import KIRAN, change, communications, conversations, get, only_conversation, roles


@pytest.fixture
async def running(service: Service, delivering: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Agent]:
    """An agent whose configuration captures what comes to our number and tells the agent of it."""
    redirect(monkeypatch, delivering)
    store = await service.api.post("/v1/ControlPlane/Stores", json={"displayName": "customers"})
    configuration_id = await make_configuration(service, memoryStoreId=await store_id(service, store.json()))
    async with service.units.begin() as unit:
        key = await accounts.create_key(unit, service.account.account_id, name="agent")
    async with agent(service.account, key, configuration_id) as started:
        callbacks = {"statusCallbacks": [{"url": started.url, "method": "POST"}]}
        changed = await service.api.patch(f"/v2/ControlPlane/Configurations/{configuration_id}", json=callbacks)
        assert changed.status_code == 202, changed.text
        yield started
    assert started.errors == []


async def store_id(service: Service, accepted: dict[str, Any]) -> str:
    """The store that an operation has made."""
    operation = await get(service, "/v1/ControlPlane/Operations/" + accepted["statusUrl"].rpartition("/")[2])
    made: str = operation["result"]["id"]
    return made


async def receive(service: Service, origin: str, text: str, sender: str = KIRAN, to: str = OUR_NUMBER) -> None:
    """A message arrives as Twilio would send it."""
    form = {"MessageSid": new_sid("SM"), "From": sender, "To": to, "Body": text, "SmsStatus": "received"}
    answer = await asyncio.to_thread(post_webhook, origin, service.account, "/ingest/twilio/messages", form)
    assert answer.status_code == 200


async def said(service: Service, conversation: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """The conversation's communications when there are as many and all are delivered."""

    async def delivered() -> bool:
        found = await communications(service, conversation)
        return [one["recipients"][0]["deliveryStatus"] for one in found] == ["DELIVERED"] * count

    await until(delivered)
    return await communications(service, conversation)


@pytest.mark.parametrize(
    ("channel", "customer", "ours"),
    [("SMS", KIRAN, OUR_NUMBER), ("WHATSAPP", f"whatsapp:{KIRAN}", WHATSAPP_NUMBER)],
)
async def test_a_customer_is_answered(
    service: Service, delivering: str, running: Agent, channel: str, customer: str, ours: str
) -> None:
    await receive(service, delivering, "my parcel?", customer, ours)
    conversation = await only_conversation(service)
    question, answer = await said(service, conversation, 2)
    assert running.heard == ["my parcel?"]
    assert answer["content"] == {"type": "TEXT", "text": "You said: my parcel?"}
    assert (answer["author"]["address"], answer["author"]["channel"]) == (ours, channel)
    assert answer["author"]["participantId"] == question["recipients"][0]["participantId"]
    assert answer["recipients"][0]["participantId"] == question["author"]["participantId"]
    assert answer["resourceId"].startswith("SM")


async def test_a_dialogue_stays_one_conversation_until_it_is_closed(
    service: Service, delivering: str, running: Agent
) -> None:
    await receive(service, delivering, "one")
    conversation = await only_conversation(service)
    await said(service, conversation, 2)
    await receive(service, delivering, "two")
    found = await said(service, conversation, 4)
    assert [one["content"]["text"] for one in found] == ["one", "You said: one", "two", "You said: two"]
    assert running.ended == []
    await change(service, conversation, status="CLOSED")
    await until(lambda: running.ended == [conversation["id"]])
    await receive(service, delivering, "three")
    await until(lambda: running.heard == ["one", "two", "three"])
    assert [one["status"] for one in await conversations(service)] == ["CLOSED", "ACTIVE"]


async def test_strangers_are_recognised_before_they_are_answered(
    service: Service, delivering: str, running: Agent
) -> None:
    """Whoever has no type yet becomes the agent and the customer, who gets a profile."""
    configurations = await get(service, "/v2/ControlPlane/Configurations")
    addresses = [[{"channel": "SMS", "address": one}] for one in (KIRAN, OUR_NUMBER)]
    body = {
        "configurationId": configurations["configurations"][0]["id"],
        "participants": [{"addresses": one} for one in addresses],
    }
    created = await service.api.post("/v2/Conversations", json=body)
    assert set(roles(created.json()).values()) == {"UNKNOWN"}
    message = {
        "author": addresses[0][0],
        "content": {"type": "TEXT", "text": "who am I?"},
        "recipients": [addresses[1][0]],
    }
    path = f"/v2/Conversations/{created.json()['id']}"
    assert (await service.api.post(f"{path}/Communications", json=message)).status_code == 201
    await until(lambda: running.heard == ["who am I?"])
    conversation = await get(service, path)
    assert roles(conversation) == {KIRAN: "CUSTOMER", OUR_NUMBER: "AI_AGENT"}
    profiles = {one["name"]: one["profileId"] for one in conversation["participants"]}
    assert profiles[KIRAN].startswith("mem_profile_")
    assert profiles[OUR_NUMBER] is None


async def test_an_agent_that_is_not_there_joins(service: Service, running: Agent) -> None:
    configurations = await get(service, "/v2/ControlPlane/Configurations")
    customer, colleague = ({"channel": "SMS", "address": one} for one in (KIRAN, "+16505550142"))
    body = {
        "configurationId": configurations["configurations"][0]["id"],
        "participants": [
            {"type": "CUSTOMER", "addresses": [customer]},
            {"type": "HUMAN_AGENT", "addresses": [colleague]},
        ],
    }
    created = (await service.api.post("/v2/Conversations", json=body)).json()
    message = {"author": customer, "content": {"type": "TEXT", "text": "anybody?"}, "recipients": [colleague]}
    written = await service.api.post(f"/v2/Conversations/{created['id']}/Communications", json=message)
    assert written.status_code == 201, written.text
    await until(lambda: running.heard == ["anybody?"])
    conversation = await get(service, f"/v2/Conversations/{created['id']}")
    assert roles(conversation)[OUR_NUMBER] == "AI_AGENT"


async def test_an_agent_begins_a_conversation_and_goes_on_in_it(service: Service, running: Agent) -> None:
    options = InitiateMessagingConversationOptions(to=KIRAN, message="Your parcel is here")
    first = await running.sms.initiate_outbound_conversation(options)
    second = await running.sms.initiate_outbound_conversation(options)
    assert second.conversation_id == first.conversation_id
    conversation = await only_conversation(service)
    assert roles(conversation) == {KIRAN: "CUSTOMER", OUR_NUMBER: "AI_AGENT"}
    found = await said(service, conversation, 2)
    assert [one["content"]["text"] for one in found] == ["Your parcel is here"] * 2
    assert running.heard == []
