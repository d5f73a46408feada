"""Making, changing and deleting trait groups (contract: memory.md 4.9). The caller holds the store.

Definitions count for what is written from then on. A trait or a group that goes takes its values along; identifiers
stay, as they do when a trait is removed from a profile.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, delete, true
from sqlalchemy.dialects.postgresql import insert

from orchestrator.kernel.conditions import IfMatch
from orchestrator.kernel.errors import Conflict
from orchestrator.kernel.fields import refused
from orchestrator.kernel.unit import Unit
from orchestrator.memory import identity_settings
from orchestrator.memory.errors import (
    ProtectedTrait,
    TraitGroupLimitReached,
    TraitGroupNameTaken,
    TraitLimitReached,
)
from orchestrator.memory.stores import Store
from orchestrator.memory.trait_definitions import PROMOTABLE
from orchestrator.memory.trait_groups import CONTACT, PROTECTED, TraitGroup, definitions, find_group
from orchestrator.memory.versions import require_version, version_tag
from orchestrator.tables.memory import profile_traits, trait_groups

MOST_GROUPS = 50
"""Groups of a store, `Contact` among them."""

MOST_TRAITS = 99
"""Traits of a group: as many as a profile may be written with."""

Changes = Mapping[str, Mapping[str, Any] | None]
"""Definitions by name in the API's JSON form; None where a trait is to go."""


async def create_group(
    unit: Unit, store: Store, name: str, *, description: str | None, traits: Mapping[str, Mapping[str, Any]]
) -> None:
    """Make a group. Raises TraitGroupNameTaken, TraitGroupLimitReached, BadRequest."""
    known = await definitions(unit, store)
    if name in known:
        raise TraitGroupNameTaken(
            f"this store already has a trait group named {name}", params={"field": "/displayName", "value": name}
        )
    if len(known) >= MOST_GROUPS:
        raise TraitGroupLimitReached(
            f"this store already has {MOST_GROUPS} trait groups, the most it may have", details={"limit": MOST_GROUPS}
        )
    await _check_promotions(unit, store, traits)
    await _save(unit, store, TraitGroup(name, description, traits, 1, unit.now))


async def patch_group(
    unit: Unit, store: Store, name: str, *, description: str | None, changes: Changes, if_match: IfMatch
) -> None:
    """Change a group: each definition given replaces the trait's own, the others stay.

    Raises TraitGroupNotFound, VersionConflict, ProtectedTrait, TraitLimitReached, BadRequest.
    """
    group = await find_group(unit, store, name)
    require_version(if_match, version_tag(name, group.version))
    changes = _guarded(changes) if name == CONTACT else changes
    given = {trait: stored for trait, stored in changes.items() if stored is not None}
    await _check_promotions(unit, store, given)
    gone = changes.keys() - given.keys()
    kept = {trait: stored for trait, stored in {**group.traits, **given}.items() if trait not in gone}
    if len(kept) > MOST_TRAITS:
        raise TraitLimitReached(
            f"a trait group has at most {MOST_TRAITS} traits, this one would have {len(kept)}",
            params={"field": "/traits"},
            details={"limit": MOST_TRAITS},
        )
    described = group.description if description is None else description
    await _save(unit, store, replace(group, description=described, traits=kept, version=group.version + 1))
    await _forget_values(unit, store, name, gone)


async def delete_group(unit: Unit, store: Store, name: str) -> None:
    """Delete a group and its values. Raises TraitGroupNotFound, ProtectedTrait; Conflict while it feeds a rule."""
    group = await find_group(unit, store, name)
    if name == CONTACT:
        raise ProtectedTrait(f"the trait group {CONTACT} always stays")
    rules = (await identity_settings.of_store(unit, store)).rules
    for trait, stored in sorted(group.traits.items()):
        if stored.get("idTypePromotion") in rules:
            raise Conflict(
                f"{name}.{trait} is promoted to {stored['idTypePromotion']}, which is a matching rule: remove the "
                "trait or the rule first",
                details={"trait": f"{name}.{trait}", "matchingRule": stored["idTypePromotion"]},
            )
    await unit.connection.execute(delete(trait_groups).where(*_is(store, name)))
    await _forget_values(unit, store, name, group.traits, every=True)


def _guarded(changes: Changes) -> Changes:
    """The changes of `Contact`, in which the protected traits keep what they are promoted to."""
    guarded = dict(changes)
    for name, id_type in PROTECTED.items():
        if name not in changes:
            continue
        stored = {"idTypePromotion": id_type, **(changes[name] or {"dataType": ""})}
        if (stored["dataType"], stored["idTypePromotion"]) != ("STRING", id_type):
            raise ProtectedTrait(
                f"/traits/{name}: {CONTACT}.{name} always is a STRING that is promoted to {id_type}",
                params={"field": f"/traits/{name}"},
            )
        guarded[name] = stored
    return guarded


async def _check_promotions(unit: Unit, store: Store, traits: Mapping[str, Mapping[str, Any]]) -> None:
    promoted = {name: stored for name, stored in traits.items() if stored.get("idTypePromotion") is not None}
    types = (await identity_settings.of_store(unit, store)).in_order() if promoted else ()
    for name, stored in promoted.items():
        pointer, id_type = f"/traits/{name}/idTypePromotion", stored["idTypePromotion"]
        if stored["dataType"] not in PROMOTABLE:
            raise refused(pointer, "only a STRING or a NUMBER can be promoted to an identifier", id_type)
        if id_type not in types:
            raise refused(pointer, f"the store has no such identifier type; it has {', '.join(types)}", id_type)


async def _save(unit: Unit, store: Store, group: TraitGroup) -> None:
    values = {
        "description": group.description,
        "traits": {name: dict(stored) for name, stored in group.traits.items()},
        "version": group.version,
        "updated_at": unit.now,
    }
    key = {"account_id": store.account_id, "store_id": store.id, "name": group.name}
    statement = insert(trait_groups).values(**key, created_at=group.created_at, **values)
    await unit.connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))


async def _forget_values(unit: Unit, store: Store, group: str, names: Collection[str], *, every: bool = False) -> None:
    if not names and not every:
        return
    table = profile_traits.c
    await unit.connection.execute(
        delete(profile_traits).where(
            table.account_id == store.account_id,
            table.store_id == store.id,
            table.trait_group == group,
            true() if every else table.name.in_(names),
        )
    )


def _is(store: Store, name: str) -> tuple[ColumnElement[bool], ...]:
    table = trait_groups.c
    return (table.account_id == store.account_id, table.store_id == store.id, table.name == name)
