"""Making profiles is an upsert by identity: whoever holds one's identifiers is that profile (contract: memory.md 4.2).

One profile is a batch of one. In a batch everybody is found by what those before them have brought along.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import insert

from orchestrator.domain.identifiers import IdentitySettings
from orchestrator.domain.identity import Identifier
from orchestrator.domain.matching import ENOUGH, Holders, matches
from orchestrator.kernel.errors import BadRequest, OrchestratorError
from orchestrator.kernel.fields import refused
from orchestrator.kernel.ids import PROFILE, new_id
from orchestrator.kernel.unit import Unit
from orchestrator.memory import claiming, identity_settings, trait_groups, traits
from orchestrator.memory.stores import Store
from orchestrator.memory.trait_definitions import Definitions
from orchestrator.memory.traits import Traits
from orchestrator.tables.memory import profiles as profiles_table


@dataclass(frozen=True, slots=True)
class Person:
    """What a request says of somebody."""

    traits: Traits
    identifiers: frozenset[Identifier]


@dataclass(slots=True)
class Plan:
    """Who everybody in a batch is, as far as can be seen before anything is written."""

    outcomes: list[str | OrchestratorError] = field(default_factory=list)
    """The profile of each, or why there is none."""
    new: set[str] = field(default_factory=set)
    wanted: set[tuple[Identifier, str]] = field(default_factory=set)
    """Identifiers that profiles have not got yet."""

    def make(self) -> str:
        """A profile for somebody whom nobody knows."""
        profile_id = new_id(PROFILE)
        self.new.add(profile_id)
        return profile_id

    def known(self) -> set[str]:
        """The profiles that were there before."""
        return {one for one in self.outcomes if isinstance(one, str)} - self.new


async def create_profile(unit: Unit, store: Store, given: Traits) -> str:
    """Find the profile that has one of the identifiers among the traits, or make it; write the traits to it.

    Returns its id. Raises BadRequest when no trait is an identifier, and Conflict when several profiles have one:
    merging them is not supported yet.
    """
    [outcome] = await write_profiles(unit, store, [given])
    if isinstance(outcome, OrchestratorError):
        raise outcome
    return outcome


async def write_profiles(unit: Unit, store: Store, given: Sequence[Traits]) -> list[str | OrchestratorError]:
    """The same for many; what cannot be written is told in its place, and the others are written."""
    settings = await identity_settings.of_store(unit, store)
    definitions = await trait_groups.definitions(unit, store)
    read = [_read(settings, definitions, one) for one in given]
    people = [one for one in read if isinstance(one, Person)]
    if len(settings.shared_rules()) >= ENOUGH:
        await identity_settings.hold(unit, store)
    written = iter(await _write(unit, store, settings, people) if people else [])
    return [one if isinstance(one, OrchestratorError) else next(written) for one in read]


def _read(settings: IdentitySettings, definitions: Definitions, given: Traits) -> Person | BadRequest:
    try:
        declared = traits.declared(definitions, given)
    except BadRequest as error:
        return error
    found = traits.promoted(settings, definitions, declared)
    if found:
        return Person(declared, frozenset(found))
    names = ", ".join(name for name, _ in trait_groups.promotions(definitions))
    return refused("/traits", f"a profile is recognised by its identifiers: give a usable one of {names}")


async def _write(
    unit: Unit, store: Store, settings: IdentitySettings, people: Sequence[Person]
) -> list[str | OrchestratorError]:
    async def once() -> Plan | None:
        return await _claim(unit, store, settings, people)

    outcomes = (await claiming.attempt(unit, once)).outcomes
    values: dict[str, dict[str, dict[str, Any]]] = {}
    for person, profile_id in zip(people, outcomes, strict=True):
        if isinstance(profile_id, str):
            for group, given in person.traits.items():
                values.setdefault(profile_id, {}).setdefault(group, {}).update(given)
    await traits.write(unit, store, values)
    return outcomes


async def _claim(unit: Unit, store: Store, settings: IdentitySettings, people: Sequence[Person]) -> Plan | None:
    """One attempt at having all identifiers on their profiles; None when somebody took one of them meanwhile."""
    sought = {identifier for person in people for identifier in person.identifiers}
    plan = _plan(settings, people, await claiming.holders(unit, store, sought))
    if not await claiming.hold(unit, store, plan.known()):
        return None
    if not await claiming.take(unit, store, settings, plan.wanted):
        return None
    await _add_profiles(unit, store, plan.new)
    return plan


def _plan(settings: IdentitySettings, people: Sequence[Person], found: Holders) -> Plan:
    plan = Plan()
    holders = {identifier: set(profile_ids) for identifier, profile_ids in found.items()}
    for person in people:
        matched = matches(settings, person.identifiers, holders)
        if len(matched) > 1:
            plan.outcomes.append(claiming.merge_needed(person.identifiers, matched))
            continue
        profile_id = matched.pop() if matched else plan.make()
        plan.outcomes.append(profile_id)
        for identifier in person.identifiers:
            having = holders.setdefault(identifier, set())
            if profile_id not in having:
                having.add(profile_id)
                plan.wanted.add((identifier, profile_id))
    return plan


async def _add_profiles(unit: Unit, store: Store, profile_ids: Collection[str]) -> None:
    of_store = {"account_id": store.account_id, "store_id": store.id, "created_at": unit.now}
    if rows := [{**of_store, "id": profile_id} for profile_id in sorted(profile_ids)]:
        await unit.connection.execute(insert(profiles_table), rows)
