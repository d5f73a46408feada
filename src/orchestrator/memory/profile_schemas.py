"""What profiles, their traits and look-ups look like (contract: memory.md 4.1, 4.7, 4.8 and 4.10)."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema
from sqlalchemy import Row

from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.fields import Text
from orchestrator.kernel.openapi import Meta, Wire
from orchestrator.memory.profiles import Profile
from orchestrator.memory.trait_schemas import number
from orchestrator.memory.wire import MemoryAccepted, example

_PROFILE = "mem_profile_01kgh3m8qce0m9x2t6v4b7r5zn"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def _trait_value(value: Any) -> Any:
    if value is None:
        return None
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, bool):
            continue
        if isinstance(item, int | float):
            number(item)
        elif not isinstance(item, str):
            raise ValueError("a trait is a string, a number, a boolean or a flat array of these")
        elif _UNSTORABLE.search(item):
            raise ValueError("text must not hold the character U+0000 or half of a surrogate pair")
    return value


_SCALARS = [{"type": "string"}, {"type": "number"}, {"type": "boolean"}]
_TRAIT_SCHEMA = {"anyOf": [*_SCALARS, {"type": "array", "items": {"anyOf": _SCALARS}}]}
TraitValue = Annotated[
    Any,
    AfterValidator(_trait_value),
    WithJsonSchema({"anyOf": [*_TRAIT_SCHEMA["anyOf"], {"type": "null"}]}, mode="validation"),
    WithJsonSchema(_TRAIT_SCHEMA, mode="serialization"),
]
_TRAITS = {"Contact": {"firstName": "Kiran", "phone": "+15551234567"}}


Groups = Annotated[dict[Text, Annotated[dict[Text, TraitValue], Field(max_length=99)]], Field(max_length=50)]


class ProfileRequest(Wire):
    """What is known of somebody; at least one of the traits tells who it is."""

    model_config = ConfigDict(**example(traits=_TRAITS), extra="forbid")

    traits: Groups = Field(description="Values by group and trait. Undeclared traits are dropped, null is absent.")


class ProfilePatch(Wire):
    """What is to change of somebody."""

    model_config = ConfigDict(**example(traits={"Contact": {"city": "Springfield", "state": None}}), extra="forbid")

    traits: Groups = Field(description="Values by group and trait; null removes a trait. All must be declared.")


class ProfileReplacement(Wire):
    """Everything that is known of somebody: what is left out is deleted."""

    model_config = ConfigDict(**example(traits=_TRAITS), extra="forbid")

    traits: Groups = Field(description="Values by group and trait. All must be declared; null is absent.")


class BulkRequest(Wire):
    """What is known of many."""

    model_config = ConfigDict(**example(profiles=[{"traits": _TRAITS}]), extra="forbid")

    profiles: Annotated[list[ProfileRequest], Field(min_length=1, max_length=1000)]


class BulkAccepted(MemoryAccepted):
    """Where to follow what became of many profiles."""

    operation_id: str
    created_at: str = Field(json_schema_extra={"format": "date-time"})


class TraitResource(Wire):
    """One trait of a profile."""

    model_config = example(name="city", value="Springfield", traitGroup="Contact", timestamp="2026-02-03T09:15:04Z")

    name: str
    value: TraitValue
    trait_group: str
    timestamp: str = Field(description="Of its last change.", json_schema_extra={"format": "date-time"})


class TraitPage(Wire):
    """One page of traits."""

    traits: list[TraitResource]
    meta: Meta


class ProfileAccepted(Wire):
    """The profile that the traits were written to."""

    model_config = example(id=_PROFILE, message="Profile written.")

    id: str = Field(description="Of the new profile, or of the one that has the identifier.")
    message: str


class ProfileResource(Wire):
    """A profile."""

    model_config = example(id=_PROFILE, createdAt="2026-02-03T09:15:04Z", traits=_TRAITS)

    id: str
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    traits: dict[str, dict[str, TraitValue]] = Field(description="Values by group and trait.")


class ProfilePage(Wire):
    """One page of profile ids."""

    model_config = example(profiles=[_PROFILE], meta={"key": "profiles", "pageSize": 1})

    profiles: list[str]
    meta: Meta


class LookupResource(Wire):
    """Who has an identifier."""

    model_config = example(normalizedValue="+15559876543", profiles=[_PROFILE])

    normalized_value: str
    profiles: list[str] = Field(description="Profile ids; empty when nobody has it.")


def profile_to_wire(profile: Profile) -> dict[str, Any]:
    """The profile resource."""
    return {"id": profile.id, "createdAt": rest_time(profile.created_at), "traits": profile.traits}


def trait_to_wire(row: Row[Any]) -> dict[str, Any]:
    """One trait, of a row of the list."""
    return {
        "name": row.name,
        "value": row.value,
        "traitGroup": row.trait_group,
        "timestamp": rest_time(row.updated_at),
    }
