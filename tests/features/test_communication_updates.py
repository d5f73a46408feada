"""Replacing a communication: PUT says the whole of it, but who said it and which message it is never change."""

import asyncio
from typing import Any

import httpx

from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.ids import new_sid
from tests.features.test_communication_repeats import only_communication, report, statuses
from tests.features.test_communication_writes import (
    Body,
    end,
    new_conversation,
    news,
    path_of,
    say,
    text,
)
from tests.support import traffic
from tests.support.app import Service
from tests.support.clock import stop_clock
from tests.support.delivery import deliver, forget_deliveries
from tests.support.receiver import receiver
from tests.support.traffic import KIRAN, US

UPDATED = "COMMUNICATION_UPDATED"
LEAST = {"content": text("new"), "recipients": [end(US)]}


async def put(service: Service, conversation: Body, communication: Body, **fields: Any) -> httpx.Response:
    return await service.api.put(path_of(conversation, communication), json=fields)


async def replaced(service: Service, conversation: Body, communication: Body, **fields: Any) -> Body:
    """The communication after a PUT."""
    answer = await put(service, conversation, communication, **fields)
    assert answer.status_code == 200, answer.text
    changed: Body = answer.json()
    assert await traffic.get(service, path_of(conversation, communication)) == changed
    return changed


async def test_everything_that_can_change_changes(service: Service) -> None:
    clock = stop_clock(service)
    async with receiver() as hook:
        await forget_deliveries(service)
        conversation = await new_conversation(service, statusCallbacks=[hook.callback()])
        said = await say(service, conversation, resourceId="SM1", channelId="CH1")
        clock.advance(seconds=30)
        content = {"type": "TRANSCRIPTION", "text": "new", "transcription": {"engine": "x"}}
        changed = await replaced(
            service,
            conversation,
            said,
            content=content,
            channelId="CH2",
            occurredAt="2026-02-03T10:15:04+01:00",
            recipients=[end("+15550000001"), end(US, deliveryStatus="IN_PROGRESS")],
        )
        stranger = (await traffic.only_conversation(service))["participants"][2]
        assert changed == {
            **said,
            "content": content,
            "channelId": "CH2",
            "occurredAt": "2026-02-03T09:15:04Z",
            "recipients": [
                {**end("+15550000001"), "participantId": stranger["id"]},
                {**said["recipients"][0], "deliveryStatus": "IN_PROGRESS"},
            ],
            "updatedAt": rest_time(clock.moment),
        }
        await deliver(service)
        assert hook.types()[4:] == ["PARTICIPANT_ADDED", UPDATED]
        assert hook.received[-1].event["data"] == changed


async def test_what_is_left_out_is_deleted(service: Service) -> None:
    clock = stop_clock(service)
    conversation = await new_conversation(service)
    said = await say(
        service, conversation, resourceId="SM1", channelId="CH1", occurredAt="2026-02-03T09:15:04Z",
        recipients=[end(US), end(KIRAN, "VOICE")],
    )  # fmt: skip
    for more in ({}, {"channelId": None, "occurredAt": None, "resourceId": None, "author": None}):
        clock.advance(seconds=1)
        changed = await replaced(service, conversation, said, **LEAST, **more)
        assert changed == {
            **said,
            "content": text("new"),
            "channelId": None,
            "occurredAt": said["createdAt"],
            "recipients": said["recipients"][:1],
            "updatedAt": changed["updatedAt"],
        }
    assert [event.type for event in await news(service, conversation, 5)] == [UPDATED], "the second time, no news"


async def test_what_get_gives_put_takes(service: Service) -> None:
    conversation = await new_conversation(service)
    content = {"type": "TRANSCRIPTION", "text": "hi", "transcription": {"confidence": 0.1, "words": [{"text": "hi"}]}}
    posted = [
        await say(service, conversation),
        await say(service, conversation, resourceId="SM1", channelId="CH1", occurredAt="2026-02-03T09:15:04.987Z"),
        await say(service, conversation, content=content, author=end("+1 (555) 000-0001")),
    ]
    sid = await traffic.message(service, KIRAN, US)
    await report(service, sid, "read")
    await traffic.speech(service, KIRAN, US, "spoken")
    known = await traffic.communications(service, conversation)
    assert len(known) == len(posted) + 2
    before = await traffic.row_counts(service)
    service.clock.advance(minutes=1)
    for said in known:
        assert await replaced(service, conversation, said, **said) == said
    assert await traffic.row_counts(service) == before
    assert await traffic.communications(service, conversation) == known, "nor has any changed places"
    for said in known:
        edited = {**said["content"], "text": "edited"}
        changed = await replaced(service, conversation, said, **{**said, "content": edited})
        assert changed == {**said, "content": edited, "updatedAt": changed["updatedAt"]}
    order = [one["id"] for one in await traffic.communications(service, conversation)]
    assert order == [one["id"] for one in known]


async def test_what_get_gives_put_takes_after_addresses_have_moved(service: Service) -> None:
    conversation = await new_conversation(service)
    said = await say(service, conversation, recipients=[end(US), end("+15550000002")])
    for member in (await traffic.only_conversation(service))["participants"]:
        path = f"/v2/Conversations/{conversation['id']}/Participants/{member['id']}"
        assert (await service.api.put(path, json={**member, "addresses": []})).status_code == 200
    before = await traffic.row_counts(service)
    assert await replaced(service, conversation, said, **said) == said
    without_author = {name: value for name, value in said.items() if name != "author"}
    assert await replaced(service, conversation, said, **without_author) == said
    assert await traffic.row_counts(service) == before, "nobody joins for what is known"


async def test_a_delivery_never_moves_backwards(service: Service) -> None:
    conversation = await new_conversation(service)
    said = await say(service, conversation, recipients=[end(US), end(KIRAN, "VOICE")])

    async def told(first: str | None, second: str | None) -> list[str | None]:
        recipients = [end("+1 650 555 0199", deliveryStatus=first), end(KIRAN, "VOICE", deliveryStatus=second)]
        return statuses(await replaced(service, conversation, said, content=text("x"), recipients=recipients))

    assert await told("INITIATED", None) == ["INITIATED", None]
    assert await told("IN_PROGRESS", "FAILED") == ["IN_PROGRESS", "FAILED"]
    assert await told("INITIATED", "DELIVERED") == ["IN_PROGRESS", "FAILED"]
    assert await told("DELIVERED", None) == ["DELIVERED", "FAILED"]
    assert await told("FAILED", "READ") == ["DELIVERED", "FAILED"]
    assert await told("READ", "INITIATED") == ["READ", "FAILED"]
    assert await told(None, None) == ["READ", "FAILED"]


async def test_a_put_and_a_report_agree(service: Service) -> None:
    conversation = await new_conversation(service)
    sid = new_sid("SM")
    said = await say(service, conversation, resourceId=sid, author=end(US), recipients=[end(KIRAN)])
    await report(service, sid, "delivered")
    sent = [end(KIRAN, deliveryStatus="IN_PROGRESS")]
    assert statuses(await replaced(service, conversation, said, content=text("x"), recipients=sent)) == ["DELIVERED"]
    read = [end(KIRAN, deliveryStatus="READ")]
    assert statuses(await replaced(service, conversation, said, content=text("x"), recipients=read)) == ["READ"]
    before = len(await traffic.events(service))
    await report(service, sid, "delivered")
    assert statuses(await only_communication(service, conversation)) == ["READ"]
    assert len(await traffic.events(service)) == before


async def test_a_replacement_is_no_activity(service: Service) -> None:
    conversation = await new_conversation(service)
    said = await say(service, conversation)
    await traffic.change(service, conversation, status="INACTIVE")
    query = "select status, channel_activity, next_transition_at from conversations where account_id = $1"
    before = await service.fetch(query, service.account.account_id)
    service.clock.advance(minutes=1)
    await replaced(service, conversation, said, **LEAST)
    assert await service.fetch(query, service.account.account_id) == before


async def test_the_trace_of_a_captured_message_stays(service: Service) -> None:
    conversation = await new_conversation(service)
    await traffic.message(service, KIRAN, US)
    captured = await only_communication(service, conversation)
    trace = await traffic.trace(service, captured)
    changed = await replaced(service, conversation, captured, **LEAST)
    assert changed["recipients"] == captured["recipients"]
    assert await traffic.trace(service, changed) == trace


async def test_a_replaced_time_takes_its_place_in_the_list(service: Service) -> None:
    conversation = await new_conversation(service)
    said = [await say(service, conversation, f"{n}", occurredAt=f"2026-02-03T09:15:0{n}Z") for n in range(3)]
    await replaced(service, conversation, said[0], **LEAST, occurredAt="2026-02-03T09:15:09Z")
    order = [one["id"] for one in await traffic.communications(service, conversation)]
    assert order == [said[1]["id"], said[2]["id"], said[0]["id"]]


async def test_replacements_at_the_same_time_come_one_after_the_other(service: Service) -> None:
    conversation = await new_conversation(service)
    said = await say(service, conversation)
    answers = await asyncio.gather(
        *(put(service, conversation, said, content=text(f"{n}"), recipients=[end(US)]) for n in range(4))
    )
    assert [answer.status_code for answer in answers] == [200] * 4
    told = await news(service, conversation, 4)
    assert [event.type for event in told] == [UPDATED] * 4
    assert {event.data["content"]["text"] for event in told} == {"0", "1", "2", "3"}
    assert await only_communication(service, conversation) == told[-1].data
