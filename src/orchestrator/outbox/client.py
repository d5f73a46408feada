"""Sends status callbacks: how a request is built and signed, and what counts as delivered.

httpx's API on aiohttp's connections (docs/adr/0004). Sources: the contract's section on callbacks (signature, what is
tried again) and its section 8.4 (headers, the GET form, both timeouts, credentials in the URL become Basic
authentication, the fragment is dropped).
"""

import asyncio
import base64
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
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
from orchestrator.outbox.answers import BODY_LIMIT, NETWORK_ERRORS, Outcome, beginning, reason, retry_after, told
from orchestrator.outbox.guard import AddressInfo, ForbiddenTarget, GuardedResolver, check_target, guarded_socket
from orchestrator.outbox.overrides import Overrides

USER_AGENT = "Orchestrator/0.1"

_PIECE = 256 * 1024  # bytes
# Less than the 5 s after which uvicorn and Node close an idle connection: a request sent just then would be lost.
_KEEP_ALIVE = 4.0
_REFUSALS = (ForbiddenTarget, httpx.InvalidURL, httpx.UnsupportedProtocol, aiohttp.InvalidURL)

_AS_SET = Overrides()


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """One signed request. `url` is spelled as it goes over the wire, because that spelling is what was signed."""

    url: str
    method: str
    body: bytes = field(repr=False)
    headers: dict[str, str] = field(repr=False)


def build_request(
    url: str, method: str, body: bytes, auth_token: str, token: str, extra_headers: Mapping[str, str] | None = None
) -> CallbackRequest:
    """The signed request for one event and one callback.

    `body` is the event's JSON; with GET it travels in the query. `token` is the idempotency token, the same for every
    attempt. The extra headers cannot replace ours. Raises ForbiddenTarget for a URL that cannot be parsed.
    """
    ours = {"User-Agent": USER_AGENT, "I-Twilio-Idempotency-Token": token}
    target, credentials = _target(url)
    if credentials:
        ours["Authorization"] = credentials
    if method == "GET":
        target = _on_the_wire(get_url(target, orjson.loads(body)))
        body = b""
    else:
        target = signed_url(target, body)
        ours["Content-Type"] = "application/json"
    ours["X-Twilio-Signature"] = sign(auth_token, target)
    taken = {name.lower() for name in ours}
    extra = {name: value for name, value in (extra_headers or {}).items() if name.lower() not in taken}
    return CallbackRequest(target, method, body, ours | extra)


def build_form_request(url: str, fields: Sequence[tuple[str, str]], token: str) -> CallbackRequest:
    """The request that posts a form, for the caller to sign. Raises ForbiddenTarget as `build_request`."""
    target, credentials = _target(url)
    headers = {
        "User-Agent": USER_AGENT,
        "I-Twilio-Idempotency-Token": token,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    if credentials:
        headers["Authorization"] = credentials
    return CallbackRequest(target, "POST", urlencode(fields).encode(), headers)


def get_url(url: str, payload: Mapping[str, Any]) -> str:
    """The URL of a GET callback: `eventType`, `timestamp` and `data` (as JSON) after the URL's own parameters."""
    fields = {name: value if isinstance(value, str) else orjson.dumps(value) for name, value in payload.items()}
    base = url.partition("#")[0]
    return f"{base}{'&' if '?' in base else '?'}{urlencode(fields, quote_via=quote)}"


@lru_cache(maxsize=1024)
def _target(url: str) -> tuple[str, str | None]:
    """A configured URL as it goes over the wire, and the Authorization header for the credentials that it carries."""
    try:
        given = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise ForbiddenTarget(f"not a valid URL: {error}") from error
    bare = _on_the_wire(str(given.copy_with(username=None, password=None, fragment=None)))
    if not given.userinfo:
        return bare, None
    pair = f"{given.username}:{given.password}".encode()
    return bare, f"Basic {base64.b64encode(pair).decode()}"


def _on_the_wire(url: str) -> str:
    """The URL exactly as it is requested.

    httpx and aiohttp both normalise URLs (case, dots, escapes). A receiver checks the signature against the URL that
    it saw, so they have their way before we sign and find nothing more to change when we send.
    """
    before = None
    try:
        while url != before:  # '/%2E%2E/' becomes '/../' in one round and goes in the next
            parsed, before = URL(str(httpx.URL(url))), url
            url = f"{parsed.origin()}{parsed.raw_path_qs}"
    except (httpx.InvalidURL, ValueError) as error:
        raise ForbiddenTarget(f"not a valid URL: {error}") from error
    return url


class CallbackClient:
    """Sends callbacks, many at a time, over connections that are kept for a while.

    A host gets at most `connections_per_host` of them (0: as many as are asked for). `connect_timeout` bounds the
    wait for a connection (a free one, or name lookup, TCP and TLS), `read_timeout` each wait for the receiver,
    `total_timeout` (default: their sum) everything up to the answer's headers; all in seconds. A callback may want
    others (`Overrides`). Proxies named in the environment are ignored: behind one, nobody could tell which address is
    called. Cookies are not kept.
    """

    def __init__(
        self,
        *,
        allow_insecure: bool = False,
        connect_timeout: float = 5.0,
        read_timeout: float = 15.0,
        total_timeout: float | None = None,
        connections_per_host: int = 32,
        ssl_context: ssl.SSLContext | None = None,
        getaddrinfo: Callable[..., Sequence[AddressInfo]] = socket.getaddrinfo,
    ) -> None:
        self._allow_insecure = allow_insecure
        self._connections_per_host = connections_per_host
        self._total_timeout = connect_timeout + read_timeout if total_timeout is None else total_timeout
        self._ssl_context = ssl_context or httpx.create_ssl_context()
        self._resolver = GuardedResolver(allow_insecure=allow_insecure, getaddrinfo=getaddrinfo)
        # The transport's "pool" is aiohttp's limit on everything up to the connection, name lookup included.
        self._timeouts = httpx.Timeout(read_timeout, connect=connect_timeout, pool=connect_timeout)
        # Without httpx's client, which keeps cookies, follows redirections, authenticates and obeys the environment:
        # nothing of that is wanted here, and it takes a fifth of the time of a callback.
        self._transport = AiohttpTransport(verify=self._ssl_context, client=self._open_session, trust_env=False)

    def _open_session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=self._resolver,
            socket_factory=None if self._allow_insecure else guarded_socket,
            ssl=self._ssl_context,
            limit=0,
            limit_per_host=self._connections_per_host,
            keepalive_timeout=_KEEP_ALIVE,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=BODY_LIMIT,
            skip_auto_headers=("Accept-Encoding",),  # the body is thrown away, compressing it would be wasted
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._transport.aclose()
        await self._resolver.close()

    async def send(self, request: CallbackRequest, wanted: Overrides = _AS_SET) -> Outcome:
        """Make one attempt. Network trouble and refusals are outcomes, never exceptions."""
        started = perf_counter()
        try:
            response = await self._post(request, wanted)
        except _REFUSALS as error:
            return Outcome(None, f"refused: {error}", _milliseconds_since(started), refused=True)
        except NETWORK_ERRORS as error:
            return Outcome(None, reason(error), _milliseconds_since(started))
        duration = _milliseconds_since(started)
        body = await beginning(response)
        if response.is_success:
            return Outcome(response.status_code, None, duration, response=told(response, body))
        return Outcome(
            response.status_code,
            f"HTTP {response.status_code}",
            duration,
            retry_after(response.headers),
            response=told(response, body),
        )

    async def _post(self, request: CallbackRequest, wanted: Overrides) -> httpx.Response:
        url = httpx.URL(request.url)
        check_target(url.scheme, url.host, allow_insecure=self._allow_insecure)
        headers = request.headers
        content: bytes | AsyncIterator[bytes] = request.body
        if len(request.body) > _PIECE:
            content, headers = _pieces(request.body), {**headers, "Content-Length": str(len(request.body))}
        timeouts, total = self._limits(wanted)
        extensions = {"timeout": timeouts.as_dict()}
        message = httpx.Request(request.method, url, content=content or None, extensions=extensions)
        # aiohttp wants a mapping, and httpx's own searches all of its headers for each.
        message.headers = headers  # type: ignore[assignment]
        async with asyncio.timeout(total):
            return await self._transport.handle_async_request(message)

    def _limits(self, wanted: Overrides) -> tuple[httpx.Timeout, float]:
        """What bounds the single steps of an attempt, and seconds for everything up to the answer's headers."""
        usual = self._timeouts
        if wanted.connect is None and wanted.read is None:
            return usual, wanted.total or self._total_timeout
        connect, read = wanted.connect or usual.connect or 0.0, wanted.read or usual.read or 0.0
        return httpx.Timeout(read, connect=connect, pool=connect), wanted.total or connect + read


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    """aiohttp warns of large bodies in one piece, which hold up the event loop while they are copied."""
    for start in range(0, len(body), _PIECE):
        yield body[start : start + _PIECE]


def _milliseconds_since(started: float) -> float:
    return (perf_counter() - started) * 1000
