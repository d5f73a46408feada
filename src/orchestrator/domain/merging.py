"""What two profiles are as one (contract: memory.md 4.4, step 4). Taking them apart again is `domain.unmerging`.

A profile's state is a set of facts, each with a name of its own. Merging unites two states.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from orchestrator.domain.identifiers import IdentifierType, LimitPolicy
from orchestrator.domain.identity import Identifier


class Kind(StrEnum):
    """What a profile can have."""

    IDENTIFIER = "identifier"
    TRAIT = "trait"
    OBSERVATION = "observation"
    SUMMARY = "summary"
    ALIAS = "alias"
    """The id of a profile that was merged into it."""


class Item(NamedTuple):
    """The name of one thing that a profile can have."""

    kind: Kind
    name: str
    """The type of an identifier, the group of a trait, the id of anything else."""
    detail: str = ""
    """The value of an identifier, the name of a trait."""


class Fact(NamedTuple):
    """What a profile has of it. Two facts that are equal are the same one: nobody has changed it in between."""

    since: datetime | None = None
    """When an identifier was added, or a trait changed."""
    value: Any = None
    """A trait's."""
    is_unique: bool = False
    """An identifier that no other profile may have."""


State = Mapping[Item, Fact]
"""All that a profile has."""

Types = Mapping[str, IdentifierType]
"""How many identifiers of each type a profile keeps, and which."""


def identifier(of: Identifier) -> Item:
    """The item of an identifier."""
    return Item(Kind.IDENTIFIER, of.id_type, of.value)


def trait(group: str, name: str) -> Item:
    """The item of a trait."""
    return Item(Kind.TRAIT, group, name)


def alias(profile_id: str) -> Item:
    """The item of a profile that is now part of another."""
    return Item(Kind.ALIAS, profile_id)


def merge(survivor: State, merged: State, types: Types) -> dict[Item, Fact]:
    """The state of both as one.

    Of a trait the value that was changed last counts, the survivor's if both were changed at once. An identifier keeps
    the time since which either has had it. Of the types that the merged profile brings, as many are kept as the type
    allows, by its policy.
    """
    united = dict(survivor)
    for item, fact in merged.items():
        united[item] = _united(item, united[item], fact) if item in united else fact
    for id_type in {item.name for item in merged if item.kind is Kind.IDENTIFIER}:
        for item in _displaced(united, types.get(id_type), id_type):
            del united[item]
    return united


def _united(item: Item, survivors: Fact, mergeds: Fact) -> Fact:
    match item.kind, survivors.since, mergeds.since:
        case Kind.TRAIT, datetime() as ours, datetime() as theirs:
            return mergeds if theirs > ours else survivors
        case Kind.IDENTIFIER, datetime() as ours, datetime() as theirs:
            return Fact(min(ours, theirs), is_unique=survivors.is_unique or mergeds.is_unique)
    return survivors


def _displaced(state: State, known: IdentifierType | None, id_type: str) -> list[Item]:
    """What is beyond the limit of a type; one that the store no longer knows has none."""
    held = [item for item in state if item.kind is Kind.IDENTIFIER and item.name == id_type]
    if known is None or len(held) <= known.limit:
        return []
    newest_first = sorted(held, key=lambda item: (state[item].since, item.detail), reverse=True)
    if known.limit_policy is LimitPolicy.LIFO:
        newest_first.reverse()
    return newest_first[known.limit :]


@dataclass(frozen=True, slots=True)
class Merge:
    """One merge of the past, and both states before it. Of one that was undone in part: the states without that."""

    id: str
    survivor_id: str
    merged_id: str
    survivor: State
    merged: State
    types: Types
    split_off: State | None = None
    """What was taken out of it again; None if nothing was, so that the merged profile is no profile of its own."""

    def result(self) -> dict[Item, Fact]:
        """What the survivor was after it."""
        brought = dict(self.merged)
        if self.split_off is None:
            brought[alias(self.merged_id)] = Fact()
        return merge(self.survivor, brought, self.types)

    def involves(self, profile_ids: Iterable[str]) -> bool:
        """Whether it made one of these profiles what it is."""
        return not {self.survivor_id, self.merged_id}.isdisjoint(profile_ids)

    def passed_on(self, profile_ids: Iterable[str]) -> set[str]:
        """Where things are after it that were with these profiles before it."""
        after = set(profile_ids)
        if self.merged_id in after:
            after.add(self.survivor_id)
            if self.split_off is None:
                after.remove(self.merged_id)
        return after
