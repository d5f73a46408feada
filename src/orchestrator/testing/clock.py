"""The clock of the instance, turned by a test: what happened when time passed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Transition:
    """A conversation that a timer moved."""

    conversation_id: str
    before: str
    after: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Turned:
    """How the clock stands now, and what followed."""

    now: datetime
    transitions: tuple[Transition, ...]
    deliveries: tuple[Mapping[str, Any], ...]
    """Callbacks that were attempted meanwhile, as the clock's API tells of them."""
    is_settled: bool
    """False if callbacks were still on their way when the service stopped waiting for them."""


def turned(answer: Mapping[str, Any]) -> Turned:
    """What the clock's API answered."""
    return Turned(
        datetime.fromisoformat(answer["now"]),
        tuple(
            Transition(one["conversationId"], one["from"], one["to"], datetime.fromisoformat(one["at"]))
            for one in answer["transitions"]
        ),
        tuple(answer["deliveries"]),
        answer["isSettled"],
    )
