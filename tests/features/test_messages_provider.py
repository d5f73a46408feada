"""Messages that Twilio sends for us: handed over once, under Twilio's SID, and captured when it has them."""

import asyncio
from collections.abc import AsyncIterator
from typing import NoReturn

import pytest

from orchestrator.domain.messages import DeliveryStatus
from orchestrator.ingest import early_reports
from orchestrator.kernel.ids import new_sid
from orchestrator.messages import service as messages
from orchestrator.messages import store
from tests.support import traffic
from tests.support.app import ORIGIN, Service, running_service
from tests.support.clock import stop_clock
from tests.support.factories import make_configuration
from tests.support.messages import ask, asked, forget_messages, now, path, perform, post
from tests.support.provider import Provider, accepting, hanging_up, provider, refusing
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, US


@pytest.fixture
async def twilio() -> AsyncIterator[Provider]:
    async with provider() as running:
        yield running


@pytest.fixture
async def service(database_url: str, twilio: Provider) -> AsyncIterator[Service]:
    async with running_service(database_url, sender="twilio", twilio_api_url=twilio.origin) as running:
        await forget_messages(running)
        yield running


async def test_it_is_handed_over_and_captured_under_the_sid_that_twilio_gives(
    service: Service, twilio: Provider
) -> None:
    await make_configuration(service)
    sid = new_sid("SM")
    twilio.answer = accepting(sid=sid, status="accepted", body="Hello Kiran")
    report = {"MessageSid": sid, "MessageStatus": "delivered"}
    await service.post_webhook("/ingest/twilio/message-status", report)  # Twilio may be faster than its own answer
    service_sid = new_sid("MG")
    message = await asked(service, MessagingServiceSid=service_sid)
    assert (message["sid"], message["status"], message["body"]) == (sid, "delivered", "Hello Kiran")
    assert message["messaging_service_sid"] == service_sid
    assert twilio.only.fields == {
        "To": KIRAN,
        "From": US,
        "Body": "your parcel has left",
        "MessagingServiceSid": service_sid,
        "StatusCallback": f"{ORIGIN}/ingest/twilio/message-status",
    }
    webhook = {"MessageSid": sid, "Direction": "outbound-api", "SmsStatus": "sent"}
    await traffic.message(service, US, KIRAN, "Hello Kiran", **webhook)
    assert await perform(service) == 1
    assert await perform(service) == 0
    assert await traffic.texts(service) == [["Hello Kiran"]]
    assert len(twilio.received) == 1


async def test_the_callback_is_twilios_business_and_reports_are_heard(service: Service, twilio: Provider) -> None:
    message = await asked(service, StatusCallback="https://example.com/status")
    assert twilio.only.fields["StatusCallback"] == "https://example.com/status"
    assert message["status"] == "queued"
    await perform(service)
    for word in ("delivered", "sent"):
        report = {"MessageSid": message["sid"], "MessageStatus": word}
        await service.post_webhook("/ingest/twilio/message-status", report)
    assert (await now(service, message["sid"]))["status"] == "delivered"
    for changed in (
        await post(service, "Body=", sid=message["sid"]),
        await service.api.delete(path(service, message["sid"])),
    ):
        assert "Twilio" in refusal(changed, 400, 20001)["message"]


async def test_a_report_that_comes_while_the_message_takes_its_sid_is_heard(service: Service) -> None:
    message = await asked(service)
    async with service.units.begin() as unit:  # what of the two is written last has not seen the other
        await early_reports.keep(unit, [(service.account.account_id, message["sid"], DeliveryStatus.FAILED)])
    assert (await now(service, message["sid"]))["status"] == "queued"
    await perform(service)
    assert (await now(service, message["sid"]))["status"] == "failed"


async def test_what_twilio_refuses_is_refused_with_its_code_and_leaves_nothing(
    service: Service, twilio: Provider
) -> None:
    before = await traffic.row_counts(service)
    twilio.answer = refusing(400, code=21610, message="Attempt to send to unsubscribed recipient")
    refused = await ask(service)
    assert (refused.status_code, refused.json()["code"]) == (400, 21610)
    assert "unsubscribed" in refused.json()["message"]
    twilio.answer = refusing(429, code=20429, headers={"Retry-After": "7"})
    later = await ask(service)
    assert (later.status_code, later.headers["Retry-After"]) == (503, "7")
    assert await traffic.row_counts(service) == before


async def test_nobody_repeats_what_twilio_may_have(service: Service, twilio: Provider) -> None:
    twilio.answer = hanging_up
    uncertain = await ask(service)
    assert (uncertain.status_code, uncertain.json()["code"]) == (502, 30008)
    assert await perform(service) == 0
    (failed,) = (await service.api.get(path(service))).json()["messages"]
    assert (failed["status"], failed["error_code"]) == ("failed", 30008)
    assert len(twilio.received) == 1


async def test_what_was_sent_and_cannot_be_written_down_is_not_to_be_repeated(
    service: Service, twilio: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = stop_clock(service)
    sid = new_sid("SM")
    twilio.answer = accepting(sid=sid)

    async def lose(*_: object) -> NoReturn:
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr(store, "settle", lose)
        patched.setattr(messages, "_PAUSES", (0.01,))
        uncertain = await ask(service)
    assert (uncertain.status_code, uncertain.json()["code"]) == (502, 30008)
    assert sid in uncertain.json()["message"]
    clock.advance(seconds=60)
    assert await perform(service) == 1
    (failed,) = (await service.api.get(path(service))).json()["messages"]
    assert (failed["status"], failed["error_code"]) == ("failed", 30008)
    assert len(twilio.received) == 1


async def test_a_process_that_dies_while_it_hands_over(service: Service, twilio: Provider) -> None:
    clock = stop_clock(service)
    await make_configuration(service)
    twilio.open.clear()
    asking = asyncio.create_task(ask(service))
    await twilio.until(1)
    asking.cancel()
    await asyncio.wait([asking])
    twilio.open.set()
    assert await perform(service) == 0
    clock.advance(seconds=60)
    assert await perform(service) == 1
    (failed,) = (await service.api.get(path(service))).json()["messages"]
    assert (failed["status"], failed["error_code"]) == ("failed", 30008)
    assert await perform(service) == 0
    assert len(twilio.received) == 1
    assert await traffic.conversations(service) == []
