"""A stand-in for Twilio's Messages API: a real HTTP server on a free loopback port that remembers what it was sent."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from aiohttp import web

from orchestrator.actions.messages_api import MessagesApi
from orchestrator.kernel.ids import new_sid
from tests.support.app import Service


@dataclass(frozen=True)
class Posted:
    """One request as it came over the wire."""

    path: str
    headers: Mapping[str, str]
    form: list[tuple[str, str]]

    @property
    def fields(self) -> dict[str, str]:
        """The form, where no name is repeated."""
        assert len(dict(self.form)) == len(self.form), self.form
        return dict(self.form)

    @property
    def credentials(self) -> str:
        """What Basic authentication carries."""
        scheme, _, encoded = self.headers["Authorization"].partition(" ")
        assert scheme == "Basic"
        return base64.b64decode(encoded).decode()


Answer = Callable[[Posted], web.Response | None]
"""What is answered; None hangs up."""


def accepting(**changes: object) -> Answer:
    """Answers 201 with a message that differs so."""

    def answer(posted: Posted) -> web.Response:
        told = dict(posted.form)
        body = {"sid": new_sid("SM"), "status": "queued", "to": told["To"], "body": told.get("Body", ""), **changes}
        return web.json_response(body, status=201)

    return answer


def refusing(
    status: int, *, code: int | None = None, message: str = "no", headers: Mapping[str, str] | None = None
) -> Answer:
    """Answers an error as Twilio does."""
    body = {"code": code, "message": message, "more_info": "https://www.twilio.com/docs/errors", "status": status}
    return lambda _: web.json_response(body, status=status, headers=headers)


def hanging_up(_: Posted) -> None:
    """Closes the connection without an answer."""


@dataclass
class Provider:
    """What came, and how it is answered; tests change `answer` as they go."""

    origin: str
    answer: Answer = field(default_factory=accepting)
    received: list[Posted] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    """While this is clear, nothing is answered."""
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def only(self) -> Posted:
        """The one request that came."""
        (posted,) = self.received
        return posted

    async def until(self, count: int) -> None:
        """Wait until as many requests have come."""
        async with asyncio.timeout(10):
            while len(self.received) < count:
                self._came.clear()
                await self._came.wait()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        form = parse_qsl(await request.text(), keep_blank_values=True, strict_parsing=True)
        posted = Posted(request.path, request.headers.copy(), form)
        self.received.append(posted)
        self._came.set()
        await self.open.wait()
        answer = self.answer(posted)
        if answer is None:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        return answer


@asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    """A provider that listens until the block ends."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    running = Provider(f"http://127.0.0.1:{listening.getsockname()[1]}")
    running.open.set()
    app = web.Application()
    app.router.add_post("/{path:.*}", running.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    try:
        yield running
    finally:
        running.open.set()
        await runner.cleanup()


@asynccontextmanager
async def messages_api(
    service: Service, url: str, *, status_callback: str | None = None, read_timeout: float = 10.0
) -> AsyncIterator[MessagesApi]:
    """The sender that a worker has with `ORCHESTRATOR_SENDER=twilio`."""

    async def auth_token(account_id: str) -> str | None:
        account = await service.app.state.authenticator.account(account_id)
        return account.auth_token if account else None

    sender = MessagesApi(
        auth_token, url=url, status_callback=status_callback, connect_timeout=2, read_timeout=read_timeout
    )
    try:
        yield sender
    finally:
        await sender.aclose()
