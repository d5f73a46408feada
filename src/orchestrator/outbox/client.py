"""Sends status callbacks: how a request is built and signed, and what counts as delivered.

httpx's API on aiohttp's connections (docs/adr/0004). Sources: the contract's section on callbacks; contract 8.4 for
the headers, the GET form and the two timeouts; Twilio drops credentials and fragments from a webhook's URL and sends
the credentials as Basic authentication.
"""

import asyncio
import base64
import binascii
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from time import perf_counter
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

import aiohttp
import httpx
import orjson
from httpx_aiohttp import AiohttpTransport
from yarl import URL

from orchestrator.kernel.signing import sign, signed_url
from orchestrator.outbox.guard import AddressInfo, ForbiddenTarget, GuardedResolver, check_target, guarded_socket

USER_AGENT = "Orchestrator/0.1"

_BODY_LIMIT = 4096
_BODY_PATIENCE = 1.0
_ERROR_LENGTH = 300
# Shorter than the 5 s after which uvicorn and Node close an idle connection: reusing one just then loses the request.
_KEEP_ALIVE = 4.0
_RETRYABLE = frozenset({408, 425, 429})
# Beside httpx's own errors: its aiohttp transport lets through what it has no translation for.
_NETWORK_ERRORS = (httpx.HTTPError, aiohttp.ClientError, OSError)
_REFUSALS = (ForbiddenTarget, httpx.InvalidURL, httpx.UnsupportedProtocol, aiohttp.InvalidURL)


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """One signed request. `url` is spelled as it goes over the wire, because that spelling is what was signed."""

    url: str
    method: str
    body: bytes = field(repr=False)
    headers: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt."""

    status: int | None
    """The HTTP status, None without an answer."""
    error: str | None
    """Why the attempt failed, None if it did not."""
    duration_ms: float
    retry_after: float | None = None
    """The receiver's wish in seconds."""
    refused: bool = False
    """The attempt was never made, because the target is not a permitted one. Another attempt will not help."""

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def retryable(self) -> bool:
        if self.status is None:
            return not self.refused
        return self.status in _RETRYABLE or self.status >= 500


def build_request(
    url: str, method: str, body: bytes, auth_token: str, token: str, extra_headers: Mapping[str, str] | None = None
) -> CallbackRequest:
    """The signed request for one event and callback.

    `body` is the event's JSON; with GET it travels in the query. `token` is the idempotency token, the same for every
    attempt. The extra headers cannot replace ours. Raises ForbiddenTarget for a URL that cannot be parsed.
    """
    headers = {**(extra_headers or {}), "User-Agent": USER_AGENT, "I-Twilio-Idempotency-Token": token}
    target, credentials = _wire_url(url)
    if credentials is not None:
        headers["Authorization"] = credentials
    if method == "GET":
        target, _ = _wire_url(get_url(target, orjson.loads(body)))
        body = b""
    else:
        target = signed_url(target, body)
        headers["Content-Type"] = "application/json"
    headers["X-Twilio-Signature"] = sign(auth_token, target)
    return CallbackRequest(target, method, body, headers)


def get_url(url: str, payload: Mapping[str, Any]) -> str:
    """The URL of a GET callback: `eventType`, `timestamp` and `data` (as JSON) behind the URL's own parameters."""
    fields = {name: value if isinstance(value, str) else orjson.dumps(value).decode() for name, value in payload.items()}
    base = url.partition("#")[0]
    return f"{base}{'&' if '?' in base else '?'}{urlencode(fields, quote_via=quote)}"


def _wire_url(url: str) -> tuple[str, str | None]:
    """The URL exactly as it will be requested, and the Authorization header for the credentials it carried.

    httpx and aiohttp each normalise URLs a little (case, dots, needless percent signs). The receiver checks the
    signature against the URL that it saw, so both do their work before we sign, and find nothing to do afterwards.
    """
    try:
        parsed = httpx.URL(url)
        bare = parsed.copy_with(username=None, password=None, fragment=None)
        wire = str(URL(str(bare)))
    except (httpx.InvalidURL, ValueError) as error:
        raise ForbiddenTarget(f"not a valid URL: {error}") from error
    if not parsed.userinfo:
        return wire, None
    pair = f"{parsed.username}:{parsed.password}".encode()
    return wire, f"Basic {binascii.b2a_base64(pair, newline=False).decode()}"
