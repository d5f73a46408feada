"""What profiles and look-ups look like (contract: memory.md 4.1 and 4.7)."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema

from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.fields import Text
from orchestrator.kernel.openapi import Meta, Wire
from orchestrator.memory.profiles import Profile
from orchestrator.memory.wire import example

_PROFILE = "mem_profile_01kgh3m8qce0m9x2t6v4b7r5zn"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def _trait_value(value: Any) -> Any:
    if value is None:
        return None
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, str | int | float):
            raise ValueError("a trait is a string, a number, a boolean or a flat array of these")
        if isinstance(item, str) and _UNSTORABLE.search(item):
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


class ProfileRequest(Wire):
    """What is known of somebody; at least one of the traits tells who it is."""

    model_config = ConfigDict(**example(traits=_TRAITS), extra="forbid")

    traits: Annotated[
        dict[Text, Annotated[dict[Text, TraitValue], Field(max_length=99)]],
        Field(max_length=50, description="Values by group and trait. Undeclared traits are dropped, null is absent."),
    ]


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
