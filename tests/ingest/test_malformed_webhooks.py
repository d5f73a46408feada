"""Webhooks that are signed but make no sense: refused with the field's name, and nothing is written."""

import json
from collections.abc import AsyncIterator
from itertools import product
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support import traffic
from tests.support.app import ORIGIN, Service, running_service
from tests.support.factories import make_configuration
from tests.support.traffic import KIRAN, US
from tests.support.webhooks import MESSAGES, STATUS, VOICE, error, message_form, post, post_form, post_json, signature

IMPOSSIBLE = ("+abc", "+123456", "+1234567890123456", "a" * 255, "whatsapp:+12", "a\tb", "whatsapp:", "rcs: ")


async def test_a_missing_field_is_named(service: Service) -> None:
    before = await traffic.landed_counts(service)
    for field, value in product(("From", "To", "MessageSid"), (None, "", "  ")):
        body = error(await post_form(service, message_form(service, **{field: value})), 400, 20001)
        assert body["message"] == f"/{field}: this field is required"
        assert body["params"] == {"field": f"/{field}"}
    assert await traffic.landed_counts(service) == before


async def test_an_impossible_address_is_named(service: Service) -> None:
    before = await traffic.landed_counts(service)
    for field, address in product(("From", "To"), IMPOSSIBLE):
        body = error(await post_form(service, message_form(service, **{field: address})), 400, 20001)
        assert body["message"].startswith(f"/{field}: ")
        assert body["params"]["field"] == f"/{field}"
    assert await traffic.landed_counts(service) == before


async def test_the_longest_address_is_admitted(service: Service) -> None:
    await make_configuration(service)
    await traffic.message(service, "a" * 254, US)
    assert traffic.member(await traffic.only_conversation(service), "a" * 254)["type"] == "CUSTOMER"


async def test_older_names_of_the_message_sid_do(service: Service) -> None:
    await make_configuration(service)
    names = ["MessageSid", "SmsMessageSid", "SmsSid"]
    for name in names:
        form = {**message_form(service, MessageSid=None), name: f"SM-{name}"}
        assert (await post_form(service, form)).status_code == 200
    (said,) = await traffic.everything_said(service)
    assert [one["resourceId"] for one in said] == [f"SM-{name}" for name in names]


async def test_an_absurdly_long_sid_is_named(service: Service) -> None:
    fields = message_form(service, MessageStatus="sent", CallSid="CA1")
    for path, field in ((MESSAGES, "MessageSid"), (STATUS, "MessageSid"), (VOICE, "CallSid")):
        assert (await post_form(service, {**fields, field: "\U0001f600" * 255}, path=path)).status_code == 200
        before = await traffic.landed_counts(service)
        body = error(await post_form(service, {**fields, field: "x" * 256}, path=path), 400, 20001)
        assert body["message"].startswith(f"/{field}: ")
        assert await traffic.landed_counts(service) == before


async def test_malformed_json_is_refused(service: Service) -> None:
    before = await traffic.row_counts(service)
    for body in (b"", b"{", b'{"From": "\xff"}', b"[]", b'"text"', b"null", b'{"Body": "\\ud800"}'):
        error(await post_json(service, body), 400, 20001)
    assert await traffic.row_counts(service) == before


async def test_a_form_that_is_not_utf_8_is_refused(service: Service) -> None:
    form = message_form(service)
    signed = signature(service, ORIGIN + MESSAGES, form)
    before = await traffic.row_counts(service)
    body = urlencode(form).encode() + b"&Note=\xff"
    assert "form" in error(await post(service, body, signed=signed), 400, 20001)["message"]
    assert await traffic.row_counts(service) == before


async def test_a_form_of_too_many_fields_is_refused(service: Service) -> None:
    body = "&".join(f"f{number}=" for number in range(1001)).encode()
    error(await post(service, body), 400, 20001)


async def test_other_content_types_are_refused(service: Service) -> None:
    body = urlencode(message_form(service)).encode()
    for content_type in (None, "text/plain", "multipart/form-data; boundary=x", "application/xml"):
        error(await post(service, body, content_type=content_type), 415, 20415)


async def pieces(body: bytes) -> AsyncIterator[bytes]:
    """A body whose length nobody announces."""
    for start in range(0, len(body), 400):
        yield body[start : start + 400]


@pytest.mark.parametrize("announced", [True, False])
async def test_an_oversized_body_is_refused(database_url: str, *, announced: bool) -> None:
    async with running_service(database_url, max_body_bytes=2048) as service:
        before = await traffic.row_counts(service)
        form = message_form(service, Body="x" * 2048)
        body = urlencode(form).encode()
        signed = signature(service, ORIGIN + MESSAGES, form)
        answer = await post(service, body if announced else pieces(body), signed=signed)
        assert "2048" in error(answer, 413, 20413)["message"]
        assert await traffic.row_counts(service) == before


async def test_a_body_of_the_allowed_size_is_admitted_in_pieces(service: Service) -> None:
    form = message_form(service, Body="x" * 5000)
    signed = signature(service, ORIGIN + MESSAGES, form)
    assert (await post(service, pieces(urlencode(form).encode()), signed=signed)).status_code == 200


async def test_a_very_long_text_is_kept_whole(service: Service) -> None:
    await make_configuration(service)
    await traffic.message(service, KIRAN, US, "é" * 100_000)
    assert await traffic.texts(service) == [["é" * 100_000]]


async def test_a_text_beyond_the_limit_is_refused(service: Service) -> None:
    before = await traffic.landed_counts(service)
    body = error(await post_form(service, message_form(service, Body="x" * 8_388_609)), 400, 20001)
    assert body["params"]["field"] == "/Body"
    assert await traffic.landed_counts(service) == before


@pytest.mark.parametrize("as_json", [True, False])
async def test_nul_characters_are_replaced(service: Service, *, as_json: bool) -> None:
    await make_configuration(service)
    form: dict[str, Any] = message_form(service, Body="a\x00b", MessageSid="SM\x00")
    answer = await (post_json(service, json.dumps(form).encode()) if as_json else post_form(service, form))
    assert answer.status_code == 200
    ((said,),) = await traffic.everything_said(service)
    assert (said["content"]["text"], said["resourceId"]) == ("a\ufffdb", "SM\ufffd")


async def test_only_post_is_possible(service: Service) -> None:
    for path, method in product((MESSAGES, STATUS, VOICE), ("GET", "PUT", "DELETE")):
        answer = await service.api.request(method, path)
        assert method in error(answer, 405, 20004)["message"]
        assert answer.headers["Allow"] == "POST"


async def test_an_unknown_webhook_is_not_found(service: Service) -> None:
    error(await post(service, b"", path="/ingest/twilio/faxes"), 404, 20404)
