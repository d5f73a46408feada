"""What happened in a conversation, in the order in which it happened: a story made of events and communications."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.events import EventType

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened."""

    kind: str
    """`said`, or `joined`, `changed`, `left` of a participant, `opened` or `moved` of the conversation."""
    at: str
    about: Json
    """The communication, participant or conversation, as the API shows it."""
    sequence: int | None = None
    """Of its event; None once that is past its keeping."""
    before: str | None = None
    """The status that a conversation had."""


def timeline(communications: Sequence[Json], events: Sequence[Json]) -> list[Entry]:
    """All of it. What was said is shown as it is now, and where it was first told of."""
    by_id = {one["id"]: one for one in communications}
    told = list(_of_events(events, by_id))
    known = {entry.about["id"] for entry in told if entry.kind == "said"}
    # Events are kept for a time only; what was said stays.
    older = [Entry("said", one["createdAt"], one) for one in communications if one["id"] not in known]
    return sorted(older, key=lambda entry: entry.at) + told


def _of_events(events: Sequence[Json], by_id: Mapping[str, Json]) -> Iterable[Entry]:
    status: str | None = None
    for event in events:
        about, at, sequence = event["data"], event["timestamp"], event["sequence"]
        match event["eventType"]:
            case EventType.COMMUNICATION_CREATED:
                yield Entry("said", at, by_id.get(about["id"], about), sequence)
            case EventType.PARTICIPANT_ADDED:
                yield Entry("joined", at, about, sequence)
            case EventType.PARTICIPANT_UPDATED:
                yield Entry("changed", at, about, sequence)
            case EventType.PARTICIPANT_REMOVED:
                yield Entry("left", at, about, sequence)
            case EventType.CONVERSATION_CREATED:
                status = about["status"]
                yield Entry("opened", at, about, sequence)
            case EventType.CONVERSATION_UPDATED:
                yield Entry("moved", at, about, sequence, before=status)
                status = about["status"]
