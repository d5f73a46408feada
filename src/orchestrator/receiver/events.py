"""One event: proved to come from the service when a callback brought it, or read from the event log."""

import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from orchestrator.kernel import callback_signing as signatures
from orchestrator.kernel import signing
from orchestrator.kernel.clock import Clock
from orchestrator.kernel.signing import Algorithm


class NotGenuine(ValueError):
    """The request is no callback of the account; the message says why, and holds no secret. Answer 403."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a conversation."""

    conversation_id: str
    sequence: int
    """In the conversation, from 1 without gaps."""
    type: str
    timestamp: str
    data: dict[str, Any]
    """The conversation, participant or communication as it was then."""
    token: str | None = None
    """The callback's idempotency token: one for each event and callback URL. None when the event log brought it."""

    @property
    def id(self) -> str:
        """What makes it the same event, whichever callback or the event log brings it."""
        return f"{self.conversation_id}:{self.sequence}"


def verify(
    auth_tokens: str | Iterable[str],
    url: str,
    headers: Mapping[str, str],
    body: bytes = b"",
    *,
    tolerance: timedelta | None = None,
    now: datetime | None = None,
) -> Event:
    """The event of a callback. Raises NotGenuine for whatever the account has not signed.

    Several auth tokens are tried in turn, for the time in which the account's is rotated. The URL is the full one as
    the service called it, with its query; behind a proxy that is the public one. The body is the one that came, byte
    for byte; nothing for a GET. `tolerance` demands the Standard Webhooks headers too, and refuses what was sent longer
    ago than that, or as far in the future; `now` is the time if it is not the system's.
    """
    given = {name.lower(): value for name, value in headers.items()}
    tokens = (auth_tokens,) if isinstance(auth_tokens, str) else tuple(auth_tokens)
    auth_token = next((token for token in tokens if _is_signed(token, url, given, body)), None)
    if auth_token is None:
        raise NotGenuine("X-Twilio-Signature is missing, or of another auth token, URL or body")
    _check_place(auth_token, given)
    if tolerance is not None:
        _check_time(auth_token, given, body, tolerance, now or Clock().now())
    return _event(url, given, body)


def event_from_log(entry: Mapping[str, Any]) -> Event:
    """An entry of the event log."""
    return Event(
        entry["conversationId"], entry["sequence"], entry["eventType"], entry["timestamp"], entry["data"], token=None
    )


def _is_signed(auth_token: str, url: str, headers: Mapping[str, str], body: bytes) -> bool:
    secret, algorithm = _variant(auth_token, headers)
    given = headers.get("x-twilio-signature", "")
    return bool(auth_token) and signing.verify(secret, url, given, params=(), body=body, algorithm=algorithm)


def _variant(auth_token: str, headers: Mapping[str, str]) -> tuple[str, Algorithm]:
    settings = headers.get(signatures.TWILIO_SETTINGS.lower())
    if settings is None:
        return auth_token, "HMAC_SHA1"
    # Whatever the header says, the key that belongs to the stronger algorithm is all that is tried.
    return signatures.shared_key(auth_token).secret, "HMAC_SHA256"


def _check_place(auth_token: str, headers: Mapping[str, str]) -> None:
    """Which event it is, and the idempotency token, are signed apart: Twilio's signature does not cover headers."""
    event_id, token = _required(headers, signatures.EVENT_ID), _required(headers, signatures.IDEMPOTENCY)
    expected = signatures.event_signature(auth_token, event_id, token, headers["x-twilio-signature"])
    if not _same(_required(headers, signatures.EVENT_SIGNATURE), expected):
        raise NotGenuine("Orchestrator-Signature does not fit the event's id, the idempotency token or the request")


def _check_time(auth_token: str, headers: Mapping[str, str], body: bytes, tolerance: timedelta, now: datetime) -> None:
    token, seconds = _required(headers, signatures.STANDARD_ID), _required(headers, signatures.STANDARD_TIMESTAMP)
    expected = signatures.standard_signature(auth_token, token, seconds, body)
    entries = _required(headers, signatures.STANDARD_SIGNATURE).split(" ")
    if token != headers[signatures.IDEMPOTENCY.lower()] or not any(_same(entry, expected) for entry in entries):
        raise NotGenuine("webhook-signature does not fit the id, the timestamp or the body")
    if abs(now.timestamp() - int(seconds)) > tolerance.total_seconds():  # it is signed, so it is a number
        raise NotGenuine("webhook-timestamp is too far from the time here")


def _event(url: str, headers: Mapping[str, str], body: bytes) -> Event:
    conversation_id, _, sequence = headers[signatures.EVENT_ID.lower()].rpartition(":")
    if body:
        content = json.loads(body)
    else:
        query = parse_qs(urlsplit(url).query)
        content = {name: query[name][-1] for name in ("eventType", "timestamp")}
        content["data"] = json.loads(query["data"][-1])
    return Event(
        conversation_id,
        int(sequence),
        content["eventType"],
        content["timestamp"],
        content["data"],
        headers[signatures.IDEMPOTENCY.lower()],
    )


def _required(headers: Mapping[str, str], name: str) -> str:
    value = headers.get(name.lower())
    if not value:
        raise NotGenuine(f"the header {name} is missing")
    return value


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(errors="replace"), other.encode())
