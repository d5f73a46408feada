"""What merges of profiles look like. A resource of our own, beyond Twilio's API."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.fields import Text
from orchestrator.kernel.openapi import Meta, Wire
from orchestrator.memory.merges import Entry
from orchestrator.memory.wire import example

_TIME: dict[str, Any] = {"format": "date-time"}
_IDENTIFIER = {"idType": "phone", "value": "+15559876543"}
_REASON = {"trigger": "identifier", "identifiers": [_IDENTIFIER]}
_MERGE = {
    "id": "mem_merge_01kgh3m8qce0m9x2t6v4b7r5zn",
    "number": 1,
    "survivorId": "mem_profile_01kgh3k1w8fmkrxj2c5a9d7e6b",
    "mergedId": "mem_profile_01kgh3m8qce0m9x2t6v4b7r5zn",
    "status": "MERGED",
    "reason": _REASON,
    "mergedAt": "2026-02-03T09:15:04Z",
    "undoneAt": None,
    "conflicts": None,
}
_STATE = {
    "createdAt": "2026-02-03T09:15:04Z",
    "identifiers": [_IDENTIFIER],
    "traits": [
        {"traitGroup": "Contact", "name": "phone", "value": "+15559876543", "timestamp": "2026-02-03T09:15:04Z"}
    ],
    "observations": 2,
    "summaries": 1,
    "aliases": [],
}

Status = Literal["MERGED", "UNDONE", "SPLIT"]


class MergedIdentifier(Wire):
    """A value by which a profile is recognised."""

    model_config = example(**_IDENTIFIER)

    id_type: Text = Field(min_length=2, max_length=30)
    value: Text = Field(min_length=1, max_length=255)


class UndoRequest(Wire):
    """What of a merge to undo."""

    model_config = ConfigDict(**example(identifiers=[_IDENTIFIER]), extra="forbid")

    identifiers: Annotated[list[MergedIdentifier], Field(min_length=1, max_length=1500)] | None = Field(
        None,
        description="Only these identifiers, and the traits that stand for them, leave the survivor. All of them must "
        "be such as the merged profile brought. Without it, everything that it brought leaves.",
    )

    def chosen(self) -> list[tuple[str, str]] | None:
        """Types and values of these identifiers."""
        return None if self.identifiers is None else [(one.id_type, one.value) for one in self.identifiers]


class MergeReason(Wire):
    """Why profiles were merged."""

    model_config = example(**_REASON)

    trigger: Literal["profile", "bulk", "import", "identifier", "traits"] = Field(description="What was asked for.")
    identifiers: list[MergedIdentifier] = Field(description="The values that two profiles turned out to share.")


class MergeConflict(Wire):
    """Where an undo could not give what there would be without the merge, because it was changed since."""

    model_config = example(
        kind="trait",
        profileId="mem_profile_01kgh3k1w8fmkrxj2c5a9d7e6b",
        traitGroup="Contact",
        name="city",
        kept="Chicago",
        otherwise="Springfield",
    )

    kind: Literal["identifier", "trait", "observation", "summary", "participant"]
    profile_id: str | None = Field(None, description="The profile it is about; not of a participant.")
    kept: Any = Field(
        None, description="What this profile has now: a trait's value; of anything else, whether it has it."
    )
    otherwise: Any = Field(None, description="What it would have, had there been no merge.")
    id_type: str | None = Field(None, description="Of an identifier, as `value` is.")
    value: str | None = None
    trait_group: str | None = Field(None, description="Of a trait, as `name` is.")
    name: str | None = None
    observation_id: str | None = None
    summary_id: str | None = None
    conversation_id: str | None = Field(
        None, description="Of a participant who is known by addresses of both profiles; it stays as it is."
    )
    participant_id: str | None = None
    addresses: list[Any] | None = None


class MergeResource(Wire):
    """Two profiles that became one."""

    model_config = example(**_MERGE)

    id: str
    number: int = Field(description="From 1 in each store, in the order of the merges.")
    survivor_id: str
    merged_id: str
    status: Status = Field(description="`UNDONE` wholly, or `SPLIT`: some identifiers were taken out of it.")
    reason: MergeReason
    merged_at: str = Field(json_schema_extra=_TIME)
    undone_at: str | None = Field(json_schema_extra=_TIME)
    conflicts: list[MergeConflict] | None = Field(description="Null as long as the merge is in force.")


class StateTrait(Wire):
    """A trait of a profile before the merge."""

    trait_group: str
    name: str
    value: Any
    timestamp: str = Field(json_schema_extra=_TIME)


class StateBefore(Wire):
    """What a profile was before the merge; of one that was split, without what was taken out."""

    model_config = example(**_STATE)

    created_at: str = Field(json_schema_extra=_TIME)
    identifiers: list[MergedIdentifier]
    traits: list[StateTrait]
    observations: int = Field(description="How many.")
    summaries: int = Field(description="How many.")
    aliases: list[str] = Field(description="Profiles that had been merged into it.")


class StatesBefore(Wire):
    """Both profiles."""

    survivor: StateBefore
    merged: StateBefore


class MergeDetails(MergeResource):
    """Two profiles that became one, and what they were before."""

    model_config = example(**_MERGE, before={"survivor": _STATE, "merged": _STATE})

    before: StatesBefore


class MergePage(Wire):
    """One page of merges."""

    model_config = example(merges=[_MERGE], meta={"key": "merges", "pageSize": 1})

    merges: list[MergeResource]
    meta: Meta


def merge_to_wire(entry: Entry) -> dict[str, Any]:
    """The resource."""
    return {
        "id": entry.id,
        "number": entry.number,
        "survivorId": entry.survivor_id,
        "mergedId": entry.merged_id,
        "status": entry.status,
        "reason": entry.reason,
        "mergedAt": rest_time(entry.merged_at),
        "undoneAt": None if entry.undone_at is None else rest_time(entry.undone_at),
        "conflicts": entry.conflicts,
    }


def details_to_wire(entry: Entry) -> dict[str, Any]:
    """The resource, with both states."""
    before = {side: _state_to_wire(entry.before[side]) for side in ("survivor", "merged")}
    return {**merge_to_wire(entry), "before": before}


def _state_to_wire(state: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "createdAt": _rest_time(state["createdAt"]),
        "identifiers": [{"idType": one["idType"], "value": one["value"]} for one in state["identifiers"]],
        "traits": [
            {
                "traitGroup": one["group"],
                "name": one["name"],
                "value": one["value"],
                "timestamp": _rest_time(one["updatedAt"]),
            }
            for one in state["traits"]
        ],
        "observations": len(state["observations"]),
        "summaries": len(state["summaries"]),
        "aliases": state["aliases"],
    }


def _rest_time(text: str) -> str:
    return rest_time(datetime.fromisoformat(text).astimezone(UTC))
