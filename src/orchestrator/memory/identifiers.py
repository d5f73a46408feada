"""Identifiers: the values by which a profile is recognised, read and written one by one (contract: memory.md 4.6)."""

from collections.abc import Collection

from sqlalchemy import ColumnElement, delete, select

from orchestrator.domain.identifiers import IdentitySettings, LimitPolicy
from orchestrator.domain.identity import Identifier
from orchestrator.domain.matching import others
from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.fields import refused
from orchestrator.kernel.unit import Unit
from orchestrator.memory import claiming, identity_settings, merging, profiles, turns
from orchestrator.memory.merging import Trigger
from orchestrator.memory.stores import Store
from orchestrator.tables.memory import profile_identifiers

MOST_FOUND = 100
"""Profiles that a look-up tells, the earliest of them."""

_TABLE = profile_identifiers.c


async def look_up(unit: Unit, store: Store, id_type: str, value: str) -> tuple[str, list[str]]:
    """The value as the store keeps it, and the profiles that have it, earliest first. Raises BadRequest."""
    sought = _identifier(await identity_settings.of_store(unit, store), id_type, value)
    statement = select(_TABLE.profile_id).where(
        _TABLE.account_id == store.account_id,
        _TABLE.store_id == store.id,
        _TABLE.id_type == sought.id_type,
        _TABLE.value == sought.value,
    )
    found = await unit.connection.scalars(statement.order_by(_TABLE.profile_id).limit(MOST_FOUND))
    return sought.value, list(found.all())


async def of_profile(unit: Unit, store: Store, profile_id: str) -> dict[str, list[str]]:
    """A profile's values by type, oldest first, types in the order of their priority. Raises NotFound."""
    await profiles.require(unit, store, profile_id)
    statement = select(_TABLE.id_type, _TABLE.value).where(*_of(store, profile_id))
    found: dict[str, list[str]] = {}
    for id_type, value in await unit.connection.execute(statement.order_by(_TABLE.created_at, _TABLE.value)):
        found.setdefault(id_type, []).append(value)
    order = (await identity_settings.of_store(unit, store)).in_order()
    # Types that the settings no longer have come last: their values stay.
    return {id_type: found[id_type] for id_type in dict.fromkeys([*order, *sorted(found)]) if id_type in found}


async def values_of_type(unit: Unit, store: Store, profile_id: str, id_type: str) -> list[str]:
    """A profile's values of one type, oldest first. Raises NotFound when it has none."""
    values = (await of_profile(unit, store, profile_id)).get(id_type)
    if values is None:
        raise _none(profile_id, id_type)
    return values


async def add(unit: Unit, store: Store, profile_id: str, id_type: str, value: str) -> None:
    """Give a profile an identifier; one that it has already stays as it is.

    If it belongs to another profile, the two are one from then on (contract: memory.md 4.6). Raises BadRequest, and
    NotFound.
    """
    settings = await identity_settings.of_store(unit, store)

    async def change(may_merge: bool) -> None:  # noqa: FBT001 - `turns.take` says it
        await profiles.require_held(unit, store, profile_id)
        wanted = {_identifier(settings, id_type, value)}
        survivor_id = await unite(unit, store, settings, profile_id, wanted, Trigger.IDENTIFIER if may_merge else None)
        await give(unit, store, settings, survivor_id, wanted)

    await turns.take(unit, store, change)


async def unite(
    unit: Unit,
    store: Store,
    settings: IdentitySettings,
    profile_id: str,
    wanted: Collection[Identifier],
    trigger: Trigger | None,
) -> str:
    """Merge a profile that is held with those to whom these identifiers belong. Returns the one that they are then.

    Raises MergeNeeded when there are such and there is no trigger, because the store is not had alone.
    """
    holders = await claiming.holders(unit, store, wanted)
    in_the_way = others(settings, profile_id, wanted, holders)
    if not in_the_way:
        return profile_id
    if trigger is None:
        raise turns.MergeNeeded
    reason = merging.shared(trigger, wanted, holders, in_the_way)
    return await merging.merge(unit, store, settings, in_the_way | {profile_id}, reason)


async def give(
    unit: Unit, store: Store, settings: IdentitySettings, profile_id: str, wanted: Collection[Identifier]
) -> None:
    """Give identifiers to a profile that is held. Raises MergeNeeded when somebody else got one a moment ago."""

    async def once() -> bool | None:
        holders = await claiming.holders(unit, store, wanted)
        if others(settings, profile_id, wanted, holders):
            raise turns.MergeNeeded
        missing = [(one, profile_id) for one in wanted if profile_id not in holders.get(one, ())]
        return await claiming.take(unit, store, settings, missing) or None

    if wanted:
        await claiming.attempt(unit, once)


async def replace(unit: Unit, store: Store, profile_id: str, id_type: str, *, old: str, new: str) -> None:
    """Put another value in place of one that the profile has.

    If the new one belongs to another profile, the two are one from then on. Raises BadRequest, and NotFound when the
    profile has not got the old value.
    """
    settings = await identity_settings.of_store(unit, store)
    wanted = _identifier(settings, id_type, new, "/newValue")

    async def change(may_merge: bool) -> None:  # noqa: FBT001 - `turns.take` says it
        await profiles.require_held(unit, store, profile_id)
        values = (await of_profile(unit, store, profile_id)).get(id_type, [])
        kept = old if old in values else _identifier(settings, id_type, old, "/oldValue").value
        if kept not in values:
            raise NotFound(f"profile {profile_id} has no identifier {id_type} {kept}")
        if kept == wanted.value:
            return
        # Before the new one is given: at the limit, one of the others would have to go for it.
        await _remove(unit, store, profile_id, id_type, [kept])
        trigger = Trigger.IDENTIFIER if may_merge else None
        survivor_id = await unite(unit, store, settings, profile_id, {wanted}, trigger)
        await give(unit, store, settings, survivor_id, {wanted})

    await turns.take(unit, store, change)


async def remove(unit: Unit, store: Store, profile_id: str, id_type: str, *, every: bool) -> None:
    """Take a value of a type from a profile, the one that its policy chooses, or every one. Raises NotFound."""
    await profiles.require_held(unit, store, profile_id)
    values = await values_of_type(unit, store, profile_id, id_type)
    known = (await identity_settings.of_store(unit, store)).types.get(id_type)
    newest = known is not None and known.limit_policy is LimitPolicy.LIFO
    await _remove(unit, store, profile_id, id_type, values if every else [values[-1 if newest else 0]])


def _identifier(settings: IdentitySettings, id_type: str, value: str, pointer: str = "/value") -> Identifier:
    """The identifier that a client means. Raises BadRequest for an unknown type, or a value that is not of its type."""
    if id_type not in settings.types:
        raise refused(
            "/idType", f"the store has no such identifier type; it has {', '.join(settings.in_order())}", id_type
        )
    try:
        return Identifier(id_type, settings.normalise(id_type, value))
    except ValueError as error:
        raise refused(pointer, str(error)) from error


async def _remove(unit: Unit, store: Store, profile_id: str, id_type: str, values: Collection[str]) -> None:
    await unit.connection.execute(
        delete(profile_identifiers).where(*_of(store, profile_id), _TABLE.id_type == id_type, _TABLE.value.in_(values))
    )


def _none(profile_id: str, id_type: str) -> NotFound:
    return NotFound(f"profile {profile_id} has no identifier of type {id_type}")


def _of(store: Store, profile_id: str) -> tuple[ColumnElement[bool], ...]:
    return (
        _TABLE.account_id == store.account_id,
        _TABLE.store_id == store.id,
        _TABLE.profile_id == profile_id,
    )
