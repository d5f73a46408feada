"""What a communication cannot be: every refusal names the field, and changes nothing."""

from typing import Any

import pytest

from orchestrator.kernel.ids import PARTICIPANT, new_id
from tests.features.test_communication_writes import (
    Body,
    body,
    conversation_under,
    end,
    new_conversation,
    path_of,
    post,
    say,
    text,
)
from tests.support import traffic
from tests.support.app import Service
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, US

OMITTED: Any = ...


def transcript(**transcription: Any) -> Body:
    return {"type": "TRANSCRIPTION", "text": "hello", "transcription": transcription}


def several(count: int) -> list[Body]:
    """As many different recipients."""
    return [end(f"+1555000{number:04d}") for number in range(count)]


WRONG: list[tuple[Body, str]] = [
    ({"author": OMITTED}, "/author"),
    ({"author": None}, "/author"),
    ({"author": KIRAN}, "/author"),
    ({"author": {"channel": "SMS"}}, "/author/address"),
    ({"author": {"address": KIRAN}}, "/author/channel"),
    ({"author": end("")}, "/author/address"),
    ({"author": end("   ")}, "/author/address"),
    ({"author": end("whatsapp:", "WHATSAPP")}, "/author/address"),
    ({"author": end("+12")}, "/author/address"),
    ({"author": end("*")}, "/author/address"),
    ({"author": end("x" * 255)}, "/author/address"),
    ({"author": end("a\x00b", "EMAIL")}, "/author/address"),
    ({"author": end("a\nb", "EMAIL")}, "/author/address"),
    ({"author": end(KIRAN, "sms")}, "/author/channel"),
    ({"author": end(KIRAN, "FAX")}, "/author/channel"),
    ({"author": end(KIRAN, "API")}, "/author/channel"),
    ({"author": end(KIRAN, participantId=5)}, "/author/participantId"),
    ({"recipients": OMITTED}, "/recipients"),
    ({"recipients": None}, "/recipients"),
    ({"recipients": []}, "/recipients"),
    ({"recipients": end(US)}, "/recipients"),
    ({"recipients": [end(US), US]}, "/recipients/1"),
    ({"recipients": [end(US), {"channel": "SMS"}]}, "/recipients/1/address"),
    ({"recipients": [end(US), end("+12")]}, "/recipients/1/address"),
    ({"recipients": several(101)}, "/recipients"),
    ({"recipients": [end(US), end(US)]}, "/recipients/1/address"),
    ({"recipients": [end(US), end("+1 (650) 555-0199")]}, "/recipients/1/address"),
    ({"content": OMITTED}, "/content"),
    ({"content": "hello"}, "/content"),
    ({"content": {"text": "hello"}}, "/content/type"),
    ({"content": {"type": "VIDEO", "text": "hello"}}, "/content/type"),
    ({"content": {"type": "TEXT"}}, "/content/text"),
    ({"content": {"type": "TEXT", "text": None}}, "/content/text"),
    ({"content": {"type": "TEXT", "text": 5}}, "/content/text"),
    ({"content": text("a\x00b")}, "/content/text"),
    ({"content": {**transcript(), "transcription": 5}}, "/content/transcription"),
    ({"content": transcript(channel="0")}, "/content/transcription/channel"),
    ({"content": transcript(channel=True)}, "/content/transcription/channel"),
    ({"content": transcript(channel=-1)}, "/content/transcription/channel"),
    ({"content": transcript(channel=2**31)}, "/content/transcription/channel"),
    ({"content": transcript(channel=0.5)}, "/content/transcription/channel"),
    ({"content": transcript(confidence=1.01)}, "/content/transcription/confidence"),
    ({"content": transcript(confidence=-0.01)}, "/content/transcription/confidence"),
    ({"content": transcript(confidence="0.9")}, "/content/transcription/confidence"),
    ({"content": transcript(confidence=True)}, "/content/transcription/confidence"),
    ({"content": transcript(engine=["a"])}, "/content/transcription/engine"),
    ({"content": transcript(words="hello")}, "/content/transcription/words"),
    ({"content": transcript(words=[{"text": "a"}, {}])}, "/content/transcription/words/1/text"),
    ({"content": transcript(words=[{"text": "a", "startTime": 1}])}, "/content/transcription/words/0/startTime"),
    ({"occurredAt": "2026-02-03T09:15:04"}, "/occurredAt"),
    ({"occurredAt": "2026-02-03"}, "/occurredAt"),
    ({"occurredAt": "yesterday"}, "/occurredAt"),
    ({"occurredAt": ""}, "/occurredAt"),
    ({"occurredAt": 1_770_110_104}, "/occurredAt"),
    ({"occurredAt": 1_770_110_104.5}, "/occurredAt"),
    ({"occurredAt": "1770110104"}, "/occurredAt"),
    ({"occurredAt": "0001-01-01T00:00:00+14:00"}, "/occurredAt"),
    ({"occurredAt": "0999-12-31T23:59:59Z"}, "/occurredAt"),
    ({"occurredAt": "1000-01-01T00:00:00+01:00"}, "/occurredAt"),
    ({"occurredAt": "9999-01-01T00:00:00Z"}, "/occurredAt"),
    ({"occurredAt": "9999-12-31T23:59:59-05:00"}, "/occurredAt"),
    ({"occurredAt": "2026-02-30T00:00:00Z"}, "/occurredAt"),
    ({"resourceId": ""}, "/resourceId"),
    ({"resourceId": "x" * 256}, "/resourceId"),
    ({"resourceId": 5}, "/resourceId"),
    ({"channelId": ""}, "/channelId"),
    ({"channelId": "x" * 257}, "/channelId"),
    ({"channelId": ["CA1"]}, "/channelId"),
    ({"author": end("kiran", "CHAT"), "recipients": [end("us", "CHAT")]}, "/channelId"),
    ({"author": end("kiran", "CHAT"), "recipients": [end("us", "CHAT")], "channelId": None}, "/channelId"),
]


@pytest.mark.parametrize(("changes", "pointer"), WRONG)
async def test_a_wrong_field_is_named(service: Service, changes: Body, pointer: str) -> None:
    conversation = await new_conversation(service)
    await traffic.change(service, conversation, status="INACTIVE")
    before, known = await traffic.row_counts(service), await traffic.only_conversation(service)
    refused = refusal(await post(service, conversation, **changes), 400, 20001)
    assert refused["params"]["field"] == pointer
    assert refused["message"].startswith(f"{pointer}: ")
    assert refused["details"]["errors"][0]["pointer"] == pointer
    assert await traffic.row_counts(service) == before
    assert await traffic.only_conversation(service) == known


async def test_all_wrong_fields_are_told_at_once(service: Service) -> None:
    conversation = await new_conversation(service)
    refused = refusal(await service.api.post(path_of(conversation), json={"recipients": []}), 400, 20001)
    assert {one["pointer"] for one in refused["details"]["errors"]} == {"/author", "/recipients", "/content"}


async def test_the_most_that_is_admitted(service: Service) -> None:
    conversation = await new_conversation(service)
    widest: Body = {
        "author": end("😀" * 254, "CHAT"),
        "recipients": [end(f"{number:03d}" + "😀" * 251, "CHAT") for number in range(100)],
        "resourceId": "😀" * 255,
        "channelId": "😀" * 256,
    }
    said = await say(service, conversation, **widest)
    assert {name: said[name] for name in ("resourceId", "channelId")} == {
        name: widest[name] for name in ("resourceId", "channelId")
    }
    assert [one["address"] for one in said["recipients"]] == [one["address"] for one in widest["recipients"]]
    assert await traffic.get(service, path_of(conversation, said)) == said


async def test_the_same_address_on_two_channels_is_two_recipients(service: Service) -> None:
    conversation = await new_conversation(service)
    said = await say(service, conversation, recipients=[end(US), end(US, "VOICE")])
    assert len({one["participantId"] for one in said["recipients"]}) == 1


async def test_a_participant_who_is_not_there_or_does_not_own_the_address(service: Service) -> None:
    conversation = await new_conversation(service)
    customer, agent = (one["id"] for one in conversation["participants"])
    other = await conversation_under(
        service, conversation["configurationId"], {"type": "CUSTOMER", "addresses": [end("+15550000001")]}
    )
    before = await traffic.row_counts(service)
    stranger = other["participants"][0]["id"]
    wrong: list[tuple[Body, str]] = [
        ({"author": end(KIRAN, participantId=agent)}, "/author"),
        ({"author": end("+15550000001", participantId=stranger)}, "/author"),
        ({"author": end(KIRAN, participantId=new_id(PARTICIPANT))}, "/author"),
        ({"author": end(KIRAN, participantId="")}, "/author"),
        ({"author": end(KIRAN, participantId="x" * 256)}, "/author"),
        ({"author": end("+15550000002", participantId=customer)}, "/author"),
        ({"author": end(KIRAN, "VOICE", participantId=customer)}, "/author"),
        ({"recipients": [end(US, participantId=agent), end("+15550000003", participantId=agent)]}, "/recipients/1"),
        ({"recipients": [end("+15550000003"), end(US, participantId=customer)]}, "/recipients/1"),
    ]
    for changes, pointer in wrong:
        refused = refusal(await post(service, conversation, **changes), 400, 20001)
        assert refused["params"]["field"] == f"{pointer}/participantId", changes
    assert await traffic.row_counts(service) == before
    named = {"author": end(KIRAN, participantId=customer), "recipients": [end(US, participantId=agent)]}
    said = await say(service, conversation, **named)
    assert (said["author"], said["recipients"]) == (named["author"], named["recipients"])


async def test_only_json_is_understood(service: Service) -> None:
    conversation = await new_conversation(service)
    path = path_of(conversation)
    refusal(await service.api.post(path, data={"author": KIRAN}), 415, 20415)
    refusal(await service.api.post(path, content=b"{}", headers={"Content-Type": "text/plain"}), 415, 20415)
    broken = {"content": b'{"author"', "headers": {"Content-Type": "application/json"}}
    refusal(await service.api.request("POST", path, **broken), 400, 20001)  # type: ignore[arg-type]
    refusal(await service.api.delete(path), 405, 20004)
    said = await say(service, conversation)
    for method in ("DELETE", "PATCH"):
        refusal(await service.api.request(method, path_of(conversation, said), json=body()), 405, 20004)
    assert await traffic.communications(service, conversation) == [said]
