"""Status callbacks, received on this machine: proved, kept for the test to ask, and refused where the test says so."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.domain.events import EventType
from orchestrator.receiver import Event, NotGenuine, verify


class NotCalledBack(AssertionError):
    """The callback that a test waits for has not come in time; the message says what has."""


@dataclass(frozen=True, slots=True)
class Callback:
    """One attempt to bring one event."""

    event_type: str
    conversation_id: str
    sequence: int
    """Of the event in its conversation, from 1 without gaps."""
    timestamp: str
    data: dict[str, Any] = field(repr=False)
    """The conversation, participant or communication as it was then."""
    token: str
    """The idempotency token: the same for all attempts."""
    attempt: int
    answered: int
    """The HTTP status that it was answered with."""
    url: str = field(repr=False)
    """As it was called, with its query."""

    @property
    def is_taken(self) -> bool:
        """Whether it was answered with success, so that it will not come again."""
        return 200 <= self.answered < 300

    def __str__(self) -> str:
        refused = "" if self.is_taken else f", answered {self.answered}"
        return f"{self.event_type} of {self.conversation_id} (number {self.sequence}, attempt {self.attempt}{refused})"


class Callbacks:
    """What the service has called back in one test. Threads may share it."""

    def __init__(self, url: str, auth_token: str, situation: Callable[[], list[str]] = list) -> None:
        self.url = url
        """Where this test is called back; whatever is appended to its path leads here too."""
        self._auth_token = auth_token
        self._situation = situation
        """Lines that help somebody who waits in vain."""
        self._came: list[Callback] = []
        self._forged: list[str] = []
        self._failures: list[int] = []
        self._changed = threading.Condition()

    @property
    def all(self) -> list[Callback]:
        """Every attempt, in the order in which they came."""
        with self._changed:
            return list(self._came)

    @property
    def forged(self) -> list[str]:
        """What was refused with a 403 because the account has not signed it: the reasons."""
        with self._changed:
            return list(self._forged)

    def clear(self) -> None:
        """Forget what came, and fail no more."""
        with self._changed:
            del self._came[:], self._forged[:], self._failures[:]

    def fail_with(self, status: int, *, times: int = 1) -> None:
        """Answer the next callbacks with this HTTP status, and then with success again."""
        if not 300 <= status <= 599:
            raise ValueError(f"a callback fails with a status from 300 to 599, not {status}")
        with self._changed:
            self._failures += [status] * times

    def wait_for(
        self,
        event_type: str,
        conversation_id: str | None = None,
        *,
        timeout: float = 5.0,
        where: Callable[[Callback], bool] = lambda callback: True,
    ) -> Callback:
        """The first callback of this kind that was taken, as soon as it is there.

        `timeout` is in seconds of the real clock. Raises NotCalledBack, ValueError for an event that does not exist.
        """
        __tracebackhide__ = True  # pytest shows the line of the test
        if event_type not in set(EventType):
            raise ValueError(f"there is no event {event_type}: give one of {', '.join(EventType)}")

        def fits(callback: Callback) -> bool:
            return (
                callback.is_taken
                and callback.event_type == event_type
                and conversation_id in (None, callback.conversation_id)
                and where(callback)
            )

        found = self._first(fits, timeout)
        if found is None:
            raise NotCalledBack(self._explained(event_type, conversation_id, timeout))
        return found

    def take(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """A request came; returns the HTTP status to answer with."""
        try:
            event = verify(self._auth_token, url, headers, body)
        except NotGenuine as error:
            with self._changed:
                self._forged.append(str(error))
            return 403
        with self._changed:
            status = self._failures.pop(0) if self._failures else 204
            self._came.append(_callback(event, url, _attempt(headers), status))
            self._changed.notify_all()
        return status

    def _first(self, fits: Callable[[Callback], bool], timeout: float) -> Callback | None:
        give_up = time.monotonic() + timeout
        with self._changed:
            while (found := next(filter(fits, self._came), None)) is None:
                if not self._changed.wait(give_up - time.monotonic()):
                    return next(filter(fits, self._came), None)
            return found

    def _explained(self, event_type: str, conversation_id: str | None, timeout: float) -> str:
        of = f" of {conversation_id}" if conversation_id else ""
        came = [f"  {callback}" for callback in self.all] or ["  nothing"]
        forged = [f"  refused, for it is not the account's: {reason}" for reason in self.forged]
        return "\n".join(
            [f"no {event_type}{of} that fits came within {timeout:g} s. What came:", *came, *forged, *self._situation()]
        )


def _callback(event: Event, url: str, attempt: int, status: int) -> Callback:
    assert event.token is not None  # a callback has one
    return Callback(
        event.type,
        event.conversation_id,
        event.sequence,
        event.timestamp,
        event.data,
        event.token,
        attempt,
        status,
        url,
    )


def _attempt(headers: Mapping[str, str]) -> int:
    return next(int(value) for name, value in headers.items() if name.lower() == "orchestrator-attempt")
