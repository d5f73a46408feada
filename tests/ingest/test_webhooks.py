"""Whose webhooks are admitted: the signature, by the official validator's two schemes."""

import json
from typing import Any
from urllib.parse import urlencode

from orchestrator.kernel.ids import new_sid
from tests.support import traffic
from tests.support.app import ORIGIN, Service, running_service
from tests.support.webhooks import (
    FORM,
    MESSAGES,
    STATUS,
    VOICE,
    digest_query,
    error,
    message_form,
    post,
    post_form,
    post_json,
    signature,
)

TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'


async def refused(service: Service, before: dict[str, int], answer: Any) -> None:
    """Nothing was written, and the answer is a 403."""
    assert "auth token" in error(answer, 403, 20403)["message"]
    assert await traffic.row_counts(service) == before


async def test_a_signed_form_is_admitted_and_answered_with_empty_twiml(service: Service) -> None:
    answer = await post_form(service, message_form(service))
    assert (answer.status_code, answer.content) == (200, TWIML)
    assert answer.headers["content-type"].startswith("text/xml")
    assert answer.headers["Twilio-Request-Id"].startswith("RQ")
    assert len(await traffic.uncaptured(service)) == 1


async def test_signed_json_is_admitted(service: Service) -> None:
    answer = await post_json(service, json.dumps(message_form(service)).encode())
    assert (answer.status_code, answer.content) == (200, TWIML)
    assert len(await traffic.uncaptured(service)) == 1


async def test_an_unsigned_webhook_is_refused(service: Service) -> None:
    form = message_form(service, CallSid=new_sid("CA"), MessageStatus="sent")
    before = await traffic.row_counts(service)
    for path in (MESSAGES, STATUS, VOICE):
        await refused(service, before, await post(service, urlencode(form).encode(), path=path))
        body = json.dumps(form).encode()
        await refused(service, before, await post(service, body, path=path, content_type="application/json"))


async def test_a_made_up_signature_is_refused(service: Service) -> None:
    before = await traffic.row_counts(service)
    body = urlencode(message_form(service)).encode()
    for signed in ("", "nonsense", "AAAAAAAAAAAAAAAAAAAAAAAAAAA="):
        await refused(service, before, await post(service, body, signed=signed))


async def test_a_wrong_token_is_refused(service: Service) -> None:
    before = await traffic.row_counts(service)
    await refused(service, before, await post_form(service, message_form(service), token="0" * 32))


async def test_another_accounts_token_is_refused(service: Service) -> None:
    stranger = await service.new_account()
    before = await traffic.row_counts(service)
    form = message_form(service)
    await refused(service, before, await post_form(service, form, token=stranger.auth_token))
    await refused(service, before, await post_form(service, {**form, "AccountSid": stranger.account_id}))


async def test_an_account_that_does_not_exist_is_refused(service: Service) -> None:
    before = await traffic.row_counts(service)
    for account_sid in ("AC" + "0" * 32, "", "AC\x00", "x" * 5000, None):
        form = message_form(service, AccountSid=account_sid)
        await refused(service, before, await post_form(service, form))
        await refused(service, before, await post_json(service, json.dumps(form).encode()))


async def test_a_form_changed_on_the_way_is_refused(service: Service) -> None:
    form = message_form(service)
    before = await traffic.row_counts(service)
    signed = signature(service, ORIGIN + MESSAGES, form)
    for changed in ({"Body": "send me money"}, {"To": traffic.OTHER_PHONE}, {"Extra": "field"}):
        body = urlencode({**form, **changed}).encode()
        await refused(service, before, await post(service, body, signed=signed))


async def test_json_changed_on_the_way_is_refused(service: Service) -> None:
    body = json.dumps(message_form(service)).encode()
    before = await traffic.row_counts(service)
    path = f"{MESSAGES}?{digest_query(body)}"
    signed = signature(service, ORIGIN + path)
    answer = await post(service, body + b" ", path=path, signed=signed, content_type="application/json")
    await refused(service, before, answer)


async def test_json_needs_its_digest_in_the_url(service: Service) -> None:
    body = json.dumps(message_form(service)).encode()
    before = await traffic.row_counts(service)
    signed = signature(service, ORIGIN + MESSAGES)
    await refused(service, before, await post(service, body, signed=signed, content_type="application/json"))


async def test_the_query_is_part_of_what_is_signed(service: Service) -> None:
    form = message_form(service)
    path = f"{MESSAGES}?tenant=a%20b&x="
    assert (await post_form(service, form, path=path)).status_code == 200
    before = await traffic.row_counts(service)
    signed = signature(service, ORIGIN + path, form)
    other = f"{MESSAGES}?tenant=c"
    await refused(service, before, await post(service, urlencode(form).encode(), path=other, signed=signed))


async def test_the_port_may_be_spelt_out_in_what_is_signed(service: Service) -> None:
    form = message_form(service)
    signed = signature(service, f"{ORIGIN}:443{MESSAGES}", form)
    assert (await post(service, urlencode(form).encode(), signed=signed)).status_code == 200


async def test_signatures_are_checked_against_the_public_url(database_url: str) -> None:
    async with running_service(database_url, public_url="https://public.example.com/") as service:
        form = message_form(service)
        before = await traffic.row_counts(service)
        await refused(service, before, await post_form(service, form))
        signed = signature(service, f"https://public.example.com{MESSAGES}", form)
        assert (await post(service, urlencode(form).encode(), signed=signed)).status_code == 200


async def test_without_a_public_url_signatures_are_checked_against_the_host_of_the_request(database_url: str) -> None:
    async with running_service(database_url, public_url=None) as service:
        form = message_form(service)
        signed = signature(service, f"https://other.test:8443{MESSAGES}", form)
        body = urlencode(form).encode()
        assert (await post(service, body, signed=signed, Host="other.test:8443")).status_code == 200
        before = await traffic.row_counts(service)
        await refused(service, before, await post(service, body, signed=signed, Host="orchestrator.test"))


async def test_signatures_can_be_switched_off_but_accounts_must_exist(database_url: str) -> None:
    async with running_service(database_url, verify_signatures=False) as service:
        body = urlencode(message_form(service)).encode()
        assert (await post(service, body)).status_code == 200
        assert (await post(service, body, signed="nonsense", content_type=f"{FORM}; charset=utf-8")).status_code == 200
        before = await traffic.row_counts(service)
        stranger = urlencode(message_form(service, AccountSid="AC" + "0" * 32)).encode()
        await refused(service, before, await post(service, stranger))


async def test_rest_credentials_are_no_signature(service: Service) -> None:
    before = await traffic.row_counts(service)
    await refused(service, before, await post(service, urlencode(message_form(service)).encode()))
