"""Asks the extractor: one POST, and what counts as an answer.

httpx's API on aiohttp's connections (docs/adr/0004). The URL is the operator's own, so it may lead into a private
network.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Protocol

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from orchestrator.outbox.answers import retry_after
from orchestrator.outbox.client import USER_AGENT

MOST_BYTES = 1024 * 1024
"""Of an answer."""
CONNECT_TIMEOUT = 5.0
"""Seconds for a connection: name lookup, TCP and TLS."""

_PIECE = 256 * 1024  # bytes
_REPEATABLE = (408, 425, 429)
_MISCONFIGURED = (httpx.InvalidURL, httpx.UnsupportedProtocol, aiohttp.InvalidURL)
# As in `outbox.client`: the transport lets through what it has no translation for.
_NETWORK_ERRORS = (httpx.HTTPError, aiohttp.ClientError, OSError, UnicodeError)


class NotNow(Exception):
    """There was no answer that could be used; there may be one another time. The text says what happened."""

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        """Seconds the extractor asks us to wait."""


class Refused(Exception):
    """The extractor does not take the request, and would not another time. The text says why."""


class Extractor(Protocol):
    """Says what is worth remembering. No transaction is open meanwhile."""

    async def ask(self, body: bytes, *, key: str) -> bytes:
        """The body of the answer. The same key is the same question. Raises NotNow, Refused."""

    async def aclose(self) -> None:
        """Free what is held."""


class ExtractorApi:
    """The extractor behind a URL."""

    def __init__(self, url: str, *, token: str | None = None, timeout: float = 60.0) -> None:
        """`timeout` in seconds, for the whole of a request."""
        self._url = url
        self._headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": USER_AGENT,
            **({} if token is None else {"Authorization": f"Bearer {token}"}),
        }
        self._timeout = timeout
        self._ssl_context: ssl.SSLContext = httpx.create_ssl_context()
        self._http = httpx.AsyncClient(
            transport=AiohttpTransport(verify=self._ssl_context, client=self._open_session),
            timeout=httpx.Timeout(timeout, connect=CONNECT_TIMEOUT, pool=CONNECT_TIMEOUT),
            follow_redirects=False,
            trust_env=False,
        )

    def _open_session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(ssl=self._ssl_context, limit=0, force_close=True)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    async def ask(self, body: bytes, *, key: str) -> bytes:
        headers = {**self._headers, "Idempotency-Key": key, "Content-Length": str(len(body))}
        try:
            async with asyncio.timeout(self._timeout):
                async with self._http.stream("POST", self._url, content=_pieces(body), headers=headers) as response:
                    _check(response.status_code, response.headers)
                    return await _content(response)
        except _MISCONFIGURED as error:
            raise Refused("the extractor's URL cannot be requested") from error
        except _NETWORK_ERRORS as error:
            raise NotNow(_reason(error)) from error

    async def aclose(self) -> None:
        await self._http.aclose()


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    """aiohttp warns of large bodies in one piece, which hold up the event loop while they are copied."""
    for start in range(0, len(body), _PIECE):
        yield body[start : start + _PIECE]


def _check(status: int, headers: Mapping[str, str]) -> None:
    if 200 <= status < 300:
        return
    if status in _REPEATABLE or status >= 500:
        raise NotNow(f"HTTP {status}", retry_after=retry_after(httpx.Headers(headers)))
    raise Refused(f"HTTP {status}")


async def _content(response: httpx.Response) -> bytes:
    received = bytearray()
    async for piece in response.aiter_raw():
        received += piece
        if len(received) > MOST_BYTES:
            raise NotNow(f"the answer is longer than {MOST_BYTES} bytes")
    return bytes(received)


def _reason(error: BaseException) -> str:
    """One line without the URL."""
    # httpx's own class says little: its aiohttp transport calls every failed or lost connection a ConnectTimeout.
    cause = error.__cause__ if isinstance(error, httpx.HTTPError) and error.__cause__ else error
    if isinstance(cause, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)):
        return f"no connection to the extractor: {type(cause).__name__}"
    if isinstance(cause, TimeoutError):
        return "the extractor did not answer in time"
    return f"the connection to the extractor was lost: {type(cause).__name__}"
