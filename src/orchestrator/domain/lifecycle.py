"""The life of a conversation: ACTIVE, INACTIVE, CLOSED, and when the next step is due.

Timers run from the last communication, per channel. A channel that expires only proposes: the conversation moves when
the last still-running channel agrees (contract: conversations.md section 6).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from orchestrator.domain.addresses import Channel
from orchestrator.domain.configuration import Timeouts

LIFETIME = timedelta(minutes=1_576_800)
"""No conversation stays open longer than three years, whatever its activity."""

_NO_TIMEOUTS = Timeouts()


class Status(StrEnum):
    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    CLOSED = "CLOSED"


@dataclass(frozen=True, slots=True)
class Life:
    """What the timers of one conversation depend on."""

    status: Status
    created_at: datetime
    activity: Mapping[Channel, datetime]
    """Per channel, when its last communication was received. Empty before the first one."""
    timeouts: Mapping[Channel, Timeouts]
    participant_channels: frozenset[Channel] = frozenset()
    """Stand in for `activity` before the first communication; their clock starts at creation."""


@dataclass(frozen=True, slots=True)
class Transition:
    """A step that is due at a moment."""

    to: Status
    at: datetime


def next_transition(life: Life) -> Transition | None:
    """The next step that time alone will bring, or None for a CLOSED conversation.

    With `{inactive: 10, closed: 30}` minutes on the only channel: INACTIVE 10 and CLOSED 30 minutes after the last
    communication. Equal deadlines go straight to CLOSED. A channel without a timeout blocks that step; the three-year
    limit is never blocked.
    """
    if life.status is Status.CLOSED:
        return None
    running = _running(life)
    closed_at = _closes_at(life, running)
    if life.status is Status.ACTIVE:
        inactive_at = _last(running, life.timeouts, "inactive")
        if inactive_at is not None and inactive_at < closed_at:
            return Transition(Status.INACTIVE, inactive_at)
    return Transition(Status.CLOSED, closed_at)


def has_ended(life: Life, now: datetime) -> bool:
    """Whether the conversation is closed or should be by now, even if nobody has written that down yet."""
    return life.status is Status.CLOSED or _closes_at(life, _running(life)) <= now


def _running(life: Life) -> Mapping[Channel, datetime]:
    return life.activity or dict.fromkeys(life.participant_channels, life.created_at)


def _closes_at(life: Life, running: Mapping[Channel, datetime]) -> datetime:
    end_of_life = life.created_at + LIFETIME
    return min(_last(running, life.timeouts, "closed") or end_of_life, end_of_life)


def _last(running: Mapping[Channel, datetime], timeouts: Mapping[Channel, Timeouts], step: str) -> datetime | None:
    """When the last running channel agrees to a step; None where a channel has no such timeout, or none is running."""
    deadlines = []
    for channel, since in running.items():
        timeout: timedelta | None = getattr(timeouts.get(channel, _NO_TIMEOUTS), step)
        if timeout is None:
            return None
        deadlines.append(since + timeout)
    return max(deadlines, default=None)
