"""Observations: what was noticed about somebody, with every state that each has been in (memory.md 5.1).

Each change happens while its profile is held, so one observation changes one request at a time.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, delete, func, insert, select, update

from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.ids import OBSERVATION, is_id, new_id
from orchestrator.kernel.paging import Page, PageRequest, fetch_page
from orchestrator.kernel.unit import Unit
from orchestrator.memory import profiles
from orchestrator.memory.memories import text_filter, time_filter
from orchestrator.memory.stores import Store
from orchestrator.tables.memory import observation_revisions as revisions
from orchestrator.tables.memory import observations

Fields = Mapping[str, Any]
"""What a caller says of an observation: `content`, `source`, `occurred_at`, `conversation_ids`."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One state of an observation."""

    id: str
    content: str
    source: str
    occurred_at: datetime
    conversation_ids: list[str]
    created_at: datetime
    """When the observation was created, whichever state this is."""
    updated_at: datetime
    """When it came into this state."""


async def create(unit: Unit, store: Store, profile_id: str, given: Sequence[Fields]) -> None:
    """Write new observations, each with its first revision. Raises NotFound for the profile."""
    await profiles.require_held(unit, store, profile_id)
    made = [Observation(new_id(OBSERVATION), **one, created_at=unit.now, updated_at=unit.now) for one in given]
    whose = {"account_id": store.account_id, "store_id": store.id}
    kept = {**whose, "profile_id": profile_id, "created_at": unit.now}
    await unit.connection.execute(insert(observations), [{**kept, "id": one.id, **_state(one)} for one in made])
    first = [{**whose, "observation_id": one.id, "number": 1, **_state(one)} for one in made]
    await unit.connection.execute(insert(revisions), first)


async def find(unit: Unit, store: Store, profile_id: str, observation_id: str) -> Observation:
    """The observation as it is now. Raises NotFound."""
    await profiles.require(unit, store, profile_id)
    return await _find(unit, store, profile_id, observation_id)


async def list_page(
    unit: Unit, store: Store, profile_id: str, page: PageRequest, *, descending: bool
) -> Page[Observation]:
    """The profile's observations by the time they were created. Raises NotFound for the profile.

    Filters: `source`, `createdAfter` (inclusive), `createdBefore` (exclusive), `conversationId`.
    """
    await profiles.require(unit, store, profile_id)
    wanted = select(observations).where(*_of_profile(store, profile_id), *_filtered(page))
    order = [observations.c.created_at, observations.c.id]
    found = await fetch_page(unit, wanted, page, order=order, descending=descending)
    return Page([_observation(row) for row in found.items], found.next_token, found.previous_token)


async def list_revisions(
    unit: Unit, store: Store, profile_id: str, observation_id: str, page: PageRequest
) -> Page[Observation]:
    """Every state of an observation, the present one first. Raises NotFound."""
    observation = await find(unit, store, profile_id, observation_id)
    wanted = select(revisions).where(*_of_observation(store, observation_id))
    found = await fetch_page(unit, wanted, page, order=[revisions.c.updated_at], descending=True)
    states = [_state_of(observation, row) for row in found.items]
    return Page(states, found.next_token, found.previous_token)


async def revise(unit: Unit, store: Store, profile_id: str, observation_id: str, changes: Fields) -> None:
    """Change an observation, which makes a revision; one that is not different then stays as it is. Raises NotFound."""
    await profiles.require_held(unit, store, profile_id)
    known = await _find(unit, store, profile_id, observation_id)
    if replace(known, **changes) == known:
        return
    # Later than the state before, also where a request that began earlier is served after: revisions go by this time.
    updated_at = max(unit.now, known.updated_at + timedelta(microseconds=1))
    state = _state(replace(known, **changes, updated_at=updated_at))
    await unit.connection.execute(update(observations).where(*_is(store, profile_id, observation_id)).values(**state))
    last = select(func.max(revisions.c.number)).where(*_of_observation(store, observation_id))
    number = (await unit.connection.scalar(last) or 0) + 1
    key = {"account_id": store.account_id, "store_id": store.id, "observation_id": observation_id, "number": number}
    await unit.connection.execute(insert(revisions).values(**key, **state))


async def remove(unit: Unit, store: Store, profile_id: str, observation_id: str) -> None:
    """Delete an observation and its revisions. Raises NotFound."""
    await profiles.require_held(unit, store, profile_id)
    await _find(unit, store, profile_id, observation_id)
    await unit.connection.execute(delete(observations).where(*_is(store, profile_id, observation_id)))
    await unit.connection.execute(delete(revisions).where(*_of_observation(store, observation_id)))


async def of_ids(unit: Unit, store: Store, ids: Collection[str]) -> dict[str, Observation]:
    """Observations by their ids."""
    wanted = select(observations).where(*_in_store(observations, store), observations.c.id.in_(ids))
    return {row.id: _observation(row) for row in await unit.connection.execute(wanted)}


async def _find(unit: Unit, store: Store, profile_id: str, observation_id: str) -> Observation:
    wanted = select(observations).where(*_is(store, profile_id, observation_id))
    row = (await unit.connection.execute(wanted)).first() if is_id(observation_id, OBSERVATION) else None
    if row is None:
        raise NotFound(f"there is no observation {observation_id} of this profile")
    return _observation(row)


def _filtered(page: PageRequest) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if (source := text_filter(page, "source")) is not None:
        conditions.append(observations.c.source == source)
    if (conversation_id := text_filter(page, "conversationId")) is not None:
        conditions.append(observations.c.conversation_ids.contains([conversation_id]))
    if (after := time_filter(page, "createdAfter")) is not None:
        conditions.append(observations.c.created_at >= after)
    if (before := time_filter(page, "createdBefore")) is not None:
        conditions.append(observations.c.created_at < before)
    return conditions


def _in_store(table: Table, store: Store) -> tuple[ColumnElement[bool], ...]:
    return (table.c.account_id == store.account_id, table.c.store_id == store.id)


def _of_profile(store: Store, profile_id: str) -> tuple[ColumnElement[bool], ...]:
    return (*_in_store(observations, store), observations.c.profile_id == profile_id)


def _is(store: Store, profile_id: str, observation_id: str) -> tuple[ColumnElement[bool], ...]:
    return (*_of_profile(store, profile_id), observations.c.id == observation_id)


def _of_observation(store: Store, observation_id: str) -> tuple[ColumnElement[bool], ...]:
    return (*_in_store(revisions, store), revisions.c.observation_id == observation_id)


def _state(observation: Observation) -> dict[str, Any]:
    """What an observation and its revision have in common, by column."""
    return {
        "content": observation.content,
        "source": observation.source,
        "occurred_at": observation.occurred_at,
        "conversation_ids": observation.conversation_ids,
        "updated_at": observation.updated_at,
    }


def _observation(row: Row[Any]) -> Observation:
    return Observation(
        row.id, row.content, row.source, row.occurred_at, row.conversation_ids, row.created_at, row.updated_at
    )


def _state_of(observation: Observation, row: Row[Any]) -> Observation:
    return Observation(
        observation.id,
        row.content,
        row.source,
        row.occurred_at,
        row.conversation_ids,
        observation.created_at,
        row.updated_at,
    )
