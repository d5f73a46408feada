"""Identifiers: the values by which a profile is recognised. Each belongs to one profile of its store."""

from collections.abc import Collection, Iterable

from sqlalchemy import ColumnElement, delete, select

from orchestrator.domain.identifiers import MAX_VALUES, TYPES, normalise
from orchestrator.domain.identity import Identifier
from orchestrator.kernel.errors import Conflict, NotFound, Unavailable
from orchestrator.kernel.fields import refused
from orchestrator.kernel.unit import Unit
from orchestrator.memory import profiles
from orchestrator.memory import store as statements
from orchestrator.memory.stores import Store
from orchestrator.tables.memory import profile_identifiers

_TABLE = profile_identifiers.c
_NO_MERGE = "Profiles cannot be merged yet; nothing was changed."

MAX_ATTEMPTS = 10
"""How often a race for identifiers is tried again; each time, somebody else got ahead."""


def identifier(id_type: str, value: str) -> Identifier:
    """The identifier that a client means. Raises BadRequest for an unknown type, or a value that is not of its type."""
    if id_type not in TYPES:
        raise refused("/idType", f"the store has no such identifier type; it has {', '.join(TYPES)}", id_type)
    try:
        return Identifier(id_type, normalise(id_type, value))
    except ValueError as error:
        raise refused("/value", str(error)) from error


async def look_up(unit: Unit, store: Store, sought: Identifier) -> list[str]:
    """The profiles that have an identifier, earliest first."""
    statement = select(_TABLE.profile_id).where(
        _TABLE.account_id == store.account_id,
        _TABLE.store_id == store.id,
        _TABLE.id_type == sought.id_type,
        _TABLE.value == sought.value,
    )
    return list((await unit.connection.scalars(statement.order_by(_TABLE.profile_id))).all())


async def of_profile(unit: Unit, store: Store, profile_id: str) -> dict[str, list[str]]:
    """A profile's values by type, oldest first, types in the order of their priority. Raises NotFound."""
    await profiles.require(unit, store, profile_id)
    statement = select(_TABLE.id_type, _TABLE.value).where(*_of(store, profile_id))
    found: dict[str, list[str]] = {}
    for id_type, value in await unit.connection.execute(statement.order_by(_TABLE.created_at, _TABLE.value)):
        found.setdefault(id_type, []).append(value)
    return {id_type: found[id_type] for id_type in TYPES if id_type in found}


async def values_of_type(unit: Unit, store: Store, profile_id: str, id_type: str) -> list[str]:
    """A profile's values of one type, oldest first. Raises NotFound when it has none."""
    values = (await of_profile(unit, store, profile_id)).get(id_type)
    if values is None:
        raise _none(profile_id, id_type)
    return values


async def add(unit: Unit, store: Store, profile_id: str, added: Identifier) -> None:
    """Give a profile an identifier; one that it has already stays as it is.

    Raises NotFound, and Conflict when another profile has it: merging the two is not supported yet.
    """
    await profiles.require_held(unit, store, profile_id)
    for _ in range(MAX_ATTEMPTS):
        if await take(unit, store, profile_id, [added]):
            return
        holders = await look_up(unit, store, added)
        if profile_id in holders:
            return
        if holders:
            raise _held(added, holders[0])
    raise busy()


async def take(unit: Unit, store: Store, profile_id: str, wanted: Collection[Identifier]) -> bool:
    """Give a profile identifiers, in one order for all, so that two requests cannot wait for each other.

    Returns whether all were free; those that were have been given all the same. More values of a type than a profile
    keeps displace its oldest (contract: memory.md 3.1, `limit` and `limitPolicy`).
    """
    rows = [(store.account_id, store.id, one, profile_id) for one in sorted(wanted)]
    won = await statements.take_identifiers(unit, rows)
    for id_type in {key[2].id_type for key in won}:
        of_type = (*_of(store, profile_id), _TABLE.id_type == id_type)
        newest_first = select(_TABLE.value).where(*of_type).order_by(_TABLE.created_at.desc(), _TABLE.value.desc())
        displaced = newest_first.offset(MAX_VALUES)
        await unit.connection.execute(delete(profile_identifiers).where(*of_type, _TABLE.value.in_(displaced)))
    return len(won) == len(rows)


async def remove(unit: Unit, store: Store, profile_id: str, id_type: str, *, every: bool) -> None:
    """Take the oldest value of a type from a profile, or every one. Raises NotFound when it has none."""
    await profiles.require_held(unit, store, profile_id)
    values = await values_of_type(unit, store, profile_id, id_type)
    gone = values if every else values[:1]
    await unit.connection.execute(
        delete(profile_identifiers).where(*_of(store, profile_id), _TABLE.id_type == id_type, _TABLE.value.in_(gone))
    )


def held_by_several(wanted: Iterable[Identifier], profile_ids: Collection[str]) -> Conflict:
    """The refusal of traits whose identifiers belong to more than one profile."""
    named = ", ".join(one.value for one in sorted(wanted))
    return Conflict(
        f"the identifiers {named} belong to {len(profile_ids)} profiles: {', '.join(sorted(profile_ids))}. {_NO_MERGE}",
        details={"profileIds": sorted(profile_ids)},
        headers={"X-Conflicting-Resource-Id": min(profile_ids)},
    )


def busy() -> Unavailable:
    """The answer to a request that lost every race."""
    return Unavailable("other requests keep changing these identifiers; send the request again")


def _held(wanted: Identifier, holder: str) -> Conflict:
    return Conflict(
        f"{wanted.id_type} {wanted.value} belongs to profile {holder}. {_NO_MERGE}",
        details={"conflictingResourceId": holder, "profileIds": [holder]},
        headers={"X-Conflicting-Resource-Id": holder},
    )


def _none(profile_id: str, id_type: str) -> NotFound:
    return NotFound(f"profile {profile_id} has no identifier of type {id_type}")


def _of(store: Store, profile_id: str) -> tuple[ColumnElement[bool], ...]:
    return (
        _TABLE.account_id == store.account_id,
        _TABLE.store_id == store.id,
        _TABLE.profile_id == profile_id,
    )
