"""A conversation as the services work on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.domain.addresses import Channel
from orchestrator.domain.configuration import Settings, StatusCallback
from orchestrator.domain.lifecycle import Life, Status
from orchestrator.participants.model import Participant

MOST_METADATA = 8
"""Entries of a conversation's metadata."""


@dataclass(slots=True)
class Conversation:
    """One row, locked by the unit that changes it. `conversations.service.save` writes it back."""

    account_id: str
    id: str
    configuration_id: str
    configuration_version: int
    settings: Settings
    """Of the pinned configuration version."""
    status: Status
    created_at: datetime
    updated_at: datetime
    live_callbacks: tuple[StatusCallback, ...]
    """The configuration's, as they are now."""
    own_callbacks: tuple[StatusCallback, ...] | None = None
    """The conversation's own instead; none at all silence it."""
    name: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    activity: dict[Channel, datetime] = field(default_factory=dict)
    next_transition_at: datetime | None = None
    event_sequence: int = 0
    participants: list[Participant] = field(default_factory=list)
    is_new: bool = False

    @property
    def callbacks(self) -> tuple[StatusCallback, ...]:
        """Those in force."""
        return self.live_callbacks if self.own_callbacks is None else self.own_callbacks

    @property
    def pinned(self) -> tuple[str, str, int]:
        """The configuration version it was created with."""
        return (self.account_id, self.configuration_id, self.configuration_version)

    @property
    def life(self) -> Life:
        """What its timers depend on."""
        channels = frozenset(address.channel for owner in self.participants for address in owner.addresses)
        return Life(self.status, self.created_at, self.activity, self.settings.timeouts, channels)
