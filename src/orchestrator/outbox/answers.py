"""What comes back from a callback: what counts as delivered, what is tried again, what is kept of an answer."""

import asyncio
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import httpx

BODY_LIMIT = 4096
"""Bytes of an answer that are read; a connection with more to come is not used again."""
_BODY_PATIENCE = 1.0  # seconds
_BODY_KEPT = 1024  # bytes
_HEADERS_KEPT = {"content-type", "content-length", "location", "retry-after", "server", "www-authenticate"}
_HEADER_KEPT = 256  # characters
# The transport lets through what it has no translation for. Timeouts are OSErrors; it stumbles over reason phrases
# that are not UTF-8.
NETWORK_ERRORS = (httpx.HTTPError, aiohttp.ClientError, OSError, UnicodeError)
_KINDS = (
    (aiohttp.ConnectionTimeoutError, "timeout: no connection"),
    (TimeoutError, "timeout: no answer"),
    (aiohttp.ClientConnectorDNSError, "dns"),
    (aiohttp.ClientSSLError, "tls"),
    (aiohttp.ClientConnectorError, "connect"),
    (aiohttp.ClientResponseError, "not HTTP"),
    (UnicodeError, "not HTTP"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt."""

    status: int | None
    """The HTTP status; None without an answer."""
    error: str | None
    """Why the attempt failed; None if it did not."""
    duration_ms: float
    retry_after: float | None = None
    """Seconds the receiver asks us to wait."""
    refused: bool = False
    """Nothing was sent, because the target is not permitted. Another attempt would not help."""
    response: dict[str, Any] | None = None
    """How the answer begins: `reason`, some `headers`, the first KiB of the `body` as text. None without an answer."""

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def retryable(self) -> bool:
        if self.status is None:
            return not self.refused
        return self.status in (408, 425, 429) or self.status >= 500


async def beginning(response: httpx.Response) -> bytes:
    """Read a short body, so that the connection can be used again; hang up on a long or slow one.

    The status has already decided the outcome, so whatever happens to the body is no failure.
    """
    received = b""
    try:
        async with asyncio.timeout(_BODY_PATIENCE):
            async for chunk in response.aiter_raw():
                received += chunk
                if len(received) > BODY_LIMIT:
                    break
    except NETWORK_ERRORS:
        pass
    finally:
        await response.aclose()
    return received[:_BODY_KEPT]


def told(response: httpx.Response, body: bytes) -> dict[str, Any]:
    """How an answer begins, in text that can be stored."""
    headers = ((name.lower().decode("latin-1"), value) for name, value in response.headers.raw)
    return {
        "reason": _storable(response.reason_phrase),
        "headers": {name: _storable(value.decode("latin-1")) for name, value in headers if name in _HEADERS_KEPT},
        "body": body.decode(errors="replace").replace("\x00", "?"),
    }


def _storable(text: str) -> str:
    return text[:_HEADER_KEPT].encode(errors="replace").decode().replace("\x00", "?")


def reason(error: BaseException) -> str:
    """One line without the URL, which may hold secrets."""
    # httpx's own class says little: its aiohttp transport calls every failed or lost connection a ConnectTimeout.
    cause = error.__cause__ if isinstance(error, httpx.HTTPError) and error.__cause__ else error
    kind = next((name for family, name in _KINDS if isinstance(cause, family)), "network")
    if isinstance(cause, TimeoutError):
        return kind
    if isinstance(cause, aiohttp.ClientResponseError):
        text = cause.message
    else:
        text = str(cause.os_error if isinstance(cause, aiohttp.ClientConnectorError) else cause)
    line = " ".join(f"{kind}: {text or type(cause).__name__}".split())[:300]
    return line.encode(errors="replace").decode().replace("\x00", "?")  # receivers are quoted; it is to be stored


def retry_after(headers: httpx.Headers) -> float | None:
    """The `Retry-After` of an answer, in seconds. A date counts from the answer's own `Date`, not from our clock."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return float(value)
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers["date"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return max(0.0, wait.total_seconds())
