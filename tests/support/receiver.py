"""A receiver of status callbacks: a real HTTP server on a free loopback port that remembers what it was sent."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web
from twilio.request_validator import RequestValidator


@dataclass(frozen=True)
class Received:
    """One callback as it came over the wire."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}

    @property
    def event(self) -> dict[str, Any]:
        """`{eventType, timestamp, data}`."""
        if self.method == "GET":
            return {**self.query, "data": json.loads(self.query["data"])}
        event: dict[str, Any] = json.loads(self.body)
        return event

    @property
    def type(self) -> str:
        return str(self.event["eventType"])

    @property
    def conversation_id(self) -> str:
        data = self.event["data"]
        return str(data.get("conversationId") or data["id"])

    @property
    def sequence(self) -> int:
        return int(self.headers["Orchestrator-Sequence"])

    @property
    def token(self) -> str:
        return self.headers["I-Twilio-Idempotency-Token"]

    def is_signed_by(self, auth_token: str) -> bool:
        """Whether the official validator accepts it."""
        body: Any = self.body.decode() if self.method == "POST" else {}
        signature = self.headers["X-Twilio-Signature"]
        return bool(RequestValidator(auth_token).validate(self.url, body, signature))


def everything_is_fine(_: Received) -> int:
    """Answers 200 to every callback."""
    return 200


@dataclass
class Receiver:
    """What came, and the status that is answered; tests change `answer` as they go."""

    origin: str
    answer: Callable[[Received], int] = everything_is_fine
    headers: dict[str, str] = field(default_factory=dict)
    """Sent with every answer."""
    body: bytes = b""
    """Likewise."""
    received: list[Received] = field(default_factory=list)
    open: asyncio.Event = field(default_factory=asyncio.Event)
    """While this is clear, nothing is answered."""
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str = "/hook") -> str:
        return self.origin + path

    def callback(self, path: str = "/hook", method: str = "POST") -> dict[str, str]:
        """An entry of `statusCallbacks` that leads here."""
        return {"url": self.url(path), "method": method}

    def types(self, path: str = "/hook") -> list[str]:
        """The event types that came to a path, in order of arrival."""
        return [one.type for one in self.received if one.path == path]

    def sequences(self, path: str = "/hook") -> list[int]:
        """Their sequence numbers."""
        return [one.sequence for one in self.received if one.path == path]

    async def until(self, count: int) -> None:
        """Wait until as many callbacks have come."""
        async with asyncio.timeout(10):
            while len(self.received) < count:
                self._came.clear()
                await self._came.wait()

    async def handle(self, request: web.Request) -> web.Response:
        one = Received(request.method, f"{self.origin}{request.raw_path}", request.headers.copy(), await request.read())
        self.received.append(one)
        self._came.set()
        await self.open.wait()
        return web.Response(status=self.answer(one), headers=self.headers, body=self.body)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that listens until the block ends."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    running = Receiver(f"http://127.0.0.1:{listening.getsockname()[1]}")
    running.open.set()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", running.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    try:
        yield running
    finally:
        running.open.set()
        await runner.cleanup()
