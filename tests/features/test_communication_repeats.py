"""One message is one communication of its conversation, however often and on whatever way it is told."""

import asyncio
from typing import Any

import pytest

from orchestrator.kernel.ids import new_sid
from orchestrator.lifecycle.sweep import sweep_all
from tests.features.test_communication_writes import (
    Body,
    conversation_under,
    end,
    new_conversation,
    news,
    path_of,
    post,
    say,
    text,
)
from tests.support import traffic
from tests.support.app import Service
from tests.support.clock import stop_clock
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, US
from tests.support.webhooks import STATUS

UPDATED = "COMMUNICATION_UPDATED"


async def report(service: Service, sid: str, status: str) -> None:
    """A delivery report of the provider."""
    answer = await service.post_webhook(STATUS, {"MessageSid": sid, "MessageStatus": status})
    assert answer.status_code == 200, answer.text


def statuses(communication: Body) -> list[str | None]:
    return [one.get("deliveryStatus") for one in communication["recipients"]]


async def only_communication(service: Service, conversation: Body) -> Body:
    (found,) = await traffic.communications(service, conversation)
    return found


async def test_a_repeat_updates_content_and_recipients(service: Service) -> None:
    clock = stop_clock(service)
    conversation = await new_conversation(service)
    sid = new_sid("SM")
    first = await say(
        service, conversation, "first", resourceId=sid, occurredAt="2026-02-03T09:15:04Z", channelId="CH1"
    )
    clock.advance(seconds=30)
    answer = await post(
        service,
        conversation,
        "second",
        resourceId=sid,
        author=end("+1 555 123 4567"),
        recipients=[end(US), end("+15550000001")],
        occurredAt="2020-01-01T00:00:00Z",
        channelId="CH2",
    )
    second = answer.json()
    assert answer.status_code == 200
    assert second == {
        **first,
        "content": text("second"),
        "recipients": [
            first["recipients"][0],
            {**end("+15550000001"), "participantId": second["recipients"][1]["participantId"]},
        ],
        "updatedAt": second["updatedAt"],
    }
    assert second["updatedAt"] > first["updatedAt"]
    assert await only_communication(service, conversation) == second
    joined, told = await news(service, conversation, 4)
    assert (joined.type, joined.data["name"]) == ("PARTICIPANT_ADDED", "+15550000001")
    assert (told.type, told.data) == (UPDATED, second)


async def test_a_repeat_that_changes_nothing_is_no_event(service: Service) -> None:
    conversation = await new_conversation(service)
    transcript = {"type": "TRANSCRIPTION", "text": "hello", "transcription": {"confidence": 0.9, "words": []}}
    same: dict[str, Any] = {"resourceId": "GT1.1", "content": transcript}
    said = await say(service, conversation, **same)
    before = await traffic.row_counts(service)
    service.clock.advance(minutes=1)
    named = {name: said[name] for name in ("author", "recipients")}
    for changes in ({}, named, {"channelId": "CH1"}, {"occurredAt": "2020-01-01T00:00:00Z"}):
        answer = await post(service, conversation, **{**same, **changes})
        assert (answer.status_code, answer.json()) == (200, said)
    assert await traffic.row_counts(service) == before


async def test_a_repeat_is_no_activity(service: Service) -> None:
    clock = stop_clock(service)
    conversation = await new_conversation(service)
    await say(service, conversation, "first", resourceId="SM1")
    clock.advance(minutes=9)
    assert (await post(service, conversation, "second", resourceId="SM1")).status_code == 200
    clock.advance(minutes=1)
    await sweep_all(service.units)
    assert (await traffic.only_conversation(service))["status"] == "INACTIVE"
    assert (await post(service, conversation, "third", resourceId="SM1")).status_code == 200
    assert (await traffic.only_conversation(service))["status"] == "INACTIVE"
    assert [event.type for event in await news(service, conversation, 4)] == [UPDATED, "CONVERSATION_UPDATED", UPDATED]
    clock.advance(minutes=50)
    assert "CLOSED" in refusal(await post(service, conversation, "fourth", resourceId="SM1"), 400, 20001)["message"]


async def test_a_repeat_by_somebody_else_is_refused(service: Service) -> None:
    conversation = await new_conversation(service)
    said = await say(service, conversation, resourceId="SM1")
    before = await traffic.row_counts(service)
    for author in (end(US), end("+15550000001"), end(KIRAN, "VOICE"), end(f"whatsapp:{KIRAN}", "WHATSAPP")):
        refused = refusal(await post(service, conversation, resourceId="SM1", author=author), 400, 20001)
        assert refused["params"]["field"] == "/author/address"
    assert await traffic.row_counts(service) == before
    assert await only_communication(service, conversation) == said


async def test_a_resource_id_counts_within_its_conversation(service: Service) -> None:
    conversation = await new_conversation(service)
    other = await conversation_under(
        service, conversation["configurationId"], {"type": "CUSTOMER", "addresses": [end("+15550000001")]}
    )
    one = await say(service, conversation, "here", resourceId="SM1")
    another = await say(service, other, "there", resourceId="SM1", author=end("+15550000001"), recipients=[end(US)])
    assert one["id"] != another["id"]
    assert await only_communication(service, conversation) == one
    assert await only_communication(service, other) == another


async def test_messages_without_a_resource_id_are_never_the_same(service: Service) -> None:
    conversation = await new_conversation(service)
    assert (await say(service, conversation))["id"] != (await say(service, conversation))["id"]


@pytest.mark.parametrize("attempt", range(3))
async def test_two_at_the_same_time_are_one(service: Service, attempt: int) -> None:
    conversation = await new_conversation(service)
    strangers = [end(f"+1555000000{number}") for number in range(2)]
    answers = await asyncio.gather(
        *(
            post(service, conversation, f"{number}", resourceId="SM1", author=end("+15550000009"), recipients=strangers)
            for number in range(4)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    told = [event.type for event in await news(service, conversation, 3)]
    assert told == [*["PARTICIPANT_ADDED"] * 3, "COMMUNICATION_CREATED", *[UPDATED] * 3]
    assert (await only_communication(service, conversation))["id"] == answers[0].json()["id"]


async def test_a_captured_message_that_is_posted_too_is_one_communication(service: Service) -> None:
    conversation = await new_conversation(service)
    sid = await traffic.message(service, KIRAN, US, "hello")
    captured = await only_communication(service, conversation)
    trace = await traffic.trace(service, captured)
    answer = await post(service, conversation, "hello", resourceId=sid)
    assert (answer.status_code, answer.json()) == (200, captured), "its delivery is known already"
    changed = (await post(service, conversation, "hullo", resourceId=sid)).json()
    assert (changed["id"], changed["content"]["text"], statuses(changed)) == (captured["id"], "hullo", ["DELIVERED"])
    assert await traffic.trace(service, changed) == trace
    assert [event.type for event in await news(service, conversation, 3)] == ["COMMUNICATION_CREATED", UPDATED]


async def test_a_posted_message_that_is_captured_too_is_one_communication(service: Service) -> None:
    conversation = await new_conversation(service)
    sid = new_sid("SM")
    given = "+1 555 123 4567"
    posted = await say(service, conversation, "hello", resourceId=sid, author=end(given), channelId="thread 1")
    await traffic.message(service, KIRAN, US, "hello", MessageSid=sid)
    captured = await only_communication(service, conversation)
    arrived = [{**posted["recipients"][0], "deliveryStatus": "DELIVERED"}]
    assert captured == {**posted, "recipients": arrived, "updatedAt": captured["updatedAt"]}
    assert [event.data for event in await news(service, conversation, 3)] == [posted, captured]
    await traffic.message(service, KIRAN, US, "hello", MessageSid=sid)
    assert await only_communication(service, conversation) == captured


async def test_capturing_what_is_known_to_the_letter_is_no_event(service: Service) -> None:
    conversation = await new_conversation(service)
    sid = new_sid("SM")
    posted = await say(service, conversation, "hello", resourceId=sid)
    await report(service, sid, "delivered")
    before = len(await traffic.events(service, conversation))
    await traffic.message(service, KIRAN, US, "hello", MessageSid=sid)
    assert (await only_communication(service, conversation))["id"] == posted["id"]
    assert len(await traffic.events(service, conversation)) == before


async def test_delivery_reports_find_what_was_posted(service: Service) -> None:
    conversation = await new_conversation(service)
    sid = new_sid("SM")
    ends = {"author": end(US), "recipients": [end(KIRAN), end("+15550000001")]}
    said = await say(service, conversation, resourceId=sid, **ends)
    assert statuses(said) == [None, None]
    for word, status in (("sent", "IN_PROGRESS"), ("delivered", "DELIVERED"), ("queued", "DELIVERED")):
        await report(service, sid, word)
        assert statuses(await only_communication(service, conversation)) == [status, status]
    assert [event.type for event in await news(service, conversation, 5)] == [UPDATED, UPDATED]


async def test_a_repeat_never_takes_a_delivery_back(service: Service) -> None:
    conversation = await new_conversation(service)
    sid = new_sid("SM")
    await say(service, conversation, "one", resourceId=sid, author=end(US), recipients=[end(KIRAN)])
    await report(service, sid, "read")
    for written in (KIRAN, "+1 (555) 123-4567", "sms:+15551234567"):
        answer = await post(service, conversation, written, resourceId=sid, author=end(US), recipients=[end(written)])
        assert (answer.status_code, statuses(answer.json())) == (200, ["READ"])
        assert answer.json()["recipients"][0]["address"] == written
    assert statuses(await only_communication(service, conversation)) == ["READ"]


async def test_a_report_changes_nothing_once_the_conversation_has_ended(service: Service) -> None:
    conversation = await new_conversation(service)
    sid = new_sid("SM")
    said = await say(service, conversation, resourceId=sid)
    service.clock.advance(minutes=60)
    await report(service, sid, "delivered")
    assert await only_communication(service, conversation) == said


async def test_who_said_it_stays_when_the_address_has_moved(service: Service) -> None:
    conversation = await new_conversation(service)
    customer, agent = conversation["participants"]
    said = await say(service, conversation, "one", resourceId="SM1")
    member = f"/v2/Conversations/{conversation['id']}/Participants/{customer['id']}"
    moved = await service.api.put(member, json={**customer, "addresses": [end("+15550000001")]})
    assert moved.status_code == 200, moved.text
    members = (await traffic.only_conversation(service))["participants"]
    for ends in ({}, {name: said[name] for name in ("author", "recipients")}):
        answer = await post(service, conversation, str(ends), resourceId="SM1", **ends)
        assert (answer.status_code, answer.json()["author"]) == (200, said["author"])
    wrong = end(KIRAN, participantId=agent["id"])
    refused = refusal(await post(service, conversation, resourceId="SM1", author=wrong), 400, 20001)
    assert refused["params"]["field"] == "/author/participantId"
    assert (await traffic.only_conversation(service))["participants"] == members, "nobody joined, or gained, for it"
    assert (await service.api.get(path_of(conversation, said))).json()["author"] == said["author"]
