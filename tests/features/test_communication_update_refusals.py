"""What a PUT of a communication cannot do: every refusal names the field, and changes nothing."""

from typing import Any

import pytest

from orchestrator.kernel.ids import COMMUNICATION, PARTICIPANT, new_id
from tests.features.test_communication_repeats import only_communication
from tests.features.test_communication_times import closed_by_hand, overdue
from tests.features.test_communication_updates import LEAST, put, replaced
from tests.features.test_communication_writes import (
    Body,
    conversation_under,
    end,
    new_conversation,
    path_of,
    say,
)
from tests.support import traffic
from tests.support.app import Service
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, US


async def test_the_author_never_changes(service: Service) -> None:
    conversation = await new_conversation(service)
    customer, agent = (one["id"] for one in conversation["participants"])
    said = await say(service, conversation)
    wrong: list[tuple[Body, str]] = [
        (end(US), "address"),
        (end(KIRAN, "VOICE"), "address"),
        (end("+15550000001"), "address"),
        (end(KIRAN, participantId=agent), "participantId"),
        (end(KIRAN, participantId=new_id(PARTICIPANT)), "participantId"),
    ]
    before = await traffic.row_counts(service)
    for author, field in wrong:
        refused = refusal(await put(service, conversation, said, **LEAST, author=author), 400, 20001)
        assert refused["params"]["field"] == f"/author/{field}"
    assert await traffic.row_counts(service) == before
    assert await only_communication(service, conversation) == said
    for same in (end(KIRAN), end("+1 555 123 4567"), end(KIRAN, participantId=customer)):
        changed = await replaced(service, conversation, said, **LEAST, author=same)
        assert changed["author"] == said["author"], "as it was first written"


async def test_the_resource_id_never_changes(service: Service) -> None:
    conversation = await new_conversation(service)
    for own, other in (("SM1", "SM2"), (None, "SM2"), ("SM3", "SM1")):
        said = await say(service, conversation, resourceId=own)
        refused = refusal(await put(service, conversation, said, **LEAST, resourceId=other), 400, 20001)
        assert refused["params"] == {"field": "/resourceId", "value": other}
        assert (await replaced(service, conversation, said, **LEAST, resourceId=own))["resourceId"] == own
        assert (await replaced(service, conversation, said, **LEAST))["resourceId"] == own


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"content": ...}, "/content"),
        ({"recipients": ...}, "/recipients"),
        ({"recipients": []}, "/recipients"),
        ({"recipients": [end(US)] * 2}, "/recipients/1/address"),
        ({"recipients": [end(US, deliveryStatus="COMPLETED")]}, "/recipients/0/deliveryStatus"),
        ({"recipients": [end(US, deliveryStatus="read")]}, "/recipients/0/deliveryStatus"),
        ({"recipients": [end(US, participantId="x")]}, "/recipients/0/participantId"),
        ({"recipients": [end("+12")]}, "/recipients/0/address"),
        ({"author": end("+12")}, "/author/address"),
        ({"author": KIRAN}, "/author"),
        ({"occurredAt": 5}, "/occurredAt"),
        ({"occurredAt": "2026-02-03T09:15:04"}, "/occurredAt"),
        ({"channelId": ""}, "/channelId"),
        ({"resourceId": ""}, "/resourceId"),
    ],
)
async def test_a_wrong_field_is_named(service: Service, changes: Body, pointer: str) -> None:
    conversation = await new_conversation(service)
    said = await say(service, conversation)
    before = await traffic.row_counts(service)
    fields = {name: value for name, value in {**LEAST, **changes}.items() if value is not ...}
    assert refusal(await put(service, conversation, said, **fields), 400, 20001)["params"]["field"] == pointer
    assert await traffic.row_counts(service) == before
    assert await only_communication(service, conversation) == said


async def test_what_was_said_in_a_chat_stays_in_a_chat(service: Service) -> None:
    conversation = await new_conversation(service)
    chat = {"author": end("kiran", "CHAT"), "recipients": [end("us", "CHAT")]}
    said = await say(service, conversation, channelId="CH1", **chat)
    refused = refusal(await put(service, conversation, said, **LEAST), 400, 20001)
    assert refused["params"]["field"] == "/channelId"
    assert (await replaced(service, conversation, said, **LEAST, channelId="CH2"))["channelId"] == "CH2"


@pytest.mark.parametrize("end_it", [closed_by_hand, overdue])
async def test_nothing_changes_in_a_conversation_that_has_ended(service: Service, end_it: Any) -> None:
    conversation = await new_conversation(service)
    said = await say(service, conversation)
    await end_it(service, conversation)
    before = await traffic.row_counts(service)
    for fields in (LEAST, said):
        assert "CLOSED" in refusal(await put(service, conversation, said, **fields), 400, 20001)["message"]
    assert await traffic.row_counts(service) == before
    assert await only_communication(service, conversation) == said


async def test_an_unknown_communication_is_told_before_a_wrong_body(service: Service) -> None:
    conversation = await new_conversation(service)
    other = await conversation_under(service, conversation["configurationId"])
    said = await say(service, conversation)
    for fields in ({}, LEAST):
        for unknown in (new_id(COMMUNICATION), "x", "%00", said["id"].upper(), conversation["id"]):
            refusal(await put(service, conversation, {"id": unknown}, **fields), 404, 20404)
        refusal(await put(service, other, said, **fields), 404, 20404)
        refusal(await put(service, {"id": "x"}, said, **fields), 404, 20404)
        async with service.client(await service.new_account()) as theirs:
            refusal(await theirs.put(path_of(conversation, said), json=fields), 404, 20404)
    assert await only_communication(service, conversation) == said
