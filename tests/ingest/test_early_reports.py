"""Delivery reports that come before their messages: the message begins with how far it had got."""

import asyncio
from datetime import timedelta

import pytest

from orchestrator.kernel.ids import new_sid
from orchestrator.lifecycle.reap import reap
from tests.support import traffic
from tests.support.app import Service
from tests.support.calls import create, other_process
from tests.support.factories import make_configuration
from tests.support.memory import until_somebody_waits_for
from tests.support.traffic import BY_ADDRESSES, BY_PROFILE, KIRAN, US
from tests.support.webhooks import STATUS


async def report(service: Service, sid: str, *words: str) -> None:
    for word in words:
        answer = await service.post_webhook(STATUS, {"MessageSid": sid, "MessageStatus": word})
        assert answer.status_code == 200, answer.text


async def statuses(service: Service) -> list[list[str]]:
    """The delivery statuses in each conversation."""
    return [[one["recipients"][0]["deliveryStatus"] for one in said] for said in await traffic.everything_said(service)]


@pytest.mark.parametrize(
    ("early", "told", "begins"),
    [
        ("sent delivered", "queued", "DELIVERED"),
        ("read delivered sent", "", "READ"),
        ("sent", "delivered", "DELIVERED"),
        ("accepted", "", "IN_PROGRESS"),
        ("undelivered", "sent", "FAILED"),
        ("failed delivered", "sent", "FAILED"),
        ("delivered", "failed", "FAILED"),
    ],
)
async def test_a_message_begins_with_the_furthest_report(service: Service, early: str, told: str, begins: str) -> None:
    await make_configuration(service)
    sid = new_sid("SM")
    await report(service, sid, *early.split())
    assert await traffic.conversations(service) == []
    await traffic.message(service, US, KIRAN, MessageSid=sid, MessageStatus=told)
    assert await statuses(service) == [[begins]]
    assert (await traffic.event_types(service))[3:] == ["COMMUNICATION_CREATED"]


async def test_reports_go_on_from_there(service: Service) -> None:
    await make_configuration(service)
    sid = new_sid("SM")
    await report(service, sid, "delivered")
    await traffic.message(service, US, KIRAN, MessageSid=sid)
    await report(service, sid, "sent", "read")
    assert await statuses(service) == [["READ"]]
    assert (await traffic.event_types(service))[3:] == ["COMMUNICATION_CREATED", "COMMUNICATION_UPDATED"]


async def test_many_early_reports_at_once(service: Service) -> None:
    await make_configuration(service)
    sids = [new_sid("SM") for _ in range(5)]
    async with other_process(service) as other:
        words = ("queued", "sent", "delivered", "read", "sent")
        await asyncio.gather(*(report(one, sid, word) for sid in sids for word in words for one in (service, other)))
        await asyncio.gather(*(traffic.message(other, US, KIRAN, MessageSid=sid) for sid in sids))
    assert await statuses(service) == [["READ"] * 5]


async def test_every_copy_begins_with_it(service: Service) -> None:
    for grouping in (BY_ADDRESSES, BY_PROFILE):
        await make_configuration(service, conversationGroupingType=grouping)
    sid = new_sid("SM")
    await report(service, sid, "delivered")
    await traffic.message(service, US, KIRAN, MessageSid=sid)
    assert await statuses(service) == [["DELIVERED"], ["DELIVERED"]]


async def test_a_message_that_was_reported_of_is_seen_once(service: Service) -> None:
    await make_configuration(service)
    sid = new_sid("SM")
    await report(service, sid, "sent")
    await traffic.message(service, KIRAN, US, "first", MessageSid=sid)
    before = await traffic.row_counts(service)
    await traffic.message(service, KIRAN, US, "second", MessageSid=sid)
    assert await traffic.texts(service) == [["first"]]
    assert await traffic.row_counts(service) == before


async def test_a_message_that_is_there_without_a_receipt_gets_none(service: Service) -> None:
    made = await create(service, await make_configuration(service))
    ends = [{"address": address, "channel": "SMS"} for address in (US, KIRAN)]
    body = {
        "author": ends[0],
        "recipients": ends[1:],
        "content": {"type": "TEXT", "text": "hello"},
        "resourceId": "SM" + "7" * 32,
    }
    path = f"/v2/Conversations/{made['id']}/Communications"
    assert (await service.api.post(path, json=body)).status_code == 201
    before = await traffic.row_counts(service, without=["events"])
    await report(service, "SM" + "7" * 32, "delivered")
    assert await statuses(service) == [["DELIVERED"]]
    assert await traffic.row_counts(service, without=["events"]) == before


async def test_early_reports_are_thrown_away_with_the_receipts(service: Service) -> None:
    await make_configuration(service)
    sid = new_sid("SM")
    await report(service, sid, "delivered")
    service.clock.advance(days=2)
    await reap(service.units, receipts=timedelta(days=1), uncaptured=timedelta(days=1), diagnostics=timedelta(days=1))
    await traffic.message(service, US, KIRAN, MessageSid=sid)
    assert await statuses(service) == [["IN_PROGRESS"]]


async def test_a_receipt_is_kept_from_when_its_message_came(service: Service) -> None:
    await make_configuration(service)
    sid = new_sid("SM")
    await report(service, sid, "sent")
    service.clock.advance(days=2)
    await traffic.message(service, US, KIRAN, "first", MessageSid=sid)
    await reap(service.units, receipts=timedelta(days=1), uncaptured=timedelta(days=1), diagnostics=timedelta(days=1))
    await traffic.message(service, US, KIRAN, "second", MessageSid=sid)
    assert await traffic.texts(service) == [["first"]]


async def test_early_reports_of_another_account_say_nothing(service: Service) -> None:
    await make_configuration(service)
    stranger, sid = await service.new_account(), new_sid("SM")
    form = {"AccountSid": stranger.account_id, "MessageSid": sid, "MessageStatus": "read"}
    assert (await service.post_webhook(STATUS, form, signed_by=stranger.auth_token)).status_code == 200
    await traffic.message(service, US, KIRAN, MessageSid=sid)
    assert await statuses(service) == [["IN_PROGRESS"]]


async def test_speech_has_no_delivery_status(service: Service) -> None:
    await make_configuration(service)
    call_sid = new_sid("CA")
    await report(service, f"GT{call_sid[2:]}1", "delivered")
    await traffic.speech(service, KIRAN, US, call_sid=call_sid)
    ((spoken,),) = await traffic.everything_said(service)
    assert "deliveryStatus" not in spoken["recipients"][0]


async def test_a_report_waits_for_the_message_that_is_being_written(service: Service) -> None:
    await make_configuration(service)
    await traffic.message(service, US, KIRAN, "the conversation is there")
    sid = new_sid("SM")
    async with other_process(service) as other:
        async with service.units.begin() as unit:
            await unit.driver.fetch(
                "select from conversations where account_id = $1 for update", service.account.account_id
            )
            writing = asyncio.create_task(traffic.message(service, US, KIRAN, MessageSid=sid))
            await until_somebody_waits_for(unit)
            reporting = asyncio.create_task(report(other, sid, "delivered"))
            for _ in range(1000):
                waiting = await unit.driver.fetchval("select count(*) from pg_locks where not granted")
                if reporting.done() or waiting > 1:
                    break
                await asyncio.sleep(0.01)
            assert not reporting.done()
        await asyncio.gather(writing, reporting)
    assert await statuses(service) == [["IN_PROGRESS", "DELIVERED"]]


async def test_message_and_report_at_the_same_instant(service: Service) -> None:
    await make_configuration(service)
    async with other_process(service) as other:
        for _ in range(20):
            sid = new_sid("SM")
            await asyncio.gather(
                traffic.message(service, US, KIRAN, MessageSid=sid, MessageStatus="sent"),
                report(other, sid, "delivered"),
            )
    assert await statuses(service) == [["DELIVERED"] * 20]
