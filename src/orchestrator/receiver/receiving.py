"""Events are taken once and in order: duplicates are passed over, gaps are filled from the event log first."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic

from orchestrator.receiver.events import Event
from orchestrator.receiver.inbox import Connection, Inbox
from orchestrator.receiver.log import EventLog

log = logging.getLogger(__name__)

_POSITION = "(position in the event log)"
"""Where the inbox keeps how far the log has been read, beside the conversations."""


class Gap(RuntimeError):
    """Earlier events of the conversation have not come yet, and there is no log to read them from. Answer 503."""

    def __init__(self, event: Event, missing: range) -> None:
        super().__init__(f"event {event.id} came before {', '.join(map(str, missing[:10]))}")
        self.event = event
        self.missing = missing


@dataclass(slots=True)
class Receipt:
    """What became of what came."""

    handled: list[Event] = field(default_factory=list)
    """In their order. Nothing when it had all been taken before."""
    lost: list[str] = field(default_factory=list)
    """Ids of events that neither a callback brought nor the log keeps: too old, or the conversation was deleted."""


class Receiver(Generic[Connection]):
    """Hands every event to a function once, the events of a conversation in their order.

    `handle` does its work through the connection that it is given, in one transaction with the mark that the event was
    taken. An exception of it undoes both and comes out of `receive`; the service then sends the callback again.
    """

    def __init__(
        self,
        inbox: Inbox[Connection],
        handle: Callable[[Connection, Event], None],
        event_log: EventLog | None = None,
    ) -> None:
        self._inbox = inbox
        self._handle = handle
        self._log = event_log

    def receive(self, event: Event) -> Receipt:
        """Take an event, and before it those that are missing.

        Raises Gap without a log, httpx.HTTPError when the log cannot be read, and what `handle` raises. Earlier events
        may have been taken all the same.
        """
        receipt = Receipt()
        missing = range(self._inbox.last(event.conversation_id) + 1, event.sequence)
        if missing:
            if self._log is None:
                raise Gap(event, missing)
            for earlier in self._log.of_conversation(event.conversation_id, missing):
                self._take(earlier, receipt)
        self._take(event, receipt)
        return receipt

    def catch_up(self) -> Receipt:
        """Take everything that the log holds since the last time: after a standstill longer than callbacks are retried.

        Nothing else reveals that the last event of a conversation is missing. The first time it reads the whole log.
        """
        if self._log is None:
            raise ValueError("catching up needs an event log")
        receipt, is_last = Receipt(), False
        while not is_last:
            position = self._inbox.last(_POSITION)
            page = self._log.page(position or None)
            for event in page.events:
                one = self.receive(event)
                receipt.handled += one.handled
                receipt.lost += one.lost
            if page.lost_to is not None:
                log.warning("events up to position %s of the log are no longer kept", page.lost_to)
            with self._inbox.begin() as connection:
                self._inbox.advance(connection, _POSITION, after=position, to=page.after)
            is_last = page.is_last
        return receipt

    def _take(self, event: Event, receipt: Receipt) -> None:
        """Handle it unless that has been done. Whatever the log holds of what comes before has been taken."""
        while (last := self._inbox.last(event.conversation_id)) < event.sequence:
            with self._inbox.begin() as connection:
                is_ours = self._inbox.advance(connection, event.conversation_id, after=last, to=event.sequence)
                if is_ours:
                    self._handle(connection, event)
            if is_ours:
                receipt.handled.append(event)
                self._tell_lost(event, range(last + 1, event.sequence), receipt)

    def _tell_lost(self, event: Event, lost: range, receipt: Receipt) -> None:
        if lost:
            receipt.lost += [f"{event.conversation_id}:{sequence}" for sequence in lost]
            log.warning("events %s to %s of %s are no longer kept", lost[0], lost[-1], event.conversation_id)
