"""Putting communications into a conversation over REST: what is kept of them, and what comes of it."""

from typing import Any

import httpx
import pytest

from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.ids import CONVERSATION, new_id, new_sid
from tests.support import traffic
from tests.support.app import Service
from tests.support.clock import stop_clock
from tests.support.delivery import deliver, forget_deliveries
from tests.support.factories import make_configuration
from tests.support.receiver import receiver
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, US

Body = dict[str, Any]


def end(address: str, channel: str = "SMS", **more: Any) -> Body:
    """An author or a recipient."""
    return {"address": address, "channel": channel, **more}


def text(words: str) -> Body:
    return {"type": "TEXT", "text": words}


def body(words: str = "hello", **changes: Any) -> Body:
    """What Kiran writes to us; a field that is `...` is left out."""
    complete = {"author": end(KIRAN), "recipients": [end(US)], "content": text(words), **changes}
    return {name: value for name, value in complete.items() if value is not ...}


async def new_conversation(service: Service, *participants: Body, **settings: Any) -> Body:
    """A conversation of Kiran and an agent of ours, unless others are named, under a new configuration."""
    members = participants or (
        {"type": "CUSTOMER", "addresses": [end(KIRAN)]},
        {"type": "AI_AGENT", "addresses": [end(US)]},
    )
    configuration_id = await make_configuration(service, **settings)
    return await conversation_under(service, configuration_id, *members)


async def conversation_under(service: Service, configuration_id: str, *members: Body) -> Body:
    answer = await service.api.post(
        "/v2/Conversations", json={"configurationId": configuration_id, "participants": members}
    )
    assert answer.status_code == 201, answer.text
    created: Body = answer.json()
    return created


def path_of(conversation: Body, communication: Body | None = None) -> str:
    path = f"/v2/Conversations/{conversation['id']}/Communications"
    return path if communication is None else f"{path}/{communication['id']}"


async def post(service: Service, conversation: Body, *args: Any, **changes: Any) -> httpx.Response:
    return await service.api.post(path_of(conversation), json=body(*args, **changes))


async def say(service: Service, conversation: Body, *args: Any, **changes: Any) -> Body:
    """A new communication."""
    answer = await post(service, conversation, *args, **changes)
    assert answer.status_code == 201, answer.text
    said: Body = answer.json()
    return said


async def news(service: Service, conversation: Body, known: int) -> list[traffic.Event]:
    """The events of a conversation after those that are known."""
    return (await traffic.events(service, conversation))[known:]


async def test_a_message_on_the_wire(service: Service) -> None:
    conversation = await new_conversation(service)
    customer, agent = conversation["participants"]
    sid = new_sid("SM")
    said = await say(service, conversation, resourceId=sid, channelId="thread 1", occurredAt="2026-02-03T09:15:04Z")
    assert said == {
        "id": said["id"],
        "conversationId": conversation["id"],
        "accountId": service.account.account_id,
        "author": {**end(KIRAN), "participantId": customer["id"]},
        "content": text("hello"),
        "channelId": "thread 1",
        "resourceId": sid,
        "recipients": [{**end(US), "participantId": agent["id"]}],
        "createdAt": said["createdAt"],
        "updatedAt": said["createdAt"],
        "occurredAt": "2026-02-03T09:15:04Z",
    }
    assert said["id"].startswith("conv_communication_")
    assert await traffic.get(service, path_of(conversation, said)) == said
    assert await traffic.communications(service, conversation) == [said]


async def test_what_is_left_out_or_null_is_null(service: Service) -> None:
    clock = stop_clock(service)
    conversation = await new_conversation(service)
    nulls = dict.fromkeys(("resourceId", "channelId", "occurredAt"))
    for more in ({}, nulls):
        clock.advance(seconds=1)
        said = await say(service, conversation, **more)
        assert {**said, **dict.fromkeys(("resourceId", "channelId"))} == said
        assert said["createdAt"] == said["updatedAt"] == said["occurredAt"] == rest_time(clock.moment)
    null_participant = end(KIRAN, participantId=None)
    assert (await say(service, conversation, author=null_participant))["author"] == said["author"]


async def test_a_transcript_fragment_with_everything(service: Service) -> None:
    conversation = await new_conversation(service)
    words = [{"text": "hello", "startTime": "2026-02-03T09:15:04.120Z", "endTime": "2026-02-03T09:15:04.480Z"}]
    content = {
        "type": "TRANSCRIPTION",
        "text": "hello",
        "transcription": {"channel": 1, "confidence": 0.25, "engine": "deepgram", "words": [*words, {"text": "there"}]},
    }
    call = new_sid("CA")
    ends = {"author": end(KIRAN, "VOICE"), "recipients": [end(US, "VOICE")]}
    said = await say(service, conversation, content=content, channelId=call, **ends)
    assert said["content"] == content
    assert await traffic.get(service, path_of(conversation, said)) == said
    assert "deliveryStatus" not in said["recipients"][0]


@pytest.mark.parametrize("transcription", [..., None, {}, {"confidence": 0}, {"confidence": 1.0}, {"channel": 0}])
async def test_the_least_of_a_transcript_fragment(service: Service, transcription: Any) -> None:
    conversation = await new_conversation(service)
    content = {"type": "TRANSCRIPTION", "text": "", "transcription": transcription}
    given = {name: value for name, value in content.items() if value is not ...}
    kept = {name: value for name, value in given.items() if value is not None}
    assert (await say(service, conversation, content=given))["content"] == kept


async def test_unknown_fields_are_ignored(service: Service) -> None:
    conversation = await new_conversation(service)
    said = await say(
        service,
        conversation,
        id="conv_communication_of_mine",
        createdAt=5,
        author=end(KIRAN, name="Kiran", deliveryStatus="READ"),
        recipients=[end(US, deliveryStatus="READ")],
        content={**text("hello"), "media": ["x"]},
    )
    assert said["id"] != "conv_communication_of_mine"
    assert "deliveryStatus" not in said["recipients"][0], "how far it got is not for the caller to say"
    assert said["content"] == text("hello")


@pytest.mark.parametrize("character", ["x", "é"])
async def test_the_longest_text(service: Service, character: str) -> None:
    conversation = await new_conversation(service)
    room = 8_388_608 if character == "x" else 5_000_000
    words = character * room
    said = await say(service, conversation, content=text(words))
    assert said["content"]["text"] == words
    (event,) = await news(service, conversation, 3)
    assert event.data["content"]["text"] == words


async def test_text_beyond_the_limit(service: Service) -> None:
    conversation = await new_conversation(service)
    before = await traffic.row_counts(service)
    too_long = await post(service, conversation, content=text("x" * 8_388_609))
    assert refusal(too_long, 400, 20001)["params"] == {"field": "/content/text", "value": "x" * 200}
    refusal(await post(service, conversation, content=text("x" * 10_485_760)), 413, 20413)
    assert await traffic.row_counts(service) == before


async def test_a_communication_is_one_event_that_shows_it(service: Service) -> None:
    async with receiver() as hook:
        await forget_deliveries(service)
        conversation = await new_conversation(service, statusCallbacks=[hook.callback()])
        said = await say(service, conversation)
        await deliver(service)
        assert hook.types() == [
            "CONVERSATION_CREATED",
            "PARTICIPANT_ADDED",
            "PARTICIPANT_ADDED",
            "COMMUNICATION_CREATED",
        ]
        assert hook.sequences() == [1, 2, 3, 4]
        assert hook.received[-1].event["data"] == said
        assert hook.received[-1].is_signed_by(service.account.auth_token)


async def test_an_unknown_conversation_is_told_before_a_wrong_body(service: Service) -> None:
    conversation = await new_conversation(service)
    async with service.client(await service.new_account()) as theirs:
        refusal(await theirs.post(path_of(conversation), json={}), 404, 20404)
        refusal(await theirs.post(path_of(conversation), json=body()), 404, 20404)
    for unknown in (
        new_id(CONVERSATION),
        "x",
        conversation["id"].upper(),
        "%00",
        conversation["participants"][0]["id"],
    ):
        refusal(await service.api.post(path_of({"id": unknown}), json={}), 404, 20404)
        refusal(await service.api.post(path_of({"id": unknown}), json=body()), 404, 20404)
    assert await traffic.communications(service, conversation) == []


async def test_conversations_are_found_by_what_was_put_into_them(service: Service) -> None:
    conversation = await new_conversation(service)
    sid, call = new_sid("SM"), new_sid("CA")
    await say(service, conversation, resourceId=sid, channelId=call)
    for channel_id in (sid, call):
        assert [one["id"] for one in await traffic.conversations(service, channelId=channel_id)] == [conversation["id"]]
        assert len(await traffic.communications(service, conversation, channelId=channel_id)) == 1
    assert await traffic.conversations(service, channelId=new_sid("SM")) == []


async def test_the_trace_of_a_communication_of_the_api_says_so(service: Service) -> None:
    conversation = await new_conversation(service)
    trace = await traffic.trace(service, await say(service, conversation))
    assert (trace["outcome"], trace["origin"], trace["conversationId"]) == ("PLACED", "API", conversation["id"])
