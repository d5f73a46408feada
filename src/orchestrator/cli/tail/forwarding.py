"""Events are handed on to a URL as status callbacks: the same bytes, signed as the service signs them.

The events of one conversation go one after the other, so that they arrive in order. An event that is not taken after a
few attempts is told of, and the next one follows.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import orjson

from orchestrator.cli.lists import Resource
from orchestrator.kernel.callback_signing import Envelope, Signer
from orchestrator.kernel.clock import Clock
from orchestrator.kernel.ids import new_sid
from orchestrator.outbox.answers import Outcome
from orchestrator.outbox.client import CallbackClient, CallbackRequest, build_request
from orchestrator.outbox.overrides import overrides

_LANES = 16
"""Events that are sent at the same time; those of one conversation share a lane."""
_MOST_WAITING = 100
"""Events in a lane; reading waits until there is room."""
_WAITS = (0.5, 2.0, 5.0)
"""Seconds before the second, third and fourth attempt."""
_LONGEST_WAIT = 30.0
"""However long the receiver asks to be left alone."""

_Lane = asyncio.Queue[Resource]


@dataclass(slots=True)
class Forwarder:
    """Sends events on."""

    client: CallbackClient
    url: str
    signer: Signer
    report: Callable[[Resource, Outcome], None]
    """Is told of every event what came of it in the end."""
    waits: tuple[float, ...] = _WAITS
    failed: int = 0
    """Events that were not taken."""
    unsent: set[int] = field(default_factory=set)
    """Positions of the events whose turn has not come or is not over."""
    _lanes: list[_Lane] = field(default_factory=lambda: [asyncio.Queue(_MOST_WAITING) for _ in range(_LANES)])

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Events are sent inside the block; what is not sent at its end, is not sent at all."""
        tasks = [asyncio.create_task(self._send_all(lane)) for lane in self._lanes]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def put(self, event: Resource) -> None:
        """Have it sent after those of its conversation that were put before."""
        self.unsent.add(event["position"])
        await self._lanes[hash(event["conversationId"]) % _LANES].put(event)

    async def finish(self) -> None:
        """Wait until everything was sent, or given up."""
        for lane in self._lanes:
            await lane.join()

    async def _send_all(self, lane: _Lane) -> None:
        while True:
            event = await lane.get()
            try:
                outcome = await self._send(event)
            except Exception as error:  # of this event alone: the lane has others
                outcome = Outcome(None, f"broken: {type(error).__name__}: {error}", 0.0)
            self.failed += not outcome.delivered
            self.unsent.discard(event["position"])
            self.report(event, outcome)
            lane.task_done()

    async def _send(self, event: Resource) -> Outcome:
        """Try it until it is taken, refused for good, or has failed too often."""
        for number, wait in enumerate((*self.waits, None), start=1):
            outcome = await self.client.send(self.request(event, number), overrides(self.url))
            if wait is None or not outcome.retryable:
                break
            await asyncio.sleep(min(outcome.retry_after or wait, _LONGEST_WAIT))
        return outcome

    def request(self, event: Resource, attempt: int) -> CallbackRequest:
        """One attempt, as the service would make it."""
        body = orjson.dumps({name: event[name] for name in ("eventType", "timestamp", "data")})
        # Always the same for this event and URL: whoever follows the log once more sends nothing new.
        token = "orch_forward_" + hashlib.sha256(f"{event['id']} {self.url}".encode()).hexdigest()[:32]
        request_id = new_sid("RQ")
        headers = {
            "Twilio-Request-Id": request_id,
            "I-Twilio-Request-Id": request_id,
            "Orchestrator-Event-Id": event["id"],
            "Orchestrator-Sequence": str(event["sequence"]),
            "Orchestrator-Attempt": str(attempt),
        }
        request = build_request(self.url, "POST", body, self.signer.auth_token, token, headers)
        envelope = Envelope(token, event["id"], Clock().now())
        request.headers.update(self.signer.headers(request.url, request.body, envelope))
        return request
