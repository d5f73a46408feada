"""The service's event log, read over HTTP: what a callback has not brought, or not yet."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from orchestrator.receiver.events import Event, event_from_log

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the log."""

    events: list[Event]
    after: int
    """Where to read on."""
    is_last: bool
    lost_to: int | None = None
    """The position up to which events are no longer kept, when the reader was further behind."""


class EventLog:
    """The log of an account. Its methods raise httpx.HTTPError when the service cannot be asked.

    `origin` is the service's, such as https://orchestrator.example.com; the credentials are account SID and auth token,
    or SID and secret of an API key.
    """

    def __init__(self, origin: str, username: str, password: str, *, client: httpx.Client | None = None) -> None:
        self._url = f"{origin.rstrip('/')}/orchestrator/v1/Events"
        self._auth = httpx.BasicAuth(username, password)
        self._client = client or httpx.Client(timeout=10.0)

    def close(self) -> None:
        """Close the connections; the log cannot be read afterwards."""
        self._client.close()

    def of_conversation(self, conversation_id: str, sequences: range) -> Iterator[Event]:
        """The events of those numbers that are kept, in order."""
        after: int | None = None
        while True:
            page = self.page(after, conversation_id)
            for event in page.events:
                if event.sequence >= sequences.stop:
                    return
                if event.sequence in sequences:
                    yield event
            if page.is_last:
                return
            after = page.after

    def page(self, after: int | None, conversation_id: str | None = None) -> Page:
        """The events after a position, of one conversation or of all; without a position from the oldest on."""
        wish = {"pageSize": str(_PAGE), "after": after, "conversationId": conversation_id}
        params = {name: value for name, value in wish.items() if value is not None}
        response = self._client.get(self._url, params=params, auth=self._auth)
        if response.status_code == httpx.codes.GONE:
            kept_after = int(response.json()["details"]["after"])
            return Page([], kept_after, is_last=False, lost_to=kept_after)
        content: dict[str, Any] = response.raise_for_status().json()
        events = [event_from_log(entry) for entry in content["events"]]
        return Page(events, content["after"], is_last=content["after"] >= content["latest"])
