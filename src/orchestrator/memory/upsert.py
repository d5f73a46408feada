"""Making a profile is an upsert by identity: whoever holds one of its identifiers is that profile (memory.md 4.2)."""

from collections.abc import Set as AbstractSet

from asyncpg.exceptions import DeadlockDetectedError
from sqlalchemy import insert

from orchestrator.domain.identity import Identifier
from orchestrator.kernel.fields import refused
from orchestrator.kernel.ids import PROFILE, new_id
from orchestrator.kernel.unit import Unit
from orchestrator.memory import identifiers, profiles, traits
from orchestrator.memory import store as statements
from orchestrator.memory.stores import Store
from orchestrator.memory.traits import PROMOTED, Traits
from orchestrator.tables.memory import profiles as profiles_table


async def create_profile(unit: Unit, store: Store, given: Traits) -> str:
    """Find the profile that has one of the identifiers among the traits, or make it; write the traits to it.

    Returns its id. Raises BadRequest when no trait is an identifier, and Conflict when several profiles have one:
    merging them is not supported yet.
    """
    declared = traits.declared(given)
    wanted = traits.promoted(declared)
    if not wanted:
        names = ", ".join(f"{traits.CONTACT}.{name}" for name in PROMOTED)
        raise refused("/traits", f"a profile is recognised by its identifiers: give a usable one of {names}")
    for _ in range(identifiers.MAX_ATTEMPTS):
        profile_id = await _claim(unit, store, wanted)
        if profile_id is not None:
            await traits.write(unit, store, profile_id, declared)
            return profile_id
    raise identifiers.busy()


async def _claim(unit: Unit, store: Store, wanted: AbstractSet[Identifier]) -> str | None:
    """One attempt at having all identifiers on one profile; None when somebody took one of them in the meantime."""
    owners = await statements.owners(unit, {(store.account_id, store.id, one) for one in wanted})
    holders = set(owners.values())
    if len(holders) > 1:
        raise identifiers.held_by_several(wanted, holders)
    profile_id = holders.pop() if holders else None
    # A lost attempt must let go of what it has won, or two requests that each hold half would wait for each other.
    await unit.driver.execute("savepoint claim")
    missing = wanted - {key[2] for key in owners}
    try:
        claimed = await (_extend(unit, store, profile_id, missing) if profile_id else _make(unit, store, missing))
    except DeadlockDetectedError:  # traffic links identifiers before it makes profiles: a different order
        claimed = None
    await unit.driver.execute("release savepoint claim" if claimed else "rollback to savepoint claim")
    return claimed


async def _make(unit: Unit, store: Store, wanted: AbstractSet[Identifier]) -> str | None:
    profile_id = new_id(PROFILE)
    if not await identifiers.take(unit, store, profile_id, wanted):
        return None
    row = {"account_id": store.account_id, "store_id": store.id, "id": profile_id, "created_at": unit.now}
    await unit.connection.execute(insert(profiles_table).values(row))
    return profile_id


async def _extend(unit: Unit, store: Store, profile_id: str, missing: AbstractSet[Identifier]) -> str | None:
    if not await profiles.hold(unit, store, profile_id):
        return None
    return profile_id if await identifiers.take(unit, store, profile_id, missing) else None
