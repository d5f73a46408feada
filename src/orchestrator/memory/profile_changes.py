"""Changing a profile that is there: some of its traits, or all of them (contract: memory.md 4.5)."""

from orchestrator.domain.identifiers import IdentitySettings
from orchestrator.kernel.unit import Unit
from orchestrator.memory import identifiers, identity_settings, profiles, trait_groups, traits
from orchestrator.memory.stores import Store
from orchestrator.memory.trait_definitions import Definitions
from orchestrator.memory.traits import Traits


async def patch_profile(unit: Unit, store: Store, profile_id: str, given: Traits) -> None:
    """Set some traits of a profile; null removes one, and the others stay.

    A promoted trait brings the profile its identifier; one that is removed or overwritten leaves the profile its own,
    as history. Raises NotFound, BadRequest, and Conflict when an identifier belongs to another profile: merging is not
    supported yet.
    """
    settings, definitions = await _rules(unit, store)
    await profiles.require_held(unit, store, profile_id)
    wanted = traits.all_declared(definitions, given)
    gone = [(group, name) for group, values in wanted.items() for name, value in values.items() if value is None]
    await traits.remove(unit, store, profile_id, gone)
    await _write(unit, store, profile_id, wanted, settings, definitions)


async def replace_profile(unit: Unit, store: Store, profile_id: str, given: Traits) -> None:
    """Put traits in place of all that a profile has. Identifiers and errors as in `patch_profile`."""
    settings, definitions = await _rules(unit, store)
    await profiles.require_held(unit, store, profile_id)
    wanted = traits.all_declared(definitions, given)
    before = await traits.of_profile(unit, store, profile_id)
    gone = [
        (group, name) for group, values in before.items() for name in values if wanted.get(group, {}).get(name) is None
    ]
    await traits.remove(unit, store, profile_id, gone)
    await _write(unit, store, profile_id, wanted, settings, definitions)


async def _rules(unit: Unit, store: Store) -> tuple[IdentitySettings, Definitions]:
    return await identity_settings.of_store(unit, store), await trait_groups.definitions(unit, store)


async def _write(
    unit: Unit, store: Store, profile_id: str, wanted: Traits, settings: IdentitySettings, definitions: Definitions
) -> None:
    kept = {
        group: {name: value for name, value in values.items() if value is not None} for group, values in wanted.items()
    }
    await traits.write(unit, store, {profile_id: kept})
    found = traits.promoted(settings, definitions, kept)
    await identifiers.give(unit, store, settings, profile_id, found)
