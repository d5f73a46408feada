"""Callbacks as the service signs them, and an event log to read, for tests of those who receive them."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from orchestrator.kernel.callback_signing import Envelope, Signer
from orchestrator.kernel.signing import signed_url
from orchestrator.outbox.client import get_url
from orchestrator.receiver import Event, EventLog, verify

TOKEN = "5f3b7f6f4b5e4a0c9a8d7c6b5a493827"
OTHER_TOKEN = "00000000000000000000000000000000"
URL = "https://application.example.com/callbacks?tenant=1"
CONVERSATION = "conv_conversation_01kgh3k1w8fmkrxj2c5a9d7e6b"
SENT_AT = datetime(2026, 2, 3, 9, 15, 4, tzinfo=UTC)


@dataclass(frozen=True)
class Callback:
    """One request of the service."""

    url: str
    headers: dict[str, str]
    body: bytes

    def verified(self, *auth_tokens: str, **options: Any) -> Event:
        return verify(auth_tokens or TOKEN, self.url, self.headers, self.body, **options)


def content(sequence: int) -> dict[str, Any]:
    """What an event's callback says in its body."""
    return {
        "eventType": "COMMUNICATION_CREATED",
        "timestamp": "2026-02-03T09:15:04.120Z",
        "data": {"id": f"{sequence}é"},
    }


def callback(
    sequence: int = 7, *, signer: Signer | None = None, token: str = "delivery-1", method: str = "POST"
) -> Callback:
    """An event as it is sent."""
    signer, event_id = signer or Signer(TOKEN), f"{CONVERSATION}:{sequence}"
    body = json.dumps(content(sequence)).encode() if method == "POST" else b""
    url = signed_url(URL, body) if body else get_url(URL, content(sequence))
    headers = {"I-Twilio-Idempotency-Token": token, "Orchestrator-Event-Id": event_id}
    return Callback(url, headers | signer.headers(url, body, Envelope(token, event_id, SENT_AT)), body)


def event(sequence: int, conversation_id: str = CONVERSATION) -> Event:
    """One that has been verified."""
    return Event(conversation_id, sequence, "COMMUNICATION_CREATED", "2026-02-03T09:15:04.120Z", {"id": str(sequence)})


@dataclass
class Log:
    """A service that holds these events, at the positions of their order, and forgets those up to `reaped_to`."""

    events: list[Event]
    page_size: int = 2
    reaped_to: int = 0
    is_down: bool = False
    asked: list[str] = field(default_factory=list)
    """The query of each request."""

    def reader(self) -> EventLog:
        client = httpx.Client(transport=httpx.MockTransport(self._answer))
        return EventLog("https://orchestrator.example.com", "AC", "secret", client=client)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(urlsplit(str(request.url)).query)
        if self.is_down:
            return httpx.Response(503)
        query = request.url.params
        after = int(query.get("after", self.reaped_to))
        if after < self.reaped_to:
            return httpx.Response(410, json={"details": {"after": self.reaped_to}})
        wanted = query.get("conversationId")
        found = [
            (position, one)
            for position, one in enumerate(self.events, start=1)
            if position > after and wanted in {None, one.conversation_id}
        ][: self.page_size]
        latest = len(self.events)
        events = [
            {"conversationId": one.conversation_id, "sequence": one.sequence, "position": position}
            | {"eventType": one.type, "timestamp": one.timestamp, "data": one.data}
            for position, one in found
        ]
        full = len(found) == self.page_size
        return httpx.Response(
            200, json={"events": events, "after": found[-1][0] if full else max(after, latest), "latest": latest}
        )
