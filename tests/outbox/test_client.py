"""Callbacks over real connections to a receiver on loopback."""

import asyncio
import base64
import json
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped, unused-ignore]
from yarl import URL

from orchestrator.outbox import answers
from orchestrator.outbox import client as client_module
from orchestrator.outbox.answers import Outcome
from orchestrator.outbox.client import CallbackClient, CallbackRequest, build_request, get_url
from orchestrator.outbox.guard import ForbiddenTarget

TOKEN = "0123456789abcdef0123456789abcdef"
EVENT = {
    "eventType": "CONVERSATION_CREATED",
    "timestamp": "2026-02-03T09:15:04.120Z",
    "data": {"id": "c1", "name": "Zoë & co"},
}
BODY = json.dumps(EVENT, ensure_ascii=False).encode()

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Receiver:
    """A web server on loopback that remembers what it was sent and answers as told."""

    def __init__(self) -> None:
        self.port = 0
        self.seen: list[tuple[str, str, dict[str, str], bytes, int]] = []
        self.answer: Handler | web.Response = web.Response(status=200)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        peer = request.transport.get_extra_info("peername")[1] if request.transport else 0
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.seen.append((request.method, request.raw_path, headers, await request.content.read(), peer))
        if isinstance(self.answer, web.Response):
            return web.Response(status=self.answer.status, headers=self.answer.headers, body=self.answer.body)
        return await self.answer(request)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def assert_signed(self, scheme: str = "http") -> None:
        """Every request satisfies the official validator, judged by nothing but what arrived."""
        assert self.seen
        for _, path, headers, body, _ in self.seen:
            url = f"{scheme}://{headers['host']}{path}"
            assert RequestValidator(TOKEN).validate(url, body.decode() or None, headers["x-twilio-signature"])


@pytest.fixture
async def serve() -> AsyncIterator[Callable[..., Awaitable[Receiver]]]:
    runners: list[web.ServerRunner] = []

    async def start(ssl_context: ssl.SSLContext | None = None) -> Receiver:
        receiver = Receiver()
        runner = web.ServerRunner(web.Server(receiver), shutdown_timeout=0.1)
        await runner.setup()
        runners.append(runner)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=ssl_context).start()
        receiver.port = runner.addresses[0][1]
        return receiver

    yield start
    for runner in runners:
        await runner.cleanup()


@pytest.fixture
async def receiver(serve: Callable[..., Awaitable[Receiver]]) -> Receiver:
    return await serve()


@pytest.fixture
async def client() -> AsyncIterator[CallbackClient]:
    async with CallbackClient(allow_insecure=True) as made:
        yield made


@pytest.fixture
async def talk() -> AsyncIterator[Callable[[Talk], Awaitable[str]]]:
    """Starts a server that speaks as the given function does; returns its URL."""
    servers: list[asyncio.Server] = []

    async def start(speak: Talk) -> str:
        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            try:
                await speak(reader, writer)
            except OSError:
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(converse, "127.0.0.1", 0)
        servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"

    yield start
    for server in servers:
        server.close()


def post(url: str, method: str = "POST", **extra: str) -> CallbackRequest:
    return build_request(url, method, BODY, TOKEN, "token-1", extra)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# What is sent


async def test_a_post_carries_the_event_and_its_signature(client: CallbackClient, receiver: Receiver) -> None:
    request = build_request(f"{receiver.base}/hook?a=1", "POST", BODY, TOKEN, "token-1", {"Orchestrator-Sequence": "7"})
    outcome = await client.send(request)
    assert (outcome.status, outcome.error, outcome.delivered, outcome.retryable) == (200, None, True, False)
    assert outcome.duration_ms > 0
    method, path, headers, body, _ = receiver.seen[0]
    assert (method, body) == ("POST", BODY)
    assert re.fullmatch(r"/hook\?a=1&bodySHA256=[0-9a-f]{64}", path)
    assert headers == {
        "host": f"127.0.0.1:{receiver.port}",
        "content-type": "application/json",
        "content-length": str(len(BODY)),
        "i-twilio-idempotency-token": "token-1",
        "orchestrator-sequence": "7",
        "user-agent": "Orchestrator/0.1",
        "x-twilio-signature": headers["x-twilio-signature"],
        "accept": "*/*",
    }
    receiver.assert_signed()


async def test_a_large_event_arrives_whole(client: CallbackClient, receiver: Receiver) -> None:
    body = json.dumps(EVENT | {"data": {"text": "0123456789" * 300_000}}).encode()
    assert (await client.send(build_request(f"{receiver.base}/hook", "POST", body, TOKEN, "token-1"))).delivered
    assert receiver.seen[0][3] == body
    assert receiver.seen[0][2]["content-length"] == str(len(body))
    assert "transfer-encoding" not in receiver.seen[0][2]
    receiver.assert_signed()


@pytest.mark.parametrize("answers", [True, False])
async def test_a_receiver_that_does_not_read_does_not_hold_us(
    talk: Callable[[Talk], Awaitable[str]], *, answers: bool
) -> None:
    done = asyncio.Event()

    async def ignore(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cast("asyncio.Transport", writer.transport).pause_reading()
        if answers:
            writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await done.wait()

    url = await talk(ignore)
    async with CallbackClient(allow_insecure=True, read_timeout=0.2, total_timeout=0.4) as client:
        outcome = await client.send(build_request(url, "POST", b"x" * 20_000_000, TOKEN, "token-1"))
        done.set()
    assert outcome.status == (413 if answers else None)
    assert outcome.retryable is not answers
    assert outcome.duration_ms < 3000


async def test_a_get_carries_the_event_in_its_query(client: CallbackClient, receiver: Receiver) -> None:
    assert (await client.send(post(f"{receiver.base}/hook?a=%20+#part", "GET"))).delivered
    method, path, headers, body, _ = receiver.seen[0]
    assert (method, body) == ("GET", b"")
    fields = dict(parse_qsl(urlsplit(path).query))
    assert json.loads(fields.pop("data")) == EVENT["data"]
    assert fields == {"a": "  ", "eventType": EVENT["eventType"], "timestamp": EVENT["timestamp"]}
    assert "content-type" not in headers
    receiver.assert_signed()


def test_the_url_of_a_get() -> None:
    payload = {"eventType": "E", "timestamp": "2026-02-03T09:15:04.120Z", "data": {"id": "ü"}}
    query = "eventType=E&timestamp=2026-02-03T09%3A15%3A04.120Z&data=%7B%22id%22%3A%22%C3%BC%22%7D"
    assert get_url("https://h/p#part", payload) == f"https://h/p?{query}"
    assert get_url("https://h/p?a=1", payload) == f"https://h/p?a=1&{query}"


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize(
    "path",
    [
        "",
        "?",
        "?a=1",
        "/?a=1&",
        "/a/../b/./c//d;e=1/",
        "/%2e%2e/%7Ea%2Fb%41",
        "/caf\u00e9/%C3%a9?q=\u00fc",
        "/[x]{y}|^`'\"<>",
        "/hook?a[]=1&b={x}|\\^`'\"<>",
        "/hook?a=%3a%2F%3f%40&b=%20+%2B;c",
        "/hook?100%&%zz",
        "/hook?bodySHA256=old&a=1",
        "/hook?to=https://other.example/?x=1#part",
    ],
)
async def test_any_spelling_of_a_url_arrives_as_it_was_signed(
    client: CallbackClient, receiver: Receiver, method: str, path: str
) -> None:
    assert (await client.send(post(receiver.base + path, method))).delivered
    receiver.assert_signed()


@given(st.text(max_size=30) | st.text("/.%2eE?&=#;+ a\u00fc", max_size=30), st.sampled_from(["POST", "GET"]))
def test_nothing_is_left_to_normalise_after_signing(tail: str, method: str) -> None:
    try:
        request = post(f"https://Example.com:443{tail}", method)
    except ForbiddenTarget:
        return
    assert str(URL(str(httpx.URL(request.url)))) == request.url
    assert "#" not in request.url


async def test_credentials_become_basic_authentication(client: CallbackClient, receiver: Receiver) -> None:
    request = post(f"http://us%40er:p%C3%A4ss:w@127.0.0.1:{receiver.port}/hook")
    assert "us" not in request.url
    assert (await client.send(request)).delivered
    authorization = receiver.seen[0][2]["authorization"]
    assert base64.b64decode(authorization.removeprefix("Basic ")).decode() == "us@er:päss:w"
    receiver.assert_signed()


async def test_extra_headers_do_not_replace_ours(client: CallbackClient, receiver: Receiver) -> None:
    await client.send(post(f"{receiver.base}/", **{"x-Twilio-signature": "forged", "CONTENT-TYPE": "text/plain"}))
    assert receiver.seen[0][2]["content-type"] == "application/json"
    receiver.assert_signed()


@pytest.mark.parametrize("url", ["https://[::1/", "https://h:port/", "/hook", "", "https:///hook", "https://h\n/"])
def test_a_url_that_cannot_be_parsed_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenTarget, match="not a valid URL"):
        post(url)


def test_secrets_stay_out_of_logs() -> None:
    assert TOKEN not in repr(post("https://user:secret@example.com/"))
    assert "secret" not in repr(post("https://user:secret@example.com/"))


async def test_cookies_are_not_kept(client: CallbackClient, receiver: Receiver) -> None:
    receiver.answer = web.Response(headers={"Set-Cookie": "session=1; Path=/"})
    for _ in range(2):
        await client.send(post(f"{receiver.base}/"))
    assert ["cookie" in headers for _, _, headers, _, _ in receiver.seen] == [False, False]


async def test_proxies_of_the_environment_are_ignored(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    async with CallbackClient(allow_insecure=True) as client:
        assert (await client.send(post(f"{receiver.base}/"))).delivered


# What becomes of it


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_is_delivered(client: CallbackClient, receiver: Receiver, status: int) -> None:
    receiver.answer = web.Response(status=status)
    outcome = await client.send(post(f"{receiver.base}/"))
    assert (outcome.status, outcome.error, outcome.delivered, outcome.retryable) == (status, None, True, False)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
async def test_trouble_that_may_pass_is_retryable(client: CallbackClient, receiver: Receiver, status: int) -> None:
    receiver.answer = web.Response(status=status)
    outcome = await client.send(post(f"{receiver.base}/"))
    assert outcome.error == f"HTTP {status}"
    assert (outcome.status, outcome.delivered, outcome.retryable) == (status, False, True)


@pytest.mark.parametrize("status", [304, 400, 401, 403, 404, 409, 410, 413, 422])
async def test_other_answers_are_final(client: CallbackClient, receiver: Receiver, status: int) -> None:
    receiver.answer = web.Response(status=status)
    outcome = await client.send(post(f"{receiver.base}/"))
    assert outcome.error == f"HTTP {status}"
    assert (outcome.status, outcome.delivered, outcome.retryable) == (status, False, False)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(client: CallbackClient, receiver: Receiver, status: int) -> None:
    receiver.answer = web.Response(status=status, headers={"Location": f"{receiver.base}/elsewhere"})
    outcome = await client.send(post(f"{receiver.base}/hook"))
    assert (outcome.status, outcome.delivered, outcome.retryable) == (status, False, False)
    assert len(receiver.seen) == 1


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "120"}, 120),
        ({"Retry-After": " 0 "}, 0),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "9" * 400}, None),
        ({"Retry-After": "Tue, 03 Feb 2026 09:16:04 GMT", "Date": "Tue, 03 Feb 2026 09:15:04 GMT"}, 60),
        ({"Retry-After": "Tue, 03 Feb 2026 09:00:00 GMT", "Date": "Tue, 03 Feb 2026 09:15:04 GMT"}, 0),
        ({"Retry-After": "Tue, 03 Feb 2026 09:16:04 -0000", "Date": "Tue, 03 Feb 2026 09:15:04 GMT"}, None),
        ({"Retry-After": "Tue, 03 Feb 2026 09:16:04 GMT", "Date": "now"}, None),
    ],
)
async def test_retry_after(
    client: CallbackClient, receiver: Receiver, headers: dict[str, str], seconds: float | None
) -> None:
    receiver.answer = web.Response(status=503, headers=headers)
    assert (await client.send(post(f"{receiver.base}/"))).retry_after == seconds


async def test_a_silent_receiver_times_out(receiver: Receiver) -> None:
    async def silence(_: web.BaseRequest) -> web.Response:
        await asyncio.sleep(0.4)
        return web.Response()

    receiver.answer = silence
    async with CallbackClient(allow_insecure=True, read_timeout=0.1) as client:
        outcome = await client.send(post(f"{receiver.base}/?secret=1"))
    assert (outcome.status, outcome.error, outcome.retryable) == (None, "timeout: no answer", True)
    assert outcome.duration_ms >= 90


async def test_a_receiver_that_dribbles_is_cut_off(talk: Callable[[Talk], Awaitable[str]]) -> None:
    async def dribble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        for _byte in range(100):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    url = await talk(dribble)
    async with CallbackClient(allow_insecure=True, read_timeout=5, total_timeout=0.2) as client:
        outcome = await client.send(post(url))
    assert (outcome.status, outcome.error, outcome.retryable) == (None, "timeout: no answer", True)
    assert 190 <= outcome.duration_ms < 1900


async def test_an_endpoint_that_does_not_accept_times_out() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:  # once the queue is full, Linux drops further connection attempts
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        async with CallbackClient(allow_insecure=True, connect_timeout=0.1, read_timeout=0.3) as client:
            outcome = await client.send(post(f"http://127.0.0.1:{full.getsockname()[1]}/?secret=1"))
        for filler in fillers:
            filler.close()
    assert outcome.retryable
    assert outcome.error is not None
    assert outcome.error.startswith("timeout: no ")


async def test_a_refused_connection_is_network_trouble(client: CallbackClient) -> None:
    outcome = await client.send(post(f"http://127.0.0.1:{free_port()}/?secret=1"))
    assert (outcome.status, outcome.delivered, outcome.retryable, outcome.refused) == (None, False, True, False)
    assert outcome.error is not None
    assert outcome.error.startswith("connect: ")
    assert "secret" not in outcome.error


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", "network: Server disconnected"),
        (b"HTTP/1.1 200 OK\r\nContent-", "n"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "not HTTP: "),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", "not HTTP: "),
    ],
)
async def test_an_answer_that_is_not_http_is_network_trouble(
    client: CallbackClient, talk: Callable[[Talk], Awaitable[str]], answer: bytes, error: str
) -> None:
    async def speak(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    outcome = await client.send(post(f"{await talk(speak)}?secret=1"))
    assert (outcome.status, outcome.retryable) == (None, True)
    assert outcome.error is not None
    assert outcome.error.startswith(error)
    assert "secret" not in outcome.error
    assert len(outcome.error) <= 300


async def test_a_name_that_does_not_resolve_is_network_trouble() -> None:
    def unknown(*_: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async with CallbackClient(getaddrinfo=unknown) as client:
        outcome = await client.send(post("https://callbacks.example/"))
    assert outcome.retryable
    assert outcome.error is not None
    assert outcome.error.startswith("dns: ")


async def test_cancelling_is_not_network_trouble(client: CallbackClient, receiver: Receiver) -> None:
    async def silence(_: web.BaseRequest) -> web.Response:
        await asyncio.sleep(0.3)
        return web.Response()

    receiver.answer = silence
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.send(post(f"{receiver.base}/")), 0.05)


# The answer's body


async def test_a_short_body_leaves_the_connection_usable(client: CallbackClient, receiver: Receiver) -> None:
    receiver.answer = web.Response(body=b"x" * 4096)
    for _ in range(3):
        assert (await client.send(post(f"{receiver.base}/"))).delivered
    assert len({peer for *_, peer in receiver.seen}) == 1


async def test_an_endless_body_is_cut_off(client: CallbackClient, talk: Callable[[Talk], Awaitable[str]]) -> None:
    hung_up = asyncio.Event()
    sent = 0

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        try:
            while sent < 1_000_000_000:
                writer.write(b"x" * 65536)
                await writer.drain()
                sent += 65536
        except OSError:
            hung_up.set()

    outcome = await client.send(post(await talk(flood)))
    assert outcome.delivered
    async with asyncio.timeout(2):
        await hung_up.wait()
    assert sent < 10_000_000


@pytest.mark.parametrize("ends", [True, False])
async def test_a_body_that_never_comes_does_not_change_the_outcome(
    client: CallbackClient, talk: Callable[[Talk], Awaitable[str]], monkeypatch: pytest.MonkeyPatch, *, ends: bool
) -> None:
    monkeypatch.setattr(answers, "_BODY_PATIENCE", 0.05)

    async def promise(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 10\r\nRetry-After: 7\r\n\r\nx")
        await writer.drain()
        if not ends:
            await reader.read()
            await reader.read()

    outcome = await client.send(post(await talk(promise)))
    assert (outcome.status, outcome.error, outcome.retry_after) == (503, "HTTP 503", 7)


# Which hosts are reached


async def test_one_slow_endpoint_does_not_starve_another(serve: Callable[..., Awaitable[Receiver]]) -> None:
    slow, fast = await serve(), await serve()
    release, busy = asyncio.Event(), 0

    async def wait(_: web.BaseRequest) -> web.Response:
        nonlocal busy
        busy += 1
        await release.wait()
        return web.Response()

    slow.answer = wait
    async with CallbackClient(allow_insecure=True, connections_per_host=2) as client:
        waiting = [asyncio.create_task(client.send(post(f"{slow.base}/{number}"))) for number in range(8)]
        outcomes = await asyncio.gather(*(client.send(post(f"{fast.base}/{number}")) for number in range(20)))
        assert all(outcome.delivered for outcome in outcomes)
        assert busy <= 2
        release.set()
        assert all(outcome.delivered for outcome in await asyncio.gather(*waiting))


async def test_waiting_for_a_free_connection_has_an_end(receiver: Receiver) -> None:
    arrived, release = asyncio.Event(), asyncio.Event()

    async def wait(_: web.BaseRequest) -> web.Response:
        arrived.set()
        await release.wait()
        return web.Response()

    receiver.answer = wait
    async with CallbackClient(allow_insecure=True, connect_timeout=0.3, connections_per_host=1) as client:
        first = asyncio.create_task(client.send(post(f"{receiver.base}/1")))
        await arrived.wait()
        second = await client.send(post(f"{receiver.base}/2"))
        release.set()
        assert (await first).delivered
    assert (second.error, second.retryable) == ("timeout: no connection", True)


def names(*addresses: str) -> Callable[..., list[Any]]:
    """Lookups that answer with the addresses one after the other, as a rebinding name server does."""
    left = list(addresses)

    def lookup(_: str, port: int, *__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (left.pop(0), port))]

    return lookup


async def test_a_name_of_loopback_is_refused(receiver: Receiver) -> None:
    async with CallbackClient(getaddrinfo=names("127.0.0.1")) as client:
        outcome = await client.send(post(f"https://callbacks.example:{receiver.port}/"))
    assert outcome == Outcome(
        None,
        "refused: callbacks.example resolves to 127.0.0.1, not to a public address",
        outcome.duration_ms,
        refused=True,
    )
    assert not outcome.delivered
    assert not outcome.retryable
    assert receiver.seen == []


async def test_a_name_is_looked_up_once_and_the_connection_goes_there(receiver: Receiver) -> None:
    rebinding = names("127.0.0.1", "192.0.2.1")
    async with CallbackClient(allow_insecure=True, getaddrinfo=rebinding) as client:
        assert (await client.send(post(f"http://callbacks.example:{receiver.port}/"))).delivered
    assert receiver.seen[0][2]["host"] == f"callbacks.example:{receiver.port}"
    receiver.assert_signed()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "017700000001", "127.1", "localhost"]
)
@pytest.mark.parametrize("checked", [True, False])
async def test_literal_hosts_are_refused(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, host: str, *, checked: bool
) -> None:
    """Also without the check of the text: each gate holds alone."""
    if not checked:
        monkeypatch.setattr(client_module, "check_target", lambda *_, **__: None)
    async with CallbackClient() as client:
        outcome = await client.send(post(f"https://{host}:{receiver.port}/"))
    assert outcome.refused
    assert not outcome.retryable
    assert receiver.seen == []


async def test_plain_http_is_refused(receiver: Receiver) -> None:
    async with CallbackClient(getaddrinfo=names()) as client:
        outcome = await client.send(post(f"http://callbacks.example:{receiver.port}/"))
    assert outcome.refused
    assert "must be https" in str(outcome.error)


@pytest.mark.parametrize("url", ["ftp://h/", "http://[::1/", "http://2130706433/"])
async def test_what_cannot_be_requested_is_refused(client: CallbackClient, url: str) -> None:
    outcome = await client.send(CallbackRequest(url, "POST", BODY, {}))
    assert outcome.refused
    assert not outcome.retryable


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and key of `callbacks.example`, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "callbacks.example")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("callbacks.example")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "callbacks.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


@pytest.mark.parametrize(
    ("host", "trusted", "delivered"),
    [
        ("callbacks.example", True, True),
        ("callbacks.example", False, False),
        ("other.example", True, False),
        ("127.0.0.1", True, False),
    ],
)
async def test_the_certificate_must_be_the_hosts(
    serve: Callable[..., Awaitable[Receiver]], certificate: Path, host: str, *, trusted: bool, delivered: bool
) -> None:
    """The connection goes to a checked address, yet the certificate is checked against the name."""
    ours = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    ours.load_cert_chain(certificate)
    receiver = await serve(ours)
    trust = ssl.create_default_context(cafile=str(certificate)) if trusted else None
    async with CallbackClient(allow_insecure=True, ssl_context=trust, getaddrinfo=names("127.0.0.1")) as client:
        outcome = await client.send(post(f"https://{host}:{receiver.port}/hook"))
    assert outcome.delivered is delivered
    if delivered:
        receiver.assert_signed("https")
    else:
        assert outcome.retryable
        assert str(outcome.error).startswith("tls: ")
