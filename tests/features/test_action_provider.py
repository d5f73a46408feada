"""Sending through Twilio's Messages API: what it is asked, and what becomes of the message."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from orchestrator.actions.messages_api import MessagesApi
from orchestrator.kernel.ids import new_sid
from tests.support import traffic
from tests.support.app import ORIGIN, Service, running_service
from tests.support.performing import (
    asked,
    between_kiran_and_us,
    forget_actions,
    now,
    perform,
    sending,
    with_kiran,
)
from tests.support.provider import Provider, accepting, messages_api, provider
from tests.support.traffic import KIRAN, US

TEMPLATE = "HX0123456789abcdef0123456789abcdef"
PICTURES = ["https://example.com/1.jpg", "https://example.com/2.jpg"]
CALLBACK = f"{ORIGIN}/ingest/twilio/message-status"


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    async with running_service(database_url, sender="twilio") as running:
        await forget_actions(running)
        yield running


@pytest.fixture
async def twilio() -> AsyncIterator[Provider]:
    async with provider() as running:
        yield running


@pytest.fixture
async def sender(service: Service, twilio: Provider) -> AsyncIterator[MessagesApi]:
    async with messages_api(service, twilio.origin, status_callback=CALLBACK) as running:
        yield running


async def sent(service: Service, sender: MessagesApi, **payload: Any) -> dict[str, Any]:
    """An action after it was performed for the first time, in a conversation of its own."""
    conversation = await with_kiran(service)
    action = await asked(service, conversation, sending(**payload))
    assert (action["status"], action["related"]) == ("PENDING", {})
    assert await perform(service, sender) == 1
    return await now(service, action)


async def said(service: Service, action: dict[str, Any]) -> list[dict[str, Any]]:
    """What the conversation of an action knows."""
    return await traffic.communications(service, {"id": action["conversationId"]})


async def test_an_sms(service: Service, sender: MessagesApi, twilio: Provider) -> None:
    action = await sent(service, sender)
    posted = twilio.only
    account = service.account
    assert posted.path == f"/2010-04-01/Accounts/{account.account_id}/Messages.json"
    assert posted.credentials == f"{account.account_id}:{account.auth_token}"
    assert posted.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert posted.fields == {"To": KIRAN, "From": US, "Body": "your parcel has left", "StatusCallback": CALLBACK}
    (communication,) = await said(service, action)
    assert action["status"] == "COMPLETED"
    sid = action["related"]["messageSid"]
    assert action["related"] == {"messageSid": sid, "communicationId": communication["id"]}
    assert (communication["resourceId"], communication["channelId"]) == (sid, sid)
    assert communication["recipients"][0]["deliveryStatus"] == "IN_PROGRESS"


@pytest.mark.parametrize(
    ("channel", "ours", "theirs", "sender_on_wire", "recipient_on_wire"),
    [
        ("WHATSAPP", US, f"whatsapp:{KIRAN}", f"whatsapp:{US}", f"whatsapp:{KIRAN}"),
        ("RCS", "rcs:brand_acme_agent", KIRAN, "rcs:brand_acme_agent", f"rcs:{KIRAN}"),
        ("SMS", "ACME", "tel:+1 (555) 123-4567", "ACME", KIRAN),
    ],
)
async def test_addresses_are_written_as_the_api_wants_them(
    service: Service,
    sender: MessagesApi,
    twilio: Provider,
    channel: str,
    ours: str,
    theirs: str,
    sender_on_wire: str,
    recipient_on_wire: str,
) -> None:
    ends = {"from_": {"channel": channel, "address": ours}, "to": [{"channel": channel, "address": theirs}]}
    action = await sent(service, sender, **ends)
    assert (twilio.only.fields["From"], twilio.only.fields["To"]) == (sender_on_wire, recipient_on_wire)
    (communication,) = await said(service, action)
    assert (communication["author"]["address"], communication["recipients"][0]["address"]) == (ours, theirs)


async def test_settings_are_handed_on_under_the_names_of_the_api(
    service: Service, sender: MessagesApi, twilio: Provider
) -> None:
    settings = {
        "messagingServiceSid": "MG0123456789abcdef0123456789abcdef",
        "statusCallback": "https://example.com/status",
        "channelId": new_sid("SM"),
        "shortenUrls": True,
        "validityPeriod": 60,
        "PersistentAction": ["geo:1,2", "geo:3,4"],
        "attributes": {"colour": "blue"},
        "attempt": None,
        "to": "+15550000009",
        "Body": "something else",
    }
    await sent(service, sender, channelSettings=settings)
    assert sorted(twilio.only.form) == sorted(
        [
            ("To", KIRAN),
            ("From", US),
            ("Body", "your parcel has left"),
            ("StatusCallback", "https://example.com/status"),
            ("MessagingServiceSid", "MG0123456789abcdef0123456789abcdef"),
            ("ShortenUrls", "true"),
            ("ValidityPeriod", "60"),
            ("PersistentAction", "geo:1,2"),
            ("PersistentAction", "geo:3,4"),
            ("Attributes", '{"colour":"blue"}'),
        ]
    )


async def test_names_of_settings_may_be_written_as_the_api_writes_them(
    service: Service, sender: MessagesApi, twilio: Provider
) -> None:
    await sent(service, sender, channelSettings={"StatusCallback": "https://example.com/status", "": "nothing"})
    assert twilio.only.fields["StatusCallback"] == "https://example.com/status"


async def test_without_a_public_url_nobody_is_told(service: Service, twilio: Provider) -> None:
    async with messages_api(service, twilio.origin + "/") as sender:
        await sent(service, sender)
    assert "StatusCallback" not in twilio.only.fields
    assert twilio.only.path.startswith("/2010-04-01/")


async def test_media_and_templates(service: Service, sender: MessagesApi, twilio: Provider) -> None:
    content = {"contentId": TEMPLATE, "variables": {"1": "Kiran & co"}, "mediaUrls": PICTURES}
    twilio.answer = accepting(body="Dear Kiran & co, it left.")
    action = await sent(service, sender, content=content)
    assert twilio.only.form == [
        ("To", KIRAN),
        ("From", US),
        ("MediaUrl", PICTURES[0]),
        ("MediaUrl", PICTURES[1]),
        ("ContentSid", TEMPLATE),
        ("ContentVariables", '{"1":"Kiran & co"}'),
        ("StatusCallback", CALLBACK),
    ]
    (communication,) = await said(service, action)
    assert communication["content"]["text"] == "Dear Kiran & co, it left."


async def test_variables_without_a_template_are_not_sent(
    service: Service, sender: MessagesApi, twilio: Provider
) -> None:
    await sent(service, sender, content={"text": "it left", "variables": {"1": "x"}})
    assert "ContentVariables" not in twilio.only.fields


async def test_media_alone_leave_no_communication(service: Service, sender: MessagesApi, twilio: Provider) -> None:
    action = await sent(service, sender, content={"mediaUrls": PICTURES})
    assert (action["status"], set(action["related"])) == ("COMPLETED", {"messageSid"})
    assert await said(service, action) == []


@pytest.mark.parametrize(
    ("status", "delivery"),
    [
        ("accepted", "INITIATED"),
        ("scheduled", "INITIATED"),
        ("queued", "IN_PROGRESS"),
        ("sent", "IN_PROGRESS"),
        ("delivered", "DELIVERED"),
        ("failed", "FAILED"),
        ("something new", "IN_PROGRESS"),
        (None, "IN_PROGRESS"),
    ],
)
async def test_the_status_of_the_answer_is_the_delivery_status(
    service: Service, sender: MessagesApi, twilio: Provider, status: str | None, delivery: str
) -> None:
    twilio.answer = accepting(status=status)
    (communication,) = await said(service, await sent(service, sender))
    assert communication["recipients"][0]["deliveryStatus"] == delivery


async def test_reports_move_the_delivery_on(service: Service, sender: MessagesApi) -> None:
    action = await sent(service, sender)
    report = {"MessageSid": action["related"]["messageSid"], "MessageStatus": "delivered"}
    assert (await service.post_webhook("/ingest/twilio/message-status", report)).status_code == 200
    (communication,) = await said(service, action)
    assert communication["recipients"][0]["deliveryStatus"] == "DELIVERED"


async def test_a_report_may_come_before_the_answer(service: Service, sender: MessagesApi, twilio: Provider) -> None:
    sid = new_sid("SM")
    twilio.answer = accepting(sid=sid)
    twilio.open.clear()
    performing = asyncio.create_task(sent(service, sender))
    await twilio.until(1)
    report = {"MessageSid": sid, "MessageStatus": "delivered"}
    assert (await service.post_webhook("/ingest/twilio/message-status", report)).status_code == 200
    twilio.open.set()
    (communication,) = await said(service, await performing)
    assert communication["recipients"][0]["deliveryStatus"] == "DELIVERED"


async def test_a_message_that_also_comes_in_as_traffic_is_one(
    service: Service, sender: MessagesApi, twilio: Provider
) -> None:
    """Whichever of the two is first."""
    conversation = await between_kiran_and_us(service)
    sid = new_sid("SM")
    echo = {"MessageSid": sid, "Direction": "outbound-api", "MessageStatus": "sent"}
    twilio.answer = accepting(sid=sid)
    action = await asked(service, conversation)
    await perform(service, sender)
    events = await traffic.event_types(service)
    await traffic.message(service, US, KIRAN, "your parcel has left", **echo)
    assert await traffic.event_types(service) == events
    assert [one["resourceId"] for one in await said(service, action)] == [sid]
    other = new_sid("SM")
    await traffic.message(service, US, KIRAN, "and more", **{**echo, "MessageSid": other})
    twilio.answer = accepting(sid=other, body="and more")
    again = await asked(service, conversation, sending("and more"))
    await perform(service, sender)
    _, second = await said(service, action)
    assert (await now(service, again))["related"] == {"messageSid": other, "communicationId": second["id"]}
    assert len(await traffic.conversations(service)) == 1


async def test_an_action_of_a_loopback_may_be_sent_after_all(database_url: str, twilio: Provider) -> None:
    """The setting was changed while it was pending: the SID is then the provider's."""
    async with running_service(database_url) as service, messages_api(service, twilio.origin) as sender:
        await forget_actions(service)
        conversation = await between_kiran_and_us(service)
        action = await asked(service, conversation)
        assert await perform(service, sender) == 1
        sid = (await now(service, action))["related"]["messageSid"]
        assert sid != action["related"]["messageSid"]
        assert [one["resourceId"] for one in await said(service, action)] == [sid]


async def test_the_worker_sends_through_the_api_of_its_settings(database_url: str, twilio: Provider) -> None:
    settings = {"sender": "twilio", "twilio_api_url": twilio.origin, "worker": True}
    async with running_service(database_url, **settings) as service:
        conversation = await between_kiran_and_us(service)
        await asked(service, conversation)
        await twilio.until(1)
    assert twilio.only.fields["StatusCallback"] == CALLBACK
