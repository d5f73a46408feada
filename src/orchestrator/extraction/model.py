"""A job: what was said in a conversation until it came to rest is to be read for what is worth remembering."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from orchestrator.domain.lifecycle import Status


class JobStatus(StrEnum):
    """How far a job has got."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Job:
    """One row."""

    account_id: str
    conversation_id: str
    sequence: int
    """Number of the event by which the conversation came to rest: the job covers what was said before it."""
    state: Status
    """INACTIVE or CLOSED."""
    status: JobStatus
    attempts: int
    created_at: datetime
    failure_reason: str | None = None
    """Why the last attempt failed."""
    result: Mapping[str, Any] | None = None
    next_attempt_at: datetime | None = None
    """When it may be claimed; while it is claimed, when the claim lapses."""
    completed_at: datetime | None = None

    @property
    def key(self) -> str:
        """The same for every attempt, and never that of another job."""
        return f"{self.conversation_id}/{self.sequence}"


@dataclass(frozen=True, slots=True)
class Result:
    """What a COMPLETED job wrote."""

    observations: int = 0
    """New ones."""
    revisions: int = 0
    """Observations that were there and say something else now."""
    summaries: int = 0
    ignored: int = 0
    """Entries of the answer whose profile is not a customer's, or whose observation is not of that profile."""
    note: str | None = None
    """Why there was nothing to do."""
