"""Events are recorded in the transaction of the change they tell of, with one delivery per status callback.

The conversation is locked by the unit, so its sequence numbers are gapless and in commit order. So are the positions
in the log of the account (`outbox.log`): whoever numbers events keeps the account's counter locked until the commit.
That is the last thing a unit does, because everybody who writes for the account waits for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from orchestrator.domain.configuration import StatusCallback
from orchestrator.domain.events import EventType
from orchestrator.kernel.clock import event_time
from orchestrator.kernel.ids import DELIVERY, new_id
from orchestrator.kernel.unit import Unit


class Stream(Protocol):
    """What events are numbered in: a conversation."""

    account_id: str
    id: str
    event_sequence: int

    @property
    def callbacks(self) -> tuple[StatusCallback, ...]:
        """Who is told."""


@dataclass(frozen=True, slots=True)
class _Event:
    account_id: str
    conversation_id: str
    sequence: int
    type: EventType
    body: str
    callbacks: Sequence[StatusCallback]


class Outbox:
    """The events of one unit."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._timestamp = event_time(unit.now)
        self._events: list[_Event] = []

    def append(self, stream: Stream, event_type: EventType, data: Mapping[str, Any]) -> None:
        """Number an event. The caller saves the stream's `event_sequence`."""
        stream.event_sequence += 1
        body = orjson.dumps({"eventType": event_type, "timestamp": self._timestamp, "data": data})
        self._events.append(
            _Event(stream.account_id, stream.id, stream.event_sequence, event_type, body.decode(), stream.callbacks)
        )

    @property
    def told(self) -> list[tuple[EventType, Sequence[StatusCallback]]]:
        """Every event so far, and who is told of it."""
        return [(event.type, event.callbacks) for event in self._events]

    async def write(self) -> None:
        """Have the events and their deliveries written, and the delivery loop woken once they are durable."""
        if not self._events:
            return
        self._unit.before_commit.append(self._write_events)
        if any(event.callbacks for event in self._events):
            await self._write_deliveries()
            self._unit.after_commit.append(self._unit.wake_delivery)

    async def _write_events(self) -> None:
        await self._unit.driver.execute(
            """
            with new as (
              select *, row_number() over (partition by account_id order by number) as step
              from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[])
                with ordinality as new (account_id, conversation_id, sequence, type, body, number)
            ), counted as (
              insert into event_positions as known (account_id, position)
              select account_id, count(*) from new group by account_id order by account_id
              on conflict (account_id) do update set position = known.position + excluded.position
              returning account_id, position
            )
            insert into events (account_id, conversation_id, sequence, position, type, body, occurred_at)
            select account_id, conversation_id, sequence,
                   position - count(*) over (partition by account_id) + step, type, body, $6
            from new join counted using (account_id)
            """,
            [event.account_id for event in self._events],
            [event.conversation_id for event in self._events],
            [event.sequence for event in self._events],
            [event.type for event in self._events],
            [event.body for event in self._events],
            self._unit.now,
        )

    async def _write_deliveries(self) -> None:
        due = [(event, callback) for event in self._events for callback in event.callbacks]
        await self._unit.driver.execute(
            """
            insert into deliveries
              (account_id, id, conversation_id, sequence, url, method, status, holds_order, next_attempt_at, created_at)
            select account_id, id, conversation_id, sequence, url, method, 'PENDING', true, $7, $7
            from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[])
              as new (account_id, id, conversation_id, sequence, url, method)
            """,
            [event.account_id for event, _ in due],
            [new_id(DELIVERY) for _ in due],
            [event.conversation_id for event, _ in due],
            [event.sequence for event, _ in due],
            [callback.url for _, callback in due],
            [callback.method for _, callback in due],
            self._unit.now,
        )
