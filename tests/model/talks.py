"""A small model of the service: which conversation a message must land in, and what state time has brought it to.

By the contract (conversations.md 4 and 6) and nothing else. Three configurations capture the same number, one for each
grouping type, so everything that is said lands three times.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

BY_CHANNEL, BY_ADDRESSES, BY_PROFILE = GROUPINGS = (
    "GROUP_BY_PARTICIPANT_ADDRESSES_AND_CHANNEL_TYPE",
    "GROUP_BY_PARTICIPANT_ADDRESSES",
    "GROUP_BY_PROFILE",
)
CHANNELS = ("SMS", "VOICE", "WHATSAPP")
LIFETIME = timedelta(minutes=1_576_800)

Timeouts = tuple[int | None, int | None]
"""Minutes until INACTIVE and until CLOSED."""


@dataclass(frozen=True)
class Said:
    """Something that a customer says, or that is said to them."""

    number: str
    channel: str


@dataclass
class Talk:
    """A conversation."""

    grouping: str
    began_with: Said
    created_at: datetime
    timeouts: dict[str, Timeouts]
    """By channel, as they were when it began."""
    id: str = ""
    status: str = "ACTIVE"
    messages: int = 0
    last: dict[str, datetime] = field(default_factory=dict)
    """By channel, when something was last said."""

    @property
    def latest(self) -> datetime:
        return max(self.last.values())

    def deadline(self, step: int) -> datetime:
        """When all channels agree to be INACTIVE (0) or CLOSED (1). A channel without that timeout never does."""
        end = self.created_at + LIFETIME
        due = []
        for channel, moment in self.last.items():
            minutes = self.timeouts.get(channel, (None, None))[step]
            due.append(end if minutes is None else moment + timedelta(minutes=minutes))
        return min(max(due), end)

    def is_open(self, now: datetime) -> bool:
        return self.status != "CLOSED" and now < self.deadline(1)

    def hear(self, said: Said, now: datetime) -> None:
        self.last[said.channel] = now
        self.messages += 1
        self.status = "ACTIVE"

    def grow_old(self, now: datetime) -> None:
        """What the timers make of it."""
        if not self.is_open(now):
            self.status = "CLOSED"
        elif self.status == "ACTIVE" and self.deadline(0) <= now:
            self.status = "INACTIVE"


@dataclass
class Model:
    """All that is known of one account."""

    timeouts: dict[str, dict[str, Timeouts]]
    """By grouping type and by channel; what is not here is not captured."""
    talks: list[Talk] = field(default_factory=list)
    people: list[set[str]] = field(default_factory=list)
    """The numbers of those who were found to be one person."""

    def hear(self, said: Said, now: datetime) -> Iterator[Talk]:
        """Where it lands: in one conversation for each configuration that captures its channel."""
        for grouping, timeouts in self.timeouts.items():
            if said.channel in timeouts:
                talk = self._holder(grouping, said, now) or self._begin(grouping, said, now)
                talk.hear(said, now)
                yield talk

    def _holder(self, grouping: str, said: Said, now: datetime) -> Talk | None:
        """The open one that means the same key; of several, when people were found to be one, that of the last word."""
        meant = [
            talk
            for talk in self.talks
            if talk.grouping == grouping and talk.is_open(now) and self._same_key(grouping, talk.began_with, said)
        ]
        return max(meant, key=lambda talk: talk.latest, default=None)

    def _begin(self, grouping: str, said: Said, now: datetime) -> Talk:
        self.talks.append(Talk(grouping, said, now, dict(self.timeouts[grouping])))
        return self.talks[-1]

    def _same_key(self, grouping: str, one: Said, other: Said) -> bool:
        if grouping == BY_PROFILE:
            return one.number in self.person(other.number)
        return one.number == other.number and (grouping == BY_ADDRESSES or one.channel == other.channel)

    def person(self, number: str) -> set[str]:
        """All numbers of whoever has this one."""
        return next((numbers for numbers in self.people if number in numbers), {number})

    def link(self, one: str, other: str) -> None:
        both = self.person(one) | self.person(other)
        self.people = [numbers for numbers in self.people if not numbers & both] + [both]
