"""Changing a profile that is there: some of its traits, or all of them (contract: memory.md 4.5)."""

from dataclasses import dataclass
from typing import Any

from orchestrator.domain.identifiers import IdentitySettings
from orchestrator.kernel.unit import Unit
from orchestrator.memory import identifiers, identity_settings, profiles, trait_groups, traits, turns
from orchestrator.memory.merging import Trigger
from orchestrator.memory.stores import Store
from orchestrator.memory.trait_definitions import Definitions
from orchestrator.memory.traits import Traits


async def patch_profile(unit: Unit, store: Store, profile_id: str, given: Traits) -> None:
    """Set some traits of a profile; null removes one, and the others stay.

    A promoted trait brings the profile its identifier; one that is removed or overwritten leaves the profile its own,
    as history. If an identifier belongs to another profile, the two are one from then on, and the traits are written to
    the one that survives. Raises NotFound, and BadRequest.
    """
    change = await _change(unit, store, profile_id, given)

    async def patch(may_merge: bool) -> None:  # noqa: FBT001 - `turns.take` says it
        await profiles.require_held(unit, store, profile_id)
        survivor_id = await change.unite(unit, store, profile_id, may_merge=may_merge)
        await traits.remove(unit, store, survivor_id, change.removed())
        await change.write(unit, store, survivor_id)

    await turns.take(unit, store, patch)


async def replace_profile(unit: Unit, store: Store, profile_id: str, given: Traits) -> None:
    """Put traits in place of all that a profile has. Identifiers and errors as in `patch_profile`.

    If that makes it one with another profile, the traits of that one stay, where none of these replaces them.
    """
    change = await _change(unit, store, profile_id, given)

    async def replace(may_merge: bool) -> None:  # noqa: FBT001 - `turns.take` says it
        await profiles.require_held(unit, store, profile_id)
        before = await traits.of_profile(unit, store, profile_id)
        kept = change.values()
        gone = [(group, name) for group, values in before.items() for name in values if name not in kept.get(group, {})]
        await traits.remove(unit, store, profile_id, gone)
        survivor_id = await change.unite(unit, store, profile_id, may_merge=may_merge)
        await change.write(unit, store, survivor_id)

    await turns.take(unit, store, replace)


@dataclass(frozen=True, slots=True)
class _Change:
    """Traits to write, and the rules of the store that they are written by."""

    settings: IdentitySettings
    definitions: Definitions
    wanted: Traits

    def values(self) -> dict[str, dict[str, Any]]:
        """Those that are not null."""
        return {
            group: {name: value for name, value in values.items() if value is not None}
            for group, values in self.wanted.items()
        }

    def removed(self) -> list[tuple[str, str]]:
        """Those that are null, by group and name."""
        return [
            (group, name) for group, values in self.wanted.items() for name, value in values.items() if value is None
        ]

    async def unite(self, unit: Unit, store: Store, profile_id: str, *, may_merge: bool) -> str:
        found = traits.promoted(self.settings, self.definitions, self.values())
        trigger = Trigger.TRAITS if may_merge else None
        return await identifiers.unite(unit, store, self.settings, profile_id, found, trigger)

    async def write(self, unit: Unit, store: Store, profile_id: str) -> None:
        values = self.values()
        await traits.write(unit, store, {profile_id: values})
        found = traits.promoted(self.settings, self.definitions, values)
        await identifiers.give(unit, store, self.settings, profile_id, found)


async def _change(unit: Unit, store: Store, profile_id: str, given: Traits) -> _Change:
    await profiles.require(unit, store, profile_id)  # told before what is wrong with the traits
    settings = await identity_settings.of_store(unit, store)
    definitions = await trait_groups.definitions(unit, store)
    return _Change(settings, definitions, traits.all_declared(definitions, given))
