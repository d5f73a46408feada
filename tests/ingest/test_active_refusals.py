"""Calls that say that they belong where they cannot: the attribute is named, and nothing changes."""

import asyncio
import json
from typing import Any

import pytest

from orchestrator.configurations import service as configurations
from orchestrator.conversations import service as conversations
from orchestrator.domain.lifecycle import Status
from orchestrator.kernel.ids import CONFIGURATION as CONFIGURATION_ID
from orchestrator.kernel.ids import new_id
from orchestrator.outbox.record import Outbox
from tests.support import traffic
from tests.support.app import Service
from tests.support.calls import (
    CONFIGURATION,
    CONVERSATION,
    OTHER_CALL,
    SILENT,
    connected,
    create,
    fragment,
    tell_call,
    tell_fragment,
)
from tests.support.factories import configuration_body, make_configuration
from tests.support.memory import until_somebody_waits_for
from tests.support.traffic import KIRAN, US
from tests.support.webhooks import VOICE, error, post_form, post_json

ENDS = {"From": KIRAN, "To": US, "Direction": "inbound"}


async def refused(service: Service, **told: str) -> dict[str, Any]:
    """The error that each kind of voice event gets, having changed nothing."""
    before, known = await traffic.landed_counts(service), await traffic.conversations(service)
    bodies = []
    for event in (connected(), connected(From="", To="", CallSid=OTHER_CALL), {**fragment(), **ENDS}, fragment()):
        form = {"AccountSid": service.account.account_id, **event, **told}
        bodies.append(error(await post_form(service, form, path=VOICE), 400, 20001))
        answer = await post_json(service, json.dumps(form).encode(), path=VOICE)
        bodies.append(error(answer, 400, 20001))
    assert await traffic.landed_counts(service) == before
    assert await traffic.conversations(service) == known
    assert all(body == bodies[0] for body in bodies)
    return bodies[0]


NO_CONFIGURATION = "conv_configuration_01kgh3k1w8fmkrxj2c5a9d7e6b"


@pytest.mark.parametrize("value", ["x", "*", "😀" * 300, "conv_configuration_", NO_CONFIGURATION])
async def test_a_configuration_that_is_not_there(service: Service, value: str) -> None:
    await make_configuration(service)
    body = await refused(service, **{CONFIGURATION: value})
    assert body["params"] == {"field": f"/{CONFIGURATION}", "value": value[:200]}
    assert "configuration" in body["message"]


@pytest.mark.parametrize("value", ["x", "a\x00b", "conv_conversation_", "conv_conversation_01kgh3m8qce0m9x2t6v4b7r5zn"])
async def test_a_conversation_that_is_not_there(service: Service, value: str) -> None:
    body = await refused(service, conversationId=value)
    assert body["params"]["field"] == "/conversationId"
    assert "conversation" in body["message"]


async def test_ids_of_another_account(service: Service) -> None:
    stranger = await service.new_account()
    async with service.client(stranger) as api:
        answer = await api.post("/v2/ControlPlane/Configurations", json=configuration_body())
        configuration_id = answer.json()["related"]["configurationId"]
        theirs = (await api.post("/v2/Conversations", json={"configurationId": configuration_id})).json()["id"]
    for name, value in ((CONFIGURATION, configuration_id), (CONVERSATION, theirs)):
        body = await refused(service, **{name: value})
        assert body["params"] == {"field": f"/{name}", "value": value}


async def test_ids_of_the_wrong_kind(service: Service) -> None:
    configuration_id = await make_configuration(service)
    made = await create(service, configuration_id)
    await refused(service, **{CONFIGURATION: made["id"]})
    await refused(service, **{CONVERSATION: configuration_id})


async def test_a_conversation_that_is_closed(service: Service) -> None:
    made = await create(service, await make_configuration(service))
    await tell_call(service, CallSid=OTHER_CALL, **{CONVERSATION: made["id"]})
    await traffic.change(service, made, status="CLOSED")
    body = await refused(service, **{CONVERSATION: made["id"]})
    assert body["params"] == {"field": f"/{CONVERSATION}", "value": made["id"]}
    assert "CLOSED" in body["message"]


async def test_a_conversation_that_is_past_its_closing_time(service: Service) -> None:
    made = await create(service, await make_configuration(service, channelSettings=SILENT))
    await tell_call(service, **{CONVERSATION: made["id"]})
    service.clock.advance(minutes=60)
    assert "CLOSED" in (await refused(service, **{CONVERSATION: made["id"]}))["message"]


async def test_a_conversation_that_was_deleted(service: Service) -> None:
    made = await create(service, await make_configuration(service, channelSettings=SILENT))
    assert (await service.api.delete(f"/v2/Conversations/{made['id']}")).status_code == 202
    await refused(service, **{CONVERSATION: made["id"]})


@pytest.mark.parametrize(
    "name", ["conversationConfigurationId", "ConversationConfigurationId", "CONVERSATIONCONFIGURATIONID"]
)
async def test_the_common_misspelling_names_the_right_attribute(service: Service, name: str) -> None:
    configuration_id = await make_configuration(service)
    for more in ({}, {CONFIGURATION: configuration_id}):
        body = await refused(service, **{name: configuration_id}, **more)
        assert body["params"] == {"field": f"/{name}", "value": configuration_id}
        assert f"it is called {CONFIGURATION}" in body["message"]
    await refused(service, **{name: ""})


async def test_both_attributes_at_once(service: Service) -> None:
    configuration_id = await make_configuration(service)
    made = await create(service, configuration_id)
    body = await refused(service, **{CONFIGURATION: configuration_id, CONVERSATION: made["id"]})
    assert body["params"]["field"] == f"/{CONVERSATION}"
    assert CONFIGURATION in body["message"]


async def test_one_attribute_with_two_values(service: Service) -> None:
    first, second = [await make_configuration(service, channelSettings=SILENT) for _ in range(2)]
    await refused(service, ConversationConfiguration=first, conversationConfiguration=second)
    await tell_call(service, ConversationConfiguration=first, conversationConfiguration=first)
    assert (await traffic.only_conversation(service))["configurationId"] == first


async def test_a_refused_attribute_does_not_displace_the_one_before(service: Service) -> None:
    configuration_id = await make_configuration(service, channelSettings=SILENT)
    await tell_call(service, **{CONFIGURATION: configuration_id})
    await refused(service, **{CONFIGURATION: new_id(CONFIGURATION_ID)})
    await tell_fragment(service)
    assert await traffic.texts(service) == [["hello"]]


@pytest.mark.parametrize("is_told", [True, False])
@pytest.mark.parametrize("has_rules", [True, False])
async def test_a_conversation_that_closes_at_this_instant(service: Service, *, is_told: bool, has_rules: bool) -> None:
    """What was told before may have ended since: then rules decide. What is told now must be there."""
    settings = {} if has_rules else {"channelSettings": SILENT}
    made = await create(service, await make_configuration(service, **settings))
    await tell_call(service, **{CONVERSATION: made["id"]})
    form = {**fragment(), **({CONVERSATION: made["id"]} if is_told else {})}
    async with service.units.begin() as unit:
        conversation = await conversations.lock(unit, service.account.account_id, made["id"])
        outbox = Outbox(unit)
        conversations.change_status(unit, outbox, conversation, Status.CLOSED)
        await conversations.save(unit, [conversation])
        await outbox.write()
        waiting = asyncio.create_task(service.post_webhook(VOICE, form))
        await until_somebody_waits_for(unit)
    assert (await waiting).status_code == (400 if is_told else 200)
    landed = [["hello"]] if has_rules and not is_told else []
    assert await traffic.texts(service) == [[], *landed]
    outcomes = [] if has_rules and not is_told else ["REFUSED" if is_told else "UNCAPTURED"]
    assert [one["outcome"] for one in await traffic.uncaptured(service)] == outcomes


@pytest.mark.parametrize("is_told", [True, False])
async def test_a_configuration_that_is_deleted_at_this_instant(service: Service, *, is_told: bool) -> None:
    configuration_id = await make_configuration(service, channelSettings=SILENT)
    told = {CONFIGURATION: configuration_id}
    await tell_call(service, **told)
    await traffic.change(service, await traffic.only_conversation(service), status="CLOSED")
    form = {**fragment(), **(told if is_told else {})}
    async with service.units.begin() as unit:
        await configurations.delete(unit, service.account.account_id, configuration_id)
        waiting = asyncio.create_task(service.post_webhook(VOICE, form))
        await until_somebody_waits_for(unit)
    assert (await waiting).status_code == (400 if is_told else 200)
    assert await traffic.texts(service) == [[]]
    assert [one["outcome"] for one in await traffic.uncaptured(service)] == ["REFUSED" if is_told else "UNCAPTURED"]
