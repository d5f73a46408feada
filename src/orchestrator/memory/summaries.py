"""Conversation summaries: what came of each conversation with somebody (memory.md 5.2).

Each change happens while its profile is held, so one summary changes one request at a time.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, insert, select, update

from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.ids import SUMMARY, is_id, new_id
from orchestrator.kernel.paging import Page, PageRequest, fetch_page
from orchestrator.kernel.unit import Unit
from orchestrator.memory import profiles
from orchestrator.memory.memories import text_filter
from orchestrator.memory.stores import Store
from orchestrator.tables.memory import conversation_summaries as summaries

Fields = Mapping[str, Any]
"""What a caller says of a summary: `content`, `conversation_id`, `occurred_at`, `source`."""


@dataclass(frozen=True, slots=True)
class Summary:
    """One summary. A conversation may have several."""

    id: str
    content: str
    conversation_id: str
    source: str | None
    occurred_at: datetime
    created_at: datetime
    updated_at: datetime


async def create(unit: Unit, store: Store, profile_id: str, given: Sequence[Fields]) -> None:
    """Write new summaries. Raises NotFound for the profile."""
    await profiles.require_held(unit, store, profile_id)
    whose = {"account_id": store.account_id, "store_id": store.id, "profile_id": profile_id}
    times = {"created_at": unit.now, "updated_at": unit.now}
    await unit.connection.execute(
        insert(summaries), [{**whose, "id": new_id(SUMMARY), **one, **times} for one in given]
    )


async def find(unit: Unit, store: Store, profile_id: str, summary_id: str) -> Summary:
    """The summary. Raises NotFound."""
    await profiles.require(unit, store, profile_id)
    return await _find(unit, store, profile_id, summary_id)


async def list_page(unit: Unit, store: Store, profile_id: str, page: PageRequest, *, descending: bool) -> Page[Summary]:
    """The profile's summaries by the time they were created; filter `conversationId`. Raises NotFound."""
    await profiles.require(unit, store, profile_id)
    wanted = select(summaries).where(*_of_profile(store, profile_id))
    if (conversation_id := text_filter(page, "conversationId")) is not None:
        wanted = wanted.where(summaries.c.conversation_id == conversation_id)
    order = [summaries.c.created_at, summaries.c.id]
    found = await fetch_page(unit, wanted, page, order=order, descending=descending)
    return Page([_summary(row) for row in found.items], found.next_token, found.previous_token)


async def revise(unit: Unit, store: Store, profile_id: str, summary_id: str, changes: Fields) -> None:
    """Change a summary; one that is not different then stays as it is. Raises NotFound."""
    await profiles.require_held(unit, store, profile_id)
    known = await _find(unit, store, profile_id, summary_id)
    if replace(known, **changes) == known:
        return
    updated_at = max(unit.now, known.updated_at)
    changing = update(summaries).where(*_is(store, profile_id, summary_id))
    await unit.connection.execute(changing.values(**changes, updated_at=updated_at))


async def remove(unit: Unit, store: Store, profile_id: str, summary_id: str) -> None:
    """Delete a summary. Raises NotFound."""
    await profiles.require_held(unit, store, profile_id)
    await _find(unit, store, profile_id, summary_id)
    await unit.connection.execute(delete(summaries).where(*_is(store, profile_id, summary_id)))


async def of_ids(unit: Unit, store: Store, ids: Collection[str]) -> dict[str, Summary]:
    """Summaries by their ids."""
    wanted = select(summaries).where(*_in_store(store), summaries.c.id.in_(ids))
    return {row.id: _summary(row) for row in await unit.connection.execute(wanted)}


async def _find(unit: Unit, store: Store, profile_id: str, summary_id: str) -> Summary:
    wanted = select(summaries).where(*_is(store, profile_id, summary_id))
    row = (await unit.connection.execute(wanted)).first() if is_id(summary_id, SUMMARY) else None
    if row is None:
        raise NotFound(f"there is no summary {summary_id} of this profile")
    return _summary(row)


def _in_store(store: Store) -> tuple[ColumnElement[bool], ...]:
    return (summaries.c.account_id == store.account_id, summaries.c.store_id == store.id)


def _of_profile(store: Store, profile_id: str) -> tuple[ColumnElement[bool], ...]:
    return (*_in_store(store), summaries.c.profile_id == profile_id)


def _is(store: Store, profile_id: str, summary_id: str) -> tuple[ColumnElement[bool], ...]:
    return (*_of_profile(store, profile_id), summaries.c.id == summary_id)


def _summary(row: Row[Any]) -> Summary:
    return Summary(
        row.id, row.content, row.conversation_id, row.source, row.occurred_at, row.created_at, row.updated_at
    )
