"""The receiver of status callbacks: refuses some, forgets to answer others, and keeps account of what came."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from orchestrator.cli.receiver import is_signed, listening

REFUSED = 0.02
"""Share of the callbacks that are answered with an error; half of these have had their effect all the same."""
_MOST_REFUSALS = 2
"""Of one token. The service lets later events pass one that fails four times, and that is not what is proved here."""


@dataclass
class Receiver:
    """What came; a callback has its effect the first time that its token is seen."""

    auth_token: str = field(repr=False)
    chance: random.Random = field(default_factory=random.Random)
    url: str = ""
    arrived: int = 0
    refused: int = 0
    unsigned: int = 0
    misordered: int = 0
    """Effects that were not the next one of their conversation."""
    tokens: dict[str, str] = field(default_factory=dict)
    """The event of each token that had its effect."""
    effects: dict[str, int] = field(default_factory=dict)
    """How often each event had an effect; events are named by conversation and number."""
    ambiguous: int = 0
    """Callbacks whose token had come with another event."""
    _next: dict[str, int] = field(default_factory=dict)
    _refusals: dict[str, int] = field(default_factory=dict)

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.arrived += 1
        self.unsigned += not is_signed(request, body, self.auth_token)
        token, event = request.headers["I-Twilio-Idempotency-Token"], request.headers["Orchestrator-Event-Id"]
        fails = self._fails(token)
        if not fails or self.chance.random() < 0.5:
            self.take(token, event)
        return web.Response(status=503 if fails else 200)

    def _fails(self, token: str) -> bool:
        fails = self._refusals.get(token, 0) < _MOST_REFUSALS and self.chance.random() < REFUSED
        if fails:
            self._refusals[token] = self._refusals.get(token, 0) + 1
            self.refused += 1
        return fails

    def take(self, token: str, event: str) -> None:
        """Let a callback have its effect, unless its token has had one."""
        if token in self.tokens:
            self.ambiguous += self.tokens[token] != event
            return
        self.tokens[token] = event
        self.effects[event] = self.effects.get(event, 0) + 1
        conversation_id, _, sequence = event.rpartition(":")
        due = self._next.get(conversation_id, 1)
        self.misordered += int(sequence) != due
        self._next[conversation_id] = max(due, int(sequence) + 1)


@asynccontextmanager
async def receiving(auth_token: str, seed: int) -> AsyncIterator[Receiver]:
    """Listen on a free port of this machine."""
    receiver = Receiver(auth_token, random.Random(seed))  # noqa: S311
    async with listening(receiver.handle) as receiver.url:
        yield receiver
