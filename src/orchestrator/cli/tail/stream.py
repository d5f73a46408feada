"""The event log as server-sent events: read for ever, taken up again where it broke off."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import httpx

from orchestrator.cli.api import Api, is_ours, refusal
from orchestrator.cli.lists import Resource

EVENTS = "/orchestrator/v1/Events"

_SILENCE = 40.0
"""Seconds without a sign of life, which come every 15, after which the connection is taken for lost."""
_LONGEST_WAIT = 10.0


class _Gone(Exception):
    """Events after the position read last are past their keeping; `after` is the position of the last of them."""

    def __init__(self, after: int) -> None:
        super().__init__(after)
        self.after = after


@dataclass(frozen=True, slots=True)
class Wish:
    """Which events."""

    types: tuple[str, ...] = ()
    """Without any: all."""
    conversation_id: str | None = None

    @property
    def query(self) -> dict[str, str]:
        """As parameters of the request."""
        types = {"eventType": ",".join(self.types)} if self.types else {}
        return types | ({"conversationId": self.conversation_id} if self.conversation_id else {})


@dataclass(slots=True)
class Stream:
    """Events from a position on, each once and in order, over as many connections as it takes.

    A connection that is lost is made anew, at first at once and then after longer and longer waits, for ever; the
    service is told the last position that was read. What it refuses is raised.
    """

    api: Api
    wish: Wish
    after: int
    """The position read last."""
    tell: Callable[[str], None]
    """Takes what a person should know."""
    first_wait: float = 0.5
    """Seconds before the second attempt to connect."""
    _failures: int = field(default=0, init=False)

    async def events(self) -> AsyncGenerator[Resource, None]:
        """Raises Refused when the service does not want to."""
        while True:
            try:
                async with aclosing(self._connection()) as events:
                    async for event in events:
                        yield event
                reason = "the service has ended the stream"
            except _Gone as error:
                self.tell(f"the events up to position {error.after} are no longer kept; going on after them")
                self.after = error.after
                continue
            except httpx.HTTPError as error:
                reason = str(error) or type(error).__name__
            await self._wait(reason)

    async def _connection(self) -> AsyncGenerator[Resource, None]:
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(self.after)}
        timeout = httpx.Timeout(10.0, read=_SILENCE)
        async with self.api.http.stream(
            "GET", EVENTS, params=self.wish.query, headers=headers, timeout=timeout
        ) as answer:
            if not answer.is_success or not is_ours(answer):
                await answer.aread()
                raise _judged(answer)
            async for event in _messages(_lines(answer.aiter_bytes())):
                self._failures = 0
                if event["position"] > self.after:
                    self.after = event["position"]
                    yield event

    async def _wait(self, reason: str) -> None:
        seconds = min(self.first_wait * 2 ** (self._failures - 1), _LONGEST_WAIT) if self._failures else 0.0
        self._failures += 1
        self.tell(f"connection lost ({reason}); " + (f"again in {seconds:g} s" if seconds else "connecting again"))
        await asyncio.sleep(seconds)


def _judged(answer: httpx.Response) -> Exception:
    """Refused for good; HTTPStatusError when trying again may help."""
    if answer.is_server_error:
        return httpx.HTTPStatusError(f"answered {answer.status_code}", request=answer.request, response=answer)
    if answer.status_code == httpx.codes.GONE and is_ours(answer):
        return _Gone(int(answer.json()["details"]["after"]))
    return refusal("GET", EVENTS, answer)


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """Lines end with U+000A; httpx's own take other characters for ends too, and JSON may hold those as they are."""
    line = bytearray()
    async for chunk in chunks:
        first, *others = chunk.split(b"\n")
        line += first
        for part in others:
            yield line.removesuffix(b"\r").decode()
            line = bytearray(part)


async def _messages(lines: AsyncIterator[str]) -> AsyncIterator[Any]:
    """The data of each message, which is JSON. One that broke off before its blank line is none."""
    data: list[str] = []
    async for line in lines:
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and data:
            yield json.loads("\n".join(data))
            data = []
