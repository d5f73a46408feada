"""What the answers of Twilio's Messages API mean: not sent, not yet, or nobody knows."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from orchestrator.actions.messages_api import MessagesApi
from tests.support import traffic
from tests.support.app import ORIGIN, Service, running_service
from tests.support.clock import StoppedClock, stop_clock
from tests.support.performing import (
    SMS_OF_KIRAN,
    WAITS,
    asked,
    between_kiran_and_us,
    forget_actions,
    now,
    perform,
    sending,
    with_kiran,
)
from tests.support.provider import Answer, Provider, accepting, hanging_up, messages_api, provider, refusing
from tests.support.receiver import receiver
from tests.support.traffic import OTHER_PHONE

CALLBACK = f"{ORIGIN}/ingest/twilio/message-status"
UNKNOWN = "it is unknown whether the message was sent"


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


@pytest.fixture
def clock(service: Service) -> StoppedClock:
    return stop_clock(service)


async def sent(service: Service, sender: MessagesApi, **payload: Any) -> dict[str, Any]:
    """An action after it was performed for the first time, in a conversation of its own."""
    conversation = await with_kiran(service, *payload.get("to", ()))
    action = await asked(service, conversation, sending(**payload))
    assert (action["status"], action["related"]) == ("PENDING", {})
    assert await perform(service, sender) == 1
    return await now(service, action)


async def said(service: Service, action: dict[str, Any]) -> list[dict[str, Any]]:
    """What the conversation of an action knows."""
    return await traffic.communications(service, {"id": action["conversationId"]})


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (
            {
                "from_": {"channel": "CHAT", "address": "agent-1"},
                "to": [{"channel": "CHAT", "address": "Kiran"}],
                "channelSettings": {"channelId": "CH1"},
            },
            "Twilio's Messages API does not send on CHAT",
        ),
        (
            {"to": [SMS_OF_KIRAN, {"channel": "SMS", "address": OTHER_PHONE}]},
            "Twilio's Messages API sends to one recipient at a time; ask for one action for each",
        ),
        ({"content": {"text": "x" * 1601}}, "Twilio's Messages API takes 1600 characters, this text has 1601"),
    ],
)
async def test_what_the_api_does_not_send_fails_without_asking_it(
    service: Service, sender: MessagesApi, twilio: Provider, payload: dict[str, Any], reason: str
) -> None:
    action = await sent(service, sender, **payload)
    assert (action["status"], action["failureReason"]) == ("FAILED", reason)
    assert twilio.received == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (
            refusing(400, code=21211, message="The 'To' number is not valid"),
            "The 'To' number is not valid (HTTP 400, Twilio error 21211)",
        ),
        (refusing(401, code=20003, message="Authenticate"), "Authenticate (HTTP 401, Twilio error 20003)"),
        (refusing(404, message=""), "the provider gave no reason (HTTP 404)"),
        (refusing(400, message="nul \x00"), "nul \ufffd (HTTP 400)"),
        (
            lambda _: web.Response(status=302, headers={"Location": "/elsewhere"}),
            "the provider gave no reason (HTTP 302)",
        ),
        (lambda _: web.Response(status=422, text="<html>"), "the provider gave no reason (HTTP 422)"),
    ],
)
async def test_a_refusal_is_final_and_its_reason_is_told(
    service: Service, sender: MessagesApi, twilio: Provider, answer: Answer, reason: str
) -> None:
    twilio.answer = answer
    action = await sent(service, sender)
    assert (action["status"], action["failureReason"]) == ("FAILED", reason)
    assert len(twilio.received) == 1
    assert await said(service, action) == []


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (
            refusing(500, code=20500, message="Internal Server Error"),
            "Internal Server Error (HTTP 500, Twilio error 20500)",
        ),
        (refusing(502), "no (HTTP 502)"),
        (hanging_up, "the connection to the provider was lost: ServerDisconnectedError"),
        (lambda _: web.Response(status=201, text="created"), "the provider's answer names no message"),
        (accepting(sid=None), "the provider's answer names no message"),
        (accepting(sid="x" * 256), "the provider's answer names no message"),
    ],
)
async def test_where_nobody_knows_the_message_is_not_sent_again(
    service: Service, clock: StoppedClock, sender: MessagesApi, twilio: Provider, answer: Answer, detail: str
) -> None:
    twilio.answer = answer
    action = await sent(service, sender)
    assert (action["status"], action["failureReason"]) == ("FAILED", f"{UNKNOWN}: {detail}")
    clock.advance(hours=1)
    assert await perform(service, sender) == 0
    assert len(twilio.received) == 1


async def test_no_answer_in_time_is_unknown_too(service: Service, twilio: Provider) -> None:
    twilio.open.clear()
    async with messages_api(service, twilio.origin, read_timeout=0.2) as sender:
        action = await sent(service, sender)
    assert action["failureReason"] == f"{UNKNOWN}: the provider did not answer in time"
    assert len(twilio.received) == 1


@pytest.mark.parametrize("status", [429, 503])
async def test_what_was_not_taken_is_handed_over_again_later(
    service: Service, clock: StoppedClock, sender: MessagesApi, twilio: Provider, status: int
) -> None:
    twilio.answer = refusing(status, code=20429, message="Too many requests")
    action = await sent(service, sender)
    assert (action["status"], action["failureReason"]) == ("PENDING", None)
    for wait in WAITS[:-1]:
        clock.advance(seconds=wait - 1)
        assert await perform(service, sender) == 0
        clock.advance(seconds=1)
        assert await perform(service, sender) == 1
    twilio.answer = accepting()
    clock.advance(seconds=WAITS[-1])
    assert await perform(service, sender) == 1
    assert (await now(service, action))["status"] == "COMPLETED"
    assert len(await said(service, action)) == 1
    assert len(twilio.received) == 5


async def test_after_five_attempts_in_two_minutes_it_is_given_up(
    service: Service, clock: StoppedClock, sender: MessagesApi, twilio: Provider
) -> None:
    twilio.answer = refusing(503, message="Unavailable")
    action = await sent(service, sender)
    for wait in WAITS:
        clock.advance(seconds=wait)
        assert await perform(service, sender) == 1
    failed = await now(service, action)
    assert failed["status"] == "FAILED"
    assert failed["failureReason"] == "given up after attempt 5: Unavailable (HTTP 503)"
    assert len(twilio.received) == 5
    assert sum(WAITS) <= 120


async def test_retry_after_lengthens_the_wait(
    service: Service, clock: StoppedClock, sender: MessagesApi, twilio: Provider
) -> None:
    twilio.answer = refusing(429, headers={"Retry-After": "40"})
    await sent(service, sender)
    clock.advance(seconds=39)
    assert await perform(service, sender) == 0
    clock.advance(seconds=1)
    dated = {"Date": "Tue, 03 Feb 2026 09:15:00 GMT", "Retry-After": "Tue, 03 Feb 2026 09:16:00 GMT"}
    twilio.answer = refusing(429, headers=dated)
    assert await perform(service, sender) == 1
    clock.advance(seconds=59)
    assert await perform(service, sender) == 0
    clock.advance(seconds=1)
    twilio.answer = refusing(429, headers={"Retry-After": "soon"})
    assert await perform(service, sender) == 1
    clock.advance(seconds=WAITS[2])
    assert await perform(service, sender) == 1


async def test_nobody_waits_for_hours(
    service: Service, clock: StoppedClock, sender: MessagesApi, twilio: Provider
) -> None:
    twilio.answer = refusing(429, message="Slow down", headers={"Retry-After": "3600"})
    action = await sent(service, sender)
    assert action["status"] == "FAILED"
    reason = "given up after attempt 1: Slow down (HTTP 429), to be asked again in 3600 s"
    assert action["failureReason"] == reason


async def test_later_messages_of_the_conversation_wait_meanwhile(
    service: Service, clock: StoppedClock, sender: MessagesApi, twilio: Provider
) -> None:
    twilio.answer = refusing(503)
    conversation = await between_kiran_and_us(service)
    for text in ("one", "two"):
        await asked(service, conversation, sending(text))
    assert await perform(service, sender) == 1
    twilio.answer = accepting()
    assert await perform(service, sender) == 0
    clock.advance(seconds=WAITS[0])
    assert await perform(service, sender) == 2
    assert [posted.fields["Body"] for posted in twilio.received] == ["one", "one", "two"]
    assert await traffic.texts(service) == [["one", "two"]]


async def test_a_provider_that_cannot_be_reached_is_tried_again(
    service: Service, clock: StoppedClock, twilio: Provider, sender: MessagesApi
) -> None:
    async with receiver() as gone:
        pass
    for url in (gone.origin, "http://provider.invalid"):
        async with messages_api(service, url) as unreachable:
            action = await sent(service, unreachable)
        assert (action["status"], action["failureReason"]) == ("PENDING", None)
    clock.advance(seconds=WAITS[0])
    assert await perform(service, sender) == 2
    assert (await now(service, action))["status"] == "COMPLETED"
    assert len(twilio.received) == 2


async def test_an_account_that_is_gone_sends_nothing(service: Service, twilio: Provider) -> None:
    async def nobody(_: str) -> None:
        return None

    async def broken(_: str) -> str:
        raise RuntimeError("another secret key")

    for tokens, status in ((nobody, "FAILED"), (broken, "PENDING")):
        sender = MessagesApi(tokens, url=twilio.origin)
        assert (await sent(service, sender))["status"] == status
        await sender.aclose()
    assert twilio.received == []
