"""What trait groups look like (contract: memory.md 4.9)."""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, ConfigDict, Field

from orchestrator.kernel.openapi import Meta, Wire
from orchestrator.memory.trait_groups import TraitGroup
from orchestrator.memory.trait_schemas import (
    Description,
    TraitChange,
    TraitDefinition,
    TraitDefinitionResource,
    trait_to_wire,
)
from orchestrator.memory.traits import first_letter_small
from orchestrator.memory.wire import example

MOST_GIVEN = 95
"""Definitions of one request."""

_TRAITS = {
    "tier": {"dataType": "STRING", "description": "Silver, gold or platinum"},
    "points": {"dataType": "NUMBER", "validationRule": {"ruleType": "NUMBER", "min": 0}},
    "memberId": {"dataType": "STRING", "description": "On the card"},
}
GroupName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[a-zA-Z0-9_\-.]+$")]
TraitName = Annotated[str, Field(max_length=64, pattern=r"^[a-zA-Z][a-zA-Z0-9_\-.]*$")]

Defined = TypeVar("Defined")


def _small(traits: dict[str, Defined]) -> dict[str, Defined]:
    named = {first_letter_small(name): given for name, given in traits.items()}
    if len(named) < len(traits):
        raise ValueError("a trait is named twice: the first letter of a name is made small")
    return named


class TraitGroupRequest(Wire):
    """A trait group to make."""

    model_config = ConfigDict(
        **example(displayName="Loyalty", description="The programme for regulars.", traits=_TRAITS), extra="forbid"
    )

    display_name: GroupName = Field(description="Unique in the store; profiles name their traits by it.")
    description: Description | None = None
    traits: Annotated[dict[TraitName, TraitDefinition], Field(max_length=MOST_GIVEN), AfterValidator(_small)] | None = (
        None
    )


class TraitGroupPatch(Wire):
    """What is to change of a trait group."""

    model_config = ConfigDict(
        **example(traits={"tier": {"dataType": "STRING"}, "points": {"dataType": ""}}), extra="forbid"
    )

    description: Description | None = None
    traits: Annotated[dict[TraitName, TraitChange], Field(max_length=MOST_GIVEN), AfterValidator(_small)] | None = (
        Field(None, description='Each replaces the trait\'s own definition; `"dataType": ""` removes a trait.')
    )

    def changes(self) -> dict[str, dict[str, Any] | None]:
        """Definitions by name, None where a trait is to go."""
        return {name: None if given.removes else given.stored() for name, given in (self.traits or {}).items()}


class TraitGroupResource(Wire):
    """A trait group."""

    model_config = example(displayName="Contact", description="How somebody can be reached.", version=1)

    display_name: str
    description: str | None = Field(None, description="Absent when there is none.")
    traits: dict[str, TraitDefinitionResource] | None = Field(None, description="Absent unless asked for.")
    version: int = Field(ge=1, description="Rises by one with every update.")


class TraitGroupFound(Wire):
    """A trait group, with a page of its traits."""

    trait_group: TraitGroupResource
    meta: Meta = Field(description="Where the page lies among the group's traits.")


class TraitGroupPage(Wire):
    """One page of trait groups."""

    trait_groups: list[TraitGroupResource]
    meta: Meta


def group_to_wire(group: TraitGroup, traits: Mapping[str, Mapping[str, Any]] | None) -> dict[str, Any]:
    """The group with these traits; None shows none."""
    return {
        "displayName": group.name,
        **({} if group.description is None else {"description": group.description}),
        **({} if traits is None else {"traits": {name: trait_to_wire(stored) for name, stored in traits.items()}}),
        "version": group.version,
    }
