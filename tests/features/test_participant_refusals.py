"""Participants that are not added or changed: wrong bodies, strange paths, conversations that have ended."""

from typing import Any

import pytest

from orchestrator.kernel.ids import CONVERSATION, PARTICIPANT, new_id
from tests.features.test_participant_writes import DESK, pair, put
from tests.support import traffic
from tests.support.app import Service
from tests.support.conversations import agent, close, on, people, sms
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN

WRONG: list[tuple[str, dict[str, Any]]] = [
    ("/addresses/0/channel", {"addresses": [on("FAX", KIRAN)]}),
    ("/addresses/0/channel", {"addresses": [{"address": KIRAN}]}),
    ("/addresses/0/address", {"addresses": [{"channel": "SMS"}]}),
    ("/addresses/0/address", {"addresses": [on("CHAT", "")]}),
    ("/addresses/0/address", {"addresses": [on("CHAT", "*")]}),
    ("/addresses/0/address", {"addresses": [on("CHAT", "a\x00b")]}),
    ("/addresses/1/address", {"addresses": [sms(DESK), sms("+1")]}),
    ("/addresses/1/address", {"addresses": [sms(DESK), sms(f"tel:{DESK}")]}),
    ("/addresses/0/channelId", {"addresses": [on("SMS", DESK, "x" * 257)]}),
    ("/addresses/0", {"addresses": [DESK]}),
    ("/addresses", {"addresses": DESK}),
    ("/addresses", {"addresses": [sms(f"+1555000{number:04d}") for number in range(51)]}),
    ("/type", {"addresses": [], "type": "agent"}),
    ("/name", {"addresses": [], "name": 5}),
    ("/profileId", {"addresses": [], "profileId": ""}),
    ("/profileId", {"addresses": [], "profileId": "x" * 256}),
]


@pytest.mark.parametrize(("pointer", "wrong"), WRONG, ids=[f"{n} {pointer}" for n, (pointer, _) in enumerate(WRONG)])
async def test_a_wrong_field_is_named_and_nothing_is_written(
    service: Service, pointer: str, wrong: dict[str, Any]
) -> None:
    conversation = await pair(service)
    before = await traffic.row_counts(service)
    for answer in (
        await service.api.post(people(conversation), json=wrong),
        await put(service, conversation["participants"][1], **wrong),
    ):
        assert refusal(answer, 400, 20001)["params"]["field"] == pointer
    assert await traffic.row_counts(service) == before
    assert await traffic.only_conversation(service) == conversation


async def test_somebody_new_says_which_addresses_they_have(service: Service) -> None:
    conversation = await pair(service)
    for body in ({}, {"addresses": None}):
        answer = await service.api.post(people(conversation), json=body)
        assert refusal(answer, 400, 20001)["params"]["field"] == "/addresses"


async def test_what_is_not_there_is_told_before_a_wrong_body(service: Service) -> None:
    conversation = await pair(service)
    other = await pair(service, configuration={})
    kiran, us = conversation["participants"]
    wrong = {"type": "BOT"}
    async with service.client(await service.new_account()) as theirs:
        refusal(await theirs.post(people(conversation), json=wrong), 404, 20404)
        refusal(await theirs.put(f"{people(conversation)}/{us['id']}", json=wrong), 404, 20404)
    for unknown in ("x", "%00", new_id(CONVERSATION), us["id"]):
        refusal(await service.api.post(people({"id": unknown}), json=wrong), 404, 20404)
        refusal(await service.api.put(f"{people({'id': unknown})}/{us['id']}", json=wrong), 404, 20404)
    for unknown in ("x", "%00", new_id(PARTICIPANT), conversation["id"], other["participants"][0]["id"]):
        refusal(await service.api.put(f"{people(conversation)}/{unknown}", json=wrong), 404, 20404)
    for answer in (await service.api.post(people(conversation), json=wrong), await put(service, kiran, **wrong)):
        refusal(answer, 400, 20001)


async def test_only_json_is_understood(service: Service) -> None:
    conversation = await pair(service)
    paths = [("POST", people(conversation)), ("PUT", f"{people(conversation)}/{conversation['participants'][0]['id']}")]
    for method, path in paths:
        refusal(await service.api.request(method, path, data={"name": "Ann"}), 415, 20415)
        json_only = {"Content-Type": "application/json"}
        refusal(await service.api.request(method, path, content=b'{"name"', headers=json_only), 400, 20001)
    assert await traffic.only_conversation(service) == conversation


async def test_nobody_joins_or_changes_in_a_closed_conversation(service: Service) -> None:
    conversation = await pair(service)
    await close(service, conversation)
    _, us = conversation["participants"]
    before = await traffic.row_counts(service)
    for answer in (
        await service.api.post(people(conversation), json=agent(sms(DESK))),
        await put(service, us, name="Ann"),
        await put(service, us, **us),
    ):
        assert "CLOSED" in refusal(answer, 400, 20001)["message"]
    assert await traffic.row_counts(service) == before


async def test_past_its_closing_time_a_conversation_can_only_be_closed(service: Service) -> None:
    conversation = await pair(service)
    service.clock.advance(minutes=60)
    path = f"/v2/Conversations/{conversation['id']}"
    _, us = conversation["participants"]
    for answer in (
        await service.api.post(people(conversation), json=agent(sms(DESK))),
        await put(service, us, name="Ann"),
        await service.api.patch(path, json={"name": "late"}),
        await service.api.patch(path, json={"status": "INACTIVE"}),
        await service.api.patch(path, json={"configuration": {"statusCallbacks": []}}),
        await service.api.put(path, json={"status": "ACTIVE", "metadata": {"a": "b"}}),
    ):
        assert "CLOSED" in refusal(answer, 400, 20001)["message"]
    assert await traffic.only_conversation(service) == conversation
    closed = await service.api.put(path, json={"status": "CLOSED", "name": "late"})
    assert (closed.status_code, closed.json()["status"], closed.json()["name"]) == (200, "CLOSED", "late")
