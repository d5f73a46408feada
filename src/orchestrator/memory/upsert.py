"""Making profiles is an upsert by identity: whoever holds one's identifiers is that profile (contract: memory.md 4.2).

One profile is a batch of one. In a batch everybody is found by what those before them have brought along. Several
profiles that hold one's identifiers are one person, and become one profile (`memory.merging`).
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
from orchestrator.memory import claiming, identity_settings, merging, trait_groups, traits, turns
from orchestrator.memory.merging import Reason, Trigger
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

    profile_ids: list[str] = field(default_factory=list)
    """The profile of each, up to the first who is several profiles."""
    new: set[str] = field(default_factory=set)
    wanted: set[tuple[Identifier, str]] = field(default_factory=set)
    """Identifiers that profiles have not got yet."""
    several: tuple[Collection[str], Holders] | None = None
    """The profiles that the next one is, and who has what."""

    def make(self) -> str:
        """A profile for somebody whom nobody knows."""
        profile_id = new_id(PROFILE)
        self.new.add(profile_id)
        return profile_id

    def known(self) -> set[str]:
        """The profiles that were there before."""
        return set(self.profile_ids) - self.new


async def create_profile(unit: Unit, store: Store, given: Traits) -> str:
    """Find the profile that has one of the identifiers among the traits, or make it; write the traits to it.

    Returns its id; if several profiles have them, the id that those are one under from then on. Raises BadRequest when
    no trait is an identifier.
    """
    [outcome] = await write_profiles(unit, store, [given], trigger=Trigger.PROFILE)
    if isinstance(outcome, OrchestratorError):
        raise outcome
    return outcome


async def write_profiles(
    unit: Unit, store: Store, given: Sequence[Traits], *, trigger: Trigger = Trigger.BULK
) -> list[str | OrchestratorError]:
    """The same for many; what cannot be written is told in its place, and the others are written.

    The id of a profile that one further on in the batch merges away is told as that of the survivor.
    """
    if len(given) > 1:
        # A plan kept from when the store was empty reads the whole store for each row: 3 times slower and more.
        await unit.driver.execute("set local plan_cache_mode = force_custom_plan")
    settings = await identity_settings.of_store(unit, store)
    definitions = await trait_groups.definitions(unit, store)
    read = [_read(settings, definitions, one) for one in given]
    people = [one for one in read if isinstance(one, Person)]
    writing = _Writing(unit, store, settings, people, trigger)
    written = iter(await turns.take(unit, store, writing.write) if people else [])
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


@dataclass(frozen=True, slots=True)
class _Writing:
    """A batch on its way into a store."""

    unit: Unit
    store: Store
    settings: IdentitySettings
    people: Sequence[Person]
    trigger: Trigger

    async def write(self, may_merge: bool) -> list[str]:  # noqa: FBT001 - `turns.take` says it
        """Returns the profile of each. Raises MergeNeeded."""
        if len(self.settings.shared_rules()) >= ENOUGH:
            await identity_settings.hold(self.unit, self.store)
        profile_ids: list[str] = []
        survivors: dict[str, str] = {}
        size = len(self.people)
        while len(profile_ids) < len(self.people):
            plan = await self._write(self.people[len(profile_ids) :][:size], may_merge=may_merge)
            profile_ids += plan.profile_ids
            size *= 2
            if plan.several is not None:
                several, holders = plan.several
                survivor_id = await self._merge(self.people[len(profile_ids)], several, holders)
                survivors |= dict.fromkeys(several, survivor_id)
                size = 1  # and then more again: a batch that merges often is not to be looked up each time as a whole
        return [_last(survivors, profile_id) for profile_id in profile_ids]

    async def _merge(self, person: Person, several: Collection[str], holders: Holders) -> str:
        reason: Reason = merging.shared(self.trigger, person.identifiers, holders, several)
        return await merging.merge(self.unit, self.store, self.settings, several, reason)

    async def _write(self, people: Sequence[Person], *, may_merge: bool) -> Plan:
        """Write everybody up to the first who is several profiles."""

        async def once() -> Plan | None:
            return await self._claim(people, may_merge=may_merge)

        plan = await claiming.attempt(self.unit, once)
        values: dict[str, dict[str, dict[str, Any]]] = {}
        for person, profile_id in zip(people, plan.profile_ids, strict=False):
            for group, given in person.traits.items():
                values.setdefault(profile_id, {}).setdefault(group, {}).update(given)
        await traits.write(self.unit, self.store, values)
        return plan

    async def _claim(self, people: Sequence[Person], *, may_merge: bool) -> Plan | None:
        """One attempt at having all identifiers on their profiles; None when somebody took one of them meanwhile."""
        sought = {identifier for person in people for identifier in person.identifiers}
        plan = _plan(self.settings, people, await claiming.holders(self.unit, self.store, sought))
        if plan.several is not None and not may_merge:
            raise turns.MergeNeeded
        if not await claiming.hold(self.unit, self.store, plan.known()):
            return None
        if not await claiming.take(self.unit, self.store, self.settings, plan.wanted):
            return None
        await _add_profiles(self.unit, self.store, plan.new)
        return plan


def _last(survivors: dict[str, str], profile_id: str) -> str:
    """The profile that one is part of by now."""
    while (survivor_id := survivors.get(profile_id, profile_id)) != profile_id:
        profile_id = survivor_id
    return profile_id


def _plan(settings: IdentitySettings, people: Sequence[Person], found: Holders) -> Plan:
    plan = Plan()
    holders = {identifier: set(profile_ids) for identifier, profile_ids in found.items()}
    for person in people:
        matched = matches(settings, person.identifiers, holders)
        if len(matched) > 1:
            plan.several = (matched, holders)
            return plan
        profile_id = matched.pop() if matched else plan.make()
        plan.profile_ids.append(profile_id)
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
