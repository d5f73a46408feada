"""Profiles: what a store knows of one person. Found, listed, deleted here; made in `memory.upsert` and by traffic."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Table, delete, or_, select

from orchestrator.kernel.errors import Moved, NotFound
from orchestrator.kernel.ids import PROFILE, is_id
from orchestrator.kernel.paging import Page, PageRequest, fetch_page
from orchestrator.kernel.unit import Unit
from orchestrator.memory import claiming, merges, traits, turns
from orchestrator.memory.stores import Store
from orchestrator.tables import metadata
from orchestrator.tables.memory import observation_revisions, observations, profiles

CANONICAL = "Canonical-Profile-Id"
"""Header that names the profile which the one of the path is part of (contract: memory.md 4.3)."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One person in one store."""

    id: str
    created_at: datetime
    traits: Mapping[str, Mapping[str, Any]]


async def canonical_id(unit: Unit, store: Store, profile_id: str) -> str:
    """The profile that this one is part of by now; itself, as long as it is not merged, or not there."""
    if not is_id(profile_id, PROFILE):
        return profile_id
    statement = select(profiles.c.merged_into).where(*_of(profiles, store), profiles.c.id == profile_id)
    return await unit.connection.scalar(statement) or profile_id


async def find_profile(unit: Unit, store: Store, profile_id: str, *, groups: Collection[str] = ()) -> Profile:
    """The profile with its traits, or with those of some groups. Raises what `require` raises."""
    row = (await unit.connection.execute(_select(store).where(profiles.c.id == _checked(profile_id)))).first()
    if row is None:
        raise await _not_here(unit, store, profile_id)
    return Profile(row.id, row.created_at, await traits.of_profile(unit, store, profile_id, groups=groups))


async def list_profiles(unit: Unit, store: Store, page: PageRequest, *, descending: bool) -> Page[Row[Any]]:
    """The store's profiles, by the time they were made."""
    return await fetch_page(unit, _select(store), page, order=[profiles.c.id], descending=descending)


async def require(unit: Unit, store: Store, profile_id: str) -> None:
    """Raise NotFound unless the store has the profile, and Moved when it was merged into another."""
    if await unit.connection.scalar(_select(store).where(profiles.c.id == _checked(profile_id))) is None:
        raise await _not_here(unit, store, profile_id)


async def require_held(unit: Unit, store: Store, profile_id: str) -> None:
    """Hold the profile until the unit ends, so that it changes one request at a time. Raises what `require` raises."""
    if not await claiming.hold(unit, store, [_checked(profile_id)]):
        raise await _not_here(unit, store, profile_id)


async def delete_profile(unit: Unit, store: Store, profile_id: str) -> None:
    """Delete a profile and everything that is known of it, and of those that were merged into it.

    Conversations keep the id as a mere text; whoever writes next from one of its addresses is somebody new. Raises what
    `require` raises.
    """
    await turns.have_alone(unit, store)
    await require_held(unit, store, profile_id)
    of_profile = select(observations.c.id).where(*_of(observations, store), observations.c.profile_id == profile_id)
    await unit.connection.execute(
        delete(observation_revisions).where(
            *_of(observation_revisions, store), observation_revisions.c.observation_id.in_(of_profile)
        )
    )
    for table in metadata.sorted_tables:
        if {"store_id", "profile_id"} <= set(table.c.keys()):
            await unit.connection.execute(delete(table).where(*_of(table, store), table.c.profile_id == profile_id))
    merged = or_(profiles.c.id == profile_id, profiles.c.merged_into == profile_id)
    gone = (await unit.connection.scalars(select(profiles.c.id).where(*_of(profiles, store), merged))).all()
    await merges.forget(unit, store, gone)
    await unit.connection.execute(delete(profiles).where(*_of(profiles, store), merged))


def _of(table: Table, store: Store) -> tuple[ColumnElement[bool], ...]:
    return (table.c.account_id == store.account_id, table.c.store_id == store.id)


def _select(store: Store) -> Select[Any]:
    return select(profiles.c.id, profiles.c.created_at).where(
        profiles.c.account_id == store.account_id, profiles.c.store_id == store.id, profiles.c.merged_into.is_(None)
    )


def _checked(profile_id: str) -> str:
    if not is_id(profile_id, PROFILE):
        raise _unknown(profile_id)
    return profile_id


async def _not_here(unit: Unit, store: Store, profile_id: str) -> Exception:
    """What to raise of a profile that has no row of its own, or is part of another."""
    canonical = await canonical_id(unit, store, profile_id)
    if canonical == profile_id:
        return _unknown(profile_id)
    return Moved(profile_id, canonical, headers={CANONICAL: canonical})


def _unknown(profile_id: str) -> NotFound:
    return NotFound(f"there is no profile {profile_id} in this store")
