"""A receiver of status callbacks on this machine: checks signatures, remembers what was told."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from aiohttp import web

from orchestrator.kernel.signing import verify


@dataclass(frozen=True, slots=True)
class Callback:
    """One event that was told."""

    conversation_id: str
    sequence: int
    type: str
    subject: str
    """Id of the conversation, participant or communication that it is about."""
    signed: bool


@dataclass
class Receiver:
    """What has come in."""

    auth_token: str = field(repr=False)
    url: str = ""
    answer: int = 200
    """The status that every callback is answered with."""
    received: dict[tuple[str, int], Callback] = field(default_factory=dict)
    """What was accepted, once per event, in order of arrival."""
    refused: list[Callback] = field(default_factory=list)
    """What was answered with an error, each time."""
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def of(self, conversation_id: str) -> list[Callback]:
        """A conversation's callbacks, in the order of their numbers."""
        return sorted(
            (one for one in self.received.values() if one.conversation_id == conversation_id),
            key=lambda one: one.sequence,
        )

    def accepted_of(self, conversation_id: str) -> list[Callback]:
        """A conversation's callbacks, in order of arrival."""
        return [one for one in self.received.values() if one.conversation_id == conversation_id]

    def refused_of(self, conversation_id: str) -> list[Callback]:
        """Likewise those that were answered with an error."""
        return [one for one in self.refused if one.conversation_id == conversation_id]

    async def until(self, complete: Callable[[], bool], seconds: float) -> None:
        """Wait until that is so, but not longer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not complete():
                    self._arrived.clear()
                    await self._arrived.wait()

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        signed = is_signed(request, body, self.auth_token)
        event = json.loads(body)
        conversation_id, _, sequence = request.headers["Orchestrator-Event-Id"].rpartition(":")
        callback = Callback(conversation_id, int(sequence), event["eventType"], event["data"]["id"], signed)
        if self.answer < 300:
            self.received.setdefault((conversation_id, callback.sequence), callback)
        else:
            self.refused.append(callback)
        self._arrived.set()
        return web.Response(status=self.answer)


@asynccontextmanager
async def receiving(auth_token: str) -> AsyncIterator[Receiver]:
    """Listen on a free port of this machine."""
    receiver = Receiver(auth_token)
    async with listening(receiver.handle) as receiver.url:
        yield receiver


@asynccontextmanager
async def listening(handle: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """The URL of a free port of this machine; what is posted there, `handle` answers."""
    application = web.Application()
    application.router.add_post("/{tail:.*}", handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def is_signed(request: web.Request, body: bytes, auth_token: str) -> bool:
    """Whether the service has signed this callback."""
    url, signature = f"http://{request.host}{request.raw_path}", request.headers.get("X-Twilio-Signature", "")
    return verify(auth_token, url, signature, params=(), body=body)
