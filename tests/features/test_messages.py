"""Messages that are asked for as with Twilio: refused with its codes, captured once, told of to their callback."""

from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn
from urllib.parse import parse_qs

import pytest
from twilio.request_validator import RequestValidator

from orchestrator.messages import store
from tests.support import traffic
from tests.support.app import Service, running_service
from tests.support.clock import stop_clock
from tests.support.factories import make_configuration
from tests.support.messages import ask, asked, forget_messages, now, path, perform, post, step
from tests.support.receiver import Received, receiver
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, US

PICTURE = "https://example.com/parcel.jpg"
TEMPLATE = "HX0123456789abcdef0123456789abcdef"
LEASE = 90  # seconds
REFUSED: list[tuple[dict[str, Any], int]] = [
    ({"To": None}, 21604),
    ({"To": " "}, 21604),
    ({"To": "+1650"}, 21211),
    ({"To": "Kiran"}, 21211),
    ({"To": "whatsapp:"}, 21211),
    ({"From": None}, 21603),
    ({"From": None, "MessagingServiceSid": "MG0123456789abcdef0123456789abcdef"}, 21603),
    ({"From": "+x"}, 21212),
    ({"From": "messenger:4711"}, 21212),
    ({"To": f"whatsapp:{KIRAN}", "From": "whatsapp:Parcels"}, 21212),
    ({"From": f"whatsapp:{US}"}, 21910),
    ({"From": KIRAN}, 21266),
    ({"Body": None}, 21602),
    ({"Body": " \n"}, 21602),
    ({"Body": "x" * 1_601}, 21617),
    ({"MediaUrl": "parcel.jpg"}, 21620),
    ({"MediaUrl": [PICTURE] * 11}, 21623),
    ({"ContentSid": "hello"}, 21655),
    ({"ContentSid": TEMPLATE, "ContentVariables": "[]"}, 21656),
    ({"ContentSid": TEMPLATE, "ContentVariables": '{"1": "\\u0000"}'}, 21656),
    ({"StatusCallback": "ftp://example.com"}, 21609),
    ({"SendAt": "2030-01-01T00:00:00Z"}, 20001),
]


@pytest.fixture(autouse=True)
async def nothing_left(service: Service) -> None:
    await forget_messages(service)


class Killed(BaseException):
    """The process ends here, as far as the database can tell."""


def told(received: list[Received]) -> list[str]:
    """The statuses that came, in order of arrival."""
    return [parse_qs(one.body.decode())["MessageStatus"][0] for one in received]


async def test_what_makes_no_sense_is_refused_and_nothing_is_written(service: Service) -> None:
    before = await traffic.row_counts(service)
    for changes, code in REFUSED:
        response = await ask(service, **changes)
        assert (response.status_code, response.json()["code"]) == (400, code), (changes, response.text)
        assert response.json()["more_info"].endswith(f"/{code}")
    assert await traffic.row_counts(service) == before


async def test_bodies_are_forms_and_accounts_see_their_own(service: Service) -> None:
    assert (await post(service, "{}", "application/json")).status_code == 415
    assert (await post(service, "To=%ff")).status_code == 400
    message = await asked(service)
    async with service.client(await service.new_account()) as other:
        for method, url in (("GET", path(service)), ("GET", path(service, message["sid"])), ("POST", path(service))):
            response = await other.request(method, url)
            assert (response.status_code, response.json()["code"]) == (404, 20404)


async def test_they_are_listed_by_when_they_were_sent(service: Service) -> None:
    clock, sent = stop_clock(service), list[dict[str, Any]]()
    for _ in range(2):
        sent.append(await asked(service))
        await perform(service)
        clock.advance(days=1)
    await asked(service)  # not sent yet
    first, second = [parsedate_to_datetime((await now(service, one["sid"]))["date_sent"]) for one in sent]

    async def listed(name: str, value: str) -> list[int]:
        found = await traffic.get(service, path(service), **{name: value})
        return [[other["sid"] for other in sent].index(one["sid"]) for one in found["messages"]]

    for moment in (f"{first.date()}", f"{first:%Y-%m-%dT%H:%M:%SZ}", f"{first:%Y-%m-%dT%H:%M:%S}"):
        assert await listed("DateSent", moment) == await listed("DateSent<", moment) == [0]
        assert await listed("DateSent>", moment) == [1, 0]
    assert await listed("DateSent>", second.isoformat()) == await listed("DateSent>", f"{second.date()}") == [1]
    assert await listed("DateSent>", (second + timedelta(seconds=1)).isoformat()) == []
    assert await listed("DateSent<", f"{second.date()}") == [1, 0]
    for wrong in ("yesterday", "2026-02-30", "9999-12-31", "20260203", "\x00"):
        for name in ("DateSent", "DateSent<", "DateSent>"):
            assert refusal(await service.api.get(path(service), params={name: wrong}), 400, 20001)


async def test_a_message_that_was_delivered_is_redacted_and_deleted(service: Service) -> None:
    await make_configuration(service)
    sid = (await asked(service, ContentSid=TEMPLATE, ContentVariables='{"name": "Kiran"}'))["sid"]
    refusal(await post(service, "Body=", sid=sid), 409, 20009)
    refusal(await service.api.delete(path(service, sid)), 409, 20009)
    await perform(service)
    for form, code in (
        ("", 20001),
        ("Body=other", 20001),
        ("Status=canceled", 30409),
        ("Body=&Status=canceled", 30409),
    ):
        refusal(await post(service, form, sid=sid), 400, code)
    redacted = await post(service, "Body=", sid=sid)
    assert (redacted.status_code, redacted.json()["body"], redacted.json()["status"]) == (200, "", "delivered")
    (kept,) = await service.fetch("select body, content->'variables' as variables from messages where sid = $1", sid)
    assert tuple(kept) == ("", {})
    async with service.client(await service.new_account()) as other:
        assert (await other.delete(path(service, sid))).status_code == 404
    assert (await service.api.delete(path(service, sid))).status_code == 204
    for method in ("GET", "DELETE"):
        refusal(await service.api.request(method, path(service, sid)), 404, 20404)
    assert await traffic.texts(service) == [["your parcel has left"]]  # what was captured is the conversation's


async def test_callbacks_only_go_where_callbacks_may(database_url: str) -> None:
    async with running_service(database_url, mode="production", allow_insecure_callbacks=False) as strict:
        response = await ask(strict, StatusCallback="https://127.0.0.1/hook")
        assert response.json()["code"] == 21609


async def test_the_callback_is_told_of_sent_and_delivered_and_again_when_it_fails(service: Service) -> None:
    clock = stop_clock(service)
    async with receiver() as hook:
        url = hook.url("/status?order=4711")
        hook.answer = lambda _: 503 if len(hook.received) == 1 else 200
        message = await asked(service, StatusCallback=url)
        assert await perform(service) == 3
        assert (await now(service, message["sid"]))["status"] == "delivered"
        clock.advance(seconds=5)
        assert await perform(service) == 2
        assert told(hook.received) == ["sent", "sent", "delivered"]
        assert [one.token for one in hook.received] == [f"{message['sid']}-{one}" for one in told(hook.received)]
        for one in hook.received:
            form = {name: values[0] for name, values in parse_qs(one.body.decode()).items()}
            validator = RequestValidator(service.account.auth_token)
            assert validator.validate(url, form, one.headers["X-Twilio-Signature"])
            assert (form["MessageSid"], form["SmsSid"], form["To"], form["From"]) == (
                message["sid"],
                message["sid"],
                KIRAN,
                US,
            )
            assert form["AccountSid"] == service.account.account_id
    assert await perform(service) == 0


async def test_a_callback_that_is_not_there_holds_up_nothing(service: Service) -> None:
    clock = stop_clock(service)
    async with receiver() as hook:
        gone = await asked(service, StatusCallback=hook.url("/gone"))
        hook.answer = lambda _: 410
        await perform(service)
        assert told(hook.received) == ["sent", "delivered"]  # what cannot succeed is not repeated
        hook.answer = lambda _: 500
        await asked(service, StatusCallback=hook.url("/broken#rc=1"))
        for _ in range(4):
            await perform(service)
            clock.advance(seconds=40)
        assert told(hook.received[2:]) == ["sent", "sent", "delivered", "delivered"]
    assert (await now(service, gone["sid"]))["status"] == "delivered"


async def test_a_message_is_captured_once_whoever_tells_of_it(service: Service) -> None:
    await make_configuration(service)
    first, second = await asked(service, Body="one"), await asked(service, Body="two")
    webhook = {"MessageSid": first["sid"], "Direction": "outbound-api"}
    await traffic.message(service, US, KIRAN, "one", **webhook)
    await perform(service)
    webhook["MessageSid"] = second["sid"]
    await traffic.message(service, US, KIRAN, "two", **webhook)
    (texts,) = await traffic.texts(service)
    assert sorted(texts) == ["one", "two"]
    assert await traffic.uncaptured(service) == []


async def test_messages_of_two_are_in_the_order_in_which_they_were_asked_for(service: Service) -> None:
    await make_configuration(service)
    wanted = [f"part {number}" for number in range(5)]
    for text in wanted:
        await asked(service, Body=text)
    await perform(service)
    assert await traffic.texts(service) == [wanted]


async def test_the_worker_sends_at_once(database_url: str) -> None:
    async with running_service(database_url, worker=True, perform_interval=3_600.0) as working, receiver() as hook:
        message = await asked(working, StatusCallback=hook.url())
        await hook.until(2)
        assert (await now(working, message["sid"]))["status"] == "delivered"
        assert told(hook.received) == ["sent", "delivered"]


async def test_what_no_rule_wants_is_sent_all_the_same(service: Service) -> None:
    message = await asked(service)
    picture = await asked(service, Body=None, MediaUrl=PICTURE)
    await perform(service)
    assert [(await now(service, one["sid"]))["status"] for one in (message, picture)] == ["delivered"] * 2
    assert (picture["sid"][:2], picture["num_media"], picture["body"]) == ("MM", "1", None)
    uncaptured = await traffic.uncaptured(service)
    assert [one["origin"] for one in uncaptured] == ["MESSAGES_API"] * 2
    assert {one["reason"] for one in uncaptured} == {
        "the account has no configuration",
        "the message has no text; media alone is not captured",
    }


async def test_short_codes_and_names_may_send(service: Service) -> None:
    senders = ["12345", "Parcels"]
    assert [(await asked(service, From=one))["from"] for one in senders] == senders
    business = await asked(service, From="rcs:parcels_agent", To=f"rcs:{KIRAN}")
    assert (business["from"], business["to"]) == ("rcs:parcels_agent", f"rcs:{KIRAN}")


async def test_a_template_is_shown_by_its_name(service: Service) -> None:
    await make_configuration(service)
    await asked(service, Body=None, ContentSid=TEMPLATE, ContentVariables='{"name": "Kiran"}')
    await perform(service)
    assert await traffic.texts(service) == [[f"Template {TEMPLATE} (name: Kiran)"]]


async def test_a_worker_that_dies_while_it_captures_leaves_nothing_half_done(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = stop_clock(service)
    await make_configuration(service)
    await asked(service)

    async def die(*_: object) -> NoReturn:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(store, "captured", die)
        with pytest.raises(Killed):
            await step(service)
    assert await traffic.conversations(service) == []
    clock.advance(seconds=LEASE)
    await perform(service)
    assert await traffic.texts(service) == [["your parcel has left"]]


async def test_workers_that_die_lose_nothing_and_repeat_nothing(service: Service) -> None:
    """Before each step: to capture, to deliver."""
    clock = stop_clock(service)
    await make_configuration(service)
    message = await asked(service)
    for status in ("queued", "sent"):
        assert (await step(service, dying=True)).sid == message["sid"]
        assert await perform(service) == 0
        assert (await now(service, message["sid"]))["status"] == status
        clock.advance(seconds=LEASE)
        await step(service)
    assert await perform(service) == 0
    assert (await now(service, message["sid"]))["status"] == "delivered"
    (conversation,) = await traffic.conversations(service)
    (communication,) = await traffic.communications(service, conversation)
    assert communication["recipients"][0]["deliveryStatus"] == "DELIVERED"
