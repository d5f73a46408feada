"""A conversation as the services work on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from orchestrator.domain.addresses import Channel
from orchestrator.domain.configuration import Settings, StatusCallback
from orchestrator.domain.grouping import Member, keys_of_members
from orchestrator.domain.lifecycle import Life, Status
from orchestrator.participants.model import Participant

MOST_METADATA = 8
"""Entries of a conversation's metadata."""


@dataclass(slots=True)
class Conversation:
    """One row, locked by the unit that changes it. `conversations.service.save` writes it back."""

    account_id: str
    id: str
    configuration_id: str | None
    """None when all its settings were given with it."""
    configuration_version: int | None
    settings: Settings
    """In force: those of the pinned configuration version, unless it has its own."""
    status: Status
    created_at: datetime
    updated_at: datetime
    live_callbacks: tuple[StatusCallback, ...]
    """The configuration's as they are now; without a configuration, those of its own settings."""
    own_callbacks: tuple[StatusCallback, ...] | None = None
    """The conversation's own instead; none at all silence it."""
    name: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    activity: dict[Channel, datetime] = field(default_factory=dict)
    next_transition_at: datetime | None = None
    rested_at: int | None = None
    """Number of the event by which it has become INACTIVE or CLOSED in this unit, until it is saved."""
    event_sequence: int = 0
    participants: list[Participant] = field(default_factory=list)
    is_new: bool = False
    succeeds: str | None = None
    """Of a new one, opened for a key: the conversation that held it and was found past its closing time."""
    own_body: Mapping[str, Any] | None = None
    """Its own settings whole, in the API's JSON form; None: those of the pinned version."""

    @property
    def callbacks(self) -> tuple[StatusCallback, ...]:
        """Those in force."""
        return self.live_callbacks if self.own_callbacks is None else self.own_callbacks

    @property
    def pinned(self) -> tuple[str, str, int] | None:
        """The configuration version whose settings are in force; None when it has its own."""
        if self.own_body is not None or self.configuration_id is None or self.configuration_version is None:
            return None
        return (self.account_id, self.configuration_id, self.configuration_version)

    @property
    def scope(self) -> tuple[str, str]:
        """Within what its grouping keys are held once: its configuration, or all settings given with conversations."""
        return (self.account_id, self.configuration_id or "")

    def keys(self, members: Sequence[Participant] | None = None) -> set[tuple[str, str, str]]:
        """The grouping keys of its participants, or of those it is about to have, within its scope."""
        meant = [
            Member(
                member.type,
                tuple(own.value for own in member.addresses),
                member.profile_id,
            )
            for member in (self.participants if members is None else members)
        ]
        return {(*self.scope, key) for key in keys_of_members(self.settings.grouping_type, meant)}

    @property
    def latest(self) -> datetime:
        """When its last communication was received; long ago when there was none."""
        return max(self.activity.values(), default=datetime.min.replace(tzinfo=UTC))

    @property
    def life(self) -> Life:
        """What its timers depend on."""
        channels = frozenset(address.channel for owner in self.participants for address in owner.addresses)
        return Life(self.status, self.created_at, self.activity, self.settings.timeouts, channels)
