"""Webhooks byte by byte, for tests of what is admitted and what is refused."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
from twilio.request_validator import RequestValidator

from orchestrator.kernel.ids import new_sid
from tests.support.app import ORIGIN, Service
from tests.support.traffic import KIRAN, US

MESSAGES = "/ingest/twilio/messages"
STATUS = "/ingest/twilio/message-status"
VOICE = "/ingest/twilio/voice"
FORM = "application/x-www-form-urlencoded"


def message_form(service: Service, **changes: str | None) -> dict[str, str]:
    """A complete message of the account; None leaves a field out."""
    fields: dict[str, str | None] = {
        "AccountSid": service.account.account_id,
        "MessageSid": new_sid("SM"),
        "From": KIRAN,
        "To": US,
        "Body": "hello",
        "NumMedia": "0",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def signature(service: Service, url: str, form: Mapping[str, str] | None = None, *, token: str | None = None) -> str:
    """What Twilio would send as X-Twilio-Signature."""
    return str(RequestValidator(token or service.account.auth_token).compute_signature(url, form or {}))


def digest_query(body: bytes) -> str:
    """The query that a signed JSON webhook has."""
    return f"bodySHA256={hashlib.sha256(body).hexdigest()}"


async def post(
    service: Service,
    body: bytes | AsyncIterator[bytes],
    *,
    path: str = MESSAGES,
    signed: str | None = None,
    content_type: str | None = FORM,
    **headers: str,
) -> httpx.Response:
    """Post bytes as they are."""
    given = {"Content-Type": content_type, "X-Twilio-Signature": signed, **headers}
    return await service.api.post(
        path, content=body, headers={name: value for name, value in given.items() if value is not None}
    )


async def post_form(
    service: Service, form: Mapping[str, str], *, path: str = MESSAGES, token: str | None = None, **headers: str
) -> httpx.Response:
    """Post a form with a right signature, or one made with another token."""
    signed = signature(service, ORIGIN + path, form, token=token)
    return await post(service, urlencode(form).encode(), path=path, signed=signed, **headers)


async def post_json(service: Service, body: bytes, *, path: str = MESSAGES) -> httpx.Response:
    """Post JSON with a right signature."""
    return await service.post_webhook_json(path, body)


def error(response: httpx.Response, status: int, code: int) -> dict[str, Any]:
    """Twilio's error body, checked as far as it is the same for every error."""
    assert response.headers["content-type"] == "application/json"
    assert response.headers["Twilio-Request-Id"].startswith("RQ")
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["code"]) == (status, code), body
    assert set(body) - {"params", "details"} == {
        "code",
        "message",
        "more_info",
        "status",
        "httpStatusCode",
        "userError",
    }
    assert (body["status"], body["httpStatusCode"], body["userError"]) == (status, status, status < 500)
    assert body["more_info"] == f"https://www.twilio.com/docs/errors/{code}"
    return body
