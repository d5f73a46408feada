"""What a turn of the clock brings to one account: conversations that move on, and callbacks that are sent."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestrator.kernel.unit import Unit

MOST_TOLD = 1_000
"""Transitions, and deliveries; the others are counted."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A conversation that has another status."""

    conversation_id: str
    before: str
    after: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery, as it is after its last attempt."""

    id: str
    event_type: str | None
    """None once the event is past its keeping."""
    conversation_id: str
    sequence: int
    url: str
    status: str
    response_status: int | None
    error: str | None
    attempts: int
    at: datetime | None
    """When the last attempt was begun; None before the first."""


@dataclass(slots=True)
class Happened:
    """Looks on, at each stop of the clock before and after it is made.

    Not once at the end: by then what came first may be past its keeping.
    """

    account_id: str
    started_at: datetime
    position: int
    """Of the last event that was looked at."""
    moved: list[Moved] = field(default_factory=list)
    moved_in_all: int = 0
    sent: dict[str, Sent] = field(default_factory=dict)
    """By their ids, in the order of their first attempts."""
    not_told: set[str] = field(default_factory=set)
    """Ids of the other deliveries."""
    _status: dict[str, str] = field(default_factory=dict)
    """Of conversations that time moves on."""

    @classmethod
    async def from_now(cls, unit: Unit, account_id: str) -> "Happened":
        """What happens from the moment of this unit on."""
        position = await unit.driver.fetchval("select position from event_positions where account_id = $1", account_id)
        found = cls(account_id, unit.now, position or 0)
        await found.before(unit, unit.now)  # what is overdue already
        return found

    async def before(self, unit: Unit, stop: datetime) -> None:
        """Note how those are that may move at the next stop: events tell only how they are afterwards."""
        rows = await unit.driver.fetch(
            "select id, status from conversations "
            "where account_id = $1 and status <> 'CLOSED' and next_transition_at <= $2",
            self.account_id,
            stop,
        )
        self._status |= {row["id"]: row["status"] for row in rows}

    async def after(self, unit: Unit) -> None:
        """Note what has happened at this stop."""
        for row in await unit.driver.fetch(_DELIVERIES, self.account_id, unit.now, self.started_at, self.position):
            one = Sent(**dict(row))
            if one.id in self.sent or len(self.sent) < MOST_TOLD:
                self.sent[one.id] = one
            else:
                self.not_told.add(one.id)
        for row in await unit.driver.fetch(_CHANGES, self.account_id, self.position):
            self.position = row["position"]
            self._note(row)

    def _note(self, row: Any) -> None:
        before = self._status.get(row["conversation_id"], row["status"])
        if before == row["status"]:  # another change, or somebody else's
            return
        self._status[row["conversation_id"]] = row["status"]
        self.moved_in_all += 1
        if len(self.moved) < MOST_TOLD:
            self.moved.append(Moved(row["conversation_id"], before, row["status"], row["occurred_at"]))


# What was attempted before the first turn began does not belong to it, though its time may be the same: the clock may
# have stood still.
_DELIVERIES = """
with touched as (
  select conversation_id, delivery_id as id from delivery_attempts
  where account_id = $1 and started_at >= $2 and started_at > $3
  union
  select conversation_id, d.id
  from events join deliveries d using (account_id, conversation_id, sequence)
  where account_id = $1 and position > $4
)
select d.id, e.type as event_type, d.conversation_id, d.sequence, d.url, d.status, d.last_status as response_status,
       d.last_error as error, d.attempts,
       (select max(a.started_at) from delivery_attempts a
        where a.account_id = $1 and a.conversation_id = d.conversation_id and a.delivery_id = d.id) as at
from touched join deliveries d on d.account_id = $1 and d.id = touched.id
left join events e on e.account_id = $1 and e.conversation_id = d.conversation_id and e.sequence = d.sequence
order by e.position, d.id
"""
_CHANGES = """
select conversation_id, position, occurred_at, body::jsonb #>> '{data,status}' as status
from events where account_id = $1 and position > $2 and type = 'CONVERSATION_UPDATED'
order by position
"""
