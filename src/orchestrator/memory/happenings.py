"""What happens to profiles and concerns the layers above: told in the unit it happens in (`kernel.unit.Unit.tell`).

The store is had alone meanwhile (`memory.turns`), so nobody is recognised in it.
"""

from collections.abc import Set
from dataclasses import dataclass

from orchestrator.domain.identity import Identifier

ParticipantKey = tuple[str, str]
"""Conversation id, participant id."""


@dataclass(frozen=True, slots=True)
class ProfilesMerged:
    """Two profiles have become one. The listener returns the `ParticipantKey`s that it moved to the survivor."""

    account_id: str
    store_id: str
    survivor_id: str
    merged_id: str


@dataclass(frozen=True, slots=True)
class ProfileSplit:
    """A profile that was merged away is there again.

    The listener moves those of the named participants who still have the profile that it was part of, and those who
    are known by nothing but the identifiers that went back. It returns the others of either kind, those who are known
    by addresses of both: a list of `{"conversationId", "participantId", "addresses"}`.
    """

    account_id: str
    store_id: str
    profile_id: str
    """The one that it was part of."""
    restored_id: str
    participants: Set[ParticipantKey]
    """Who had its id before the merge."""
    identifiers: Set[Identifier]
    """What it has now."""
