"""Delivery reports: the status of a message moves forward, and only a change is an event."""

from typing import Any

from tests.support import traffic
from tests.support.app import Service
from tests.support.factories import make_configuration
from tests.support.memory import new_phone
from tests.support.traffic import BY_ADDRESSES, BY_PROFILE, KIRAN, US
from tests.support.webhooks import STATUS, error, post_form

TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'


async def report(service: Service, sid: str, status: str, **more: str) -> None:
    answer = await service.post_webhook(STATUS, {"MessageSid": sid, "MessageStatus": status, **more})
    assert (answer.status_code, answer.content) == (200, TWIML)


async def outbound(service: Service, **more: str) -> str:
    """A message of ours on its way; its SID."""
    return await traffic.message(service, US, KIRAN, more.pop("Body", "hello"), **more)


async def deliveries(service: Service) -> dict[str, Any]:
    """The delivery status of each message of the one conversation, by its text."""
    (said,) = await traffic.everything_said(service)
    return {one["content"]["text"]: one["recipients"][0].get("deliveryStatus") for one in said}


async def delivery(service: Service) -> Any:
    """The delivery status of the one message there is."""
    (status,) = (await deliveries(service)).values()
    return status


async def test_the_delivery_status_never_moves_backwards(service: Service) -> None:
    await make_configuration(service)
    reported = {
        "accepted": "INITIATED",
        "scheduled queued": "IN_PROGRESS",
        "sending sent delivered read": "READ",
        "sent undelivered": "FAILED",
        "canceled": "FAILED",
        "delivered sent": "DELIVERED",
        "read delivered queued": "READ",
        "failed delivered": "FAILED",
        "delivered failed": "DELIVERED",
        "DELIVERED": "DELIVERED",
    }
    for words in reported:
        sid = await outbound(service, MessageStatus="accepted", Body=words)
        for word in words.split():
            await report(service, sid, word)
    assert await deliveries(service) == reported


async def test_a_message_begins_with_the_status_that_is_known_of_it(service: Service) -> None:
    await make_configuration(service)
    await traffic.message(service, KIRAN, US, "inbound")
    await traffic.message(service, KIRAN, US, "received", SmsStatus="received")
    await outbound(service, Body="outbound")
    for word in ("scheduled", "delivered", "a new word"):
        await outbound(service, Body=word, MessageStatus=word)
    assert await deliveries(service) == {
        "inbound": "DELIVERED",
        "received": "DELIVERED",
        "outbound": "IN_PROGRESS",
        "scheduled": "INITIATED",
        "delivered": "DELIVERED",
        "a new word": "IN_PROGRESS",
    }


async def test_a_change_is_one_event_with_the_whole_communication(service: Service) -> None:
    await make_configuration(service)
    sid = await outbound(service)
    service.clock.advance(seconds=30)
    await report(service, sid, "delivered")
    ((said,),) = await traffic.everything_said(service)
    *_, last = await traffic.events(service)
    assert (last.type, last.data) == ("COMMUNICATION_UPDATED", said)
    assert said["updatedAt"] > said["createdAt"]
    assert last.sequence == 5


async def test_a_report_that_changes_nothing_writes_nothing(service: Service) -> None:
    await make_configuration(service)
    sid = await outbound(service)
    await report(service, sid, "delivered")
    before, said = await traffic.row_counts(service), await traffic.everything_said(service)
    service.clock.advance(minutes=1)
    for word in ("delivered", "sent", "failed"):
        await report(service, sid, word)
    assert await traffic.row_counts(service) == before
    assert await traffic.everything_said(service) == said


async def test_a_report_of_a_message_that_nobody_captured_changes_nothing(service: Service) -> None:
    sid = await outbound(service)
    before = await traffic.row_counts(service)
    await report(service, sid, "delivered")
    assert await traffic.row_counts(service) == before


async def test_a_closed_conversation_is_not_touched(service: Service) -> None:
    await make_configuration(service)
    sid = await outbound(service)
    await traffic.change(service, await traffic.only_conversation(service), status="CLOSED")
    before, said = await traffic.row_counts(service), await traffic.everything_said(service)
    await report(service, sid, "delivered")
    assert await traffic.row_counts(service) == before
    assert await traffic.everything_said(service) == said


async def test_every_copy_of_a_message_is_told(service: Service) -> None:
    for grouping in (BY_ADDRESSES, BY_PROFILE):
        await make_configuration(service, conversationGroupingType=grouping)
    sid = await outbound(service)
    await report(service, sid, "read")
    statuses = [said["recipients"][0]["deliveryStatus"] for (said,) in await traffic.everything_said(service)]
    assert statuses == ["READ", "READ"]
    updates = [event for event in await traffic.events(service) if event.type == "COMMUNICATION_UPDATED"]
    assert [event.sequence for event in updates] == [5, 5]


async def test_a_report_neither_reopens_a_conversation_nor_restarts_its_timers(service: Service) -> None:
    await make_configuration(service)
    sid = await outbound(service)
    await traffic.change(service, await traffic.only_conversation(service), status="INACTIVE")
    query = "select status, channel_activity from conversations where account_id = $1"
    before = await service.fetch(query, service.account.account_id)
    service.clock.advance(minutes=1)
    await report(service, sid, "delivered")
    assert await delivery(service) == "DELIVERED"
    assert await service.fetch(query, service.account.account_id) == before


async def test_reports_of_another_account_change_nothing(service: Service) -> None:
    await make_configuration(service)
    sid = await outbound(service)
    stranger = await service.new_account()
    form = {"AccountSid": stranger.account_id, "MessageSid": sid, "MessageStatus": "delivered"}
    assert (await service.post_webhook(STATUS, form, signed_by=stranger.auth_token)).status_code == 200
    assert await delivery(service) == "IN_PROGRESS"


async def test_whatsapp_messages_are_reported_too(service: Service) -> None:
    await make_configuration(service)
    sid = await traffic.message(service, f"whatsapp:{US}", f"whatsapp:{new_phone()}")
    await report(service, sid, "read", ChannelPrefix="whatsapp")
    assert await delivery(service) == "READ"


async def test_a_wrong_field_is_named(service: Service) -> None:
    form = {"AccountSid": service.account.account_id, "MessageSid": "SM1", "MessageStatus": "sent"}
    for field, value in (("MessageSid", ""), ("MessageStatus", ""), ("MessageStatus", "eaten")):
        body = error(await post_form(service, {**form, field: value}, path=STATUS), 400, 20001)
        assert body["params"]["field"] == f"/{field}"
