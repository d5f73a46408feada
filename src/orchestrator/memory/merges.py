"""The journal of merges: who became one with whom, why, and what both were before, for an undo (memory.md 4.4, step 6).

What it holds is personal data, and goes with the profiles that it names.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Row, Update, delete, or_, select, update

from orchestrator.domain.merging import Merge
from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.ids import MERGE, is_id
from orchestrator.kernel.paging import Page, PageRequest, fetch_page
from orchestrator.kernel.unit import Unit
from orchestrator.memory import merge_journal
from orchestrator.memory.stores import Store
from orchestrator.tables.memory import profile_merges

MERGED, UNDONE, SPLIT = "MERGED", "UNDONE", "SPLIT"
STATUSES = (MERGED, UNDONE, SPLIT)
"""In force; taken back; taken back for some of the identifiers."""

_TABLE = profile_merges.c


@dataclass(frozen=True, slots=True)
class Entry:
    """One merge as the journal has it."""

    id: str
    number: int
    survivor_id: str
    merged_id: str
    status: str
    reason: Mapping[str, Any]
    before: Mapping[str, Any]
    """Both states before it, in the journal's JSON form (`memory.merge_journal`)."""
    conflicts: Sequence[Mapping[str, Any]] | None
    merged_at: datetime
    undone_at: datetime | None

    def merge(self) -> Merge:
        """It, to compute with."""
        return merge_journal.from_json(self.id, self.survivor_id, self.merged_id, self.before)


async def record(unit: Unit, store: Store, done: Merge, reason: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    """Write the next line. The store is had alone, so nobody else takes its number."""
    await unit.driver.execute(
        """
        insert into profile_merges
          (account_id, store_id, id, number, survivor_id, merged_id, status, reason, before, merged_at)
        select $1, $2, $3, coalesce(max(number), 0) + 1, $4, $5, 'MERGED', $6::jsonb, $7::jsonb, $8
        from profile_merges where account_id = $1 and store_id = $2
        """,
        store.account_id,
        store.id,
        done.id,
        done.survivor_id,
        done.merged_id,
        orjson.dumps(dict(reason)).decode(),
        orjson.dumps(dict(before)).decode(),
        unit.now,
    )


async def find(unit: Unit, store: Store, merge_id: str) -> Entry:
    """The merge. Raises NotFound."""
    statement = select(profile_merges).where(*_in_store(store), _TABLE.id == merge_id)
    row = (await unit.connection.execute(statement)).first() if is_id(merge_id, MERGE) else None
    if row is None:
        raise NotFound(f"there is no merge {merge_id} in this store")
    return _entry(row)


async def list_page(
    unit: Unit, store: Store, page: PageRequest, *, profile_id: str | None, status: str | None, descending: bool
) -> Page[Entry]:
    """The store's merges by the time they were made; of a profile, whether it survived or not."""
    wanted = select(profile_merges).where(*_in_store(store))
    if profile_id is not None:
        wanted = wanted.where(_named([profile_id]))
    if status is not None:
        wanted = wanted.where(_TABLE.status == status)
    found = await fetch_page(unit, wanted, page, order=[_TABLE.id], descending=descending)
    return Page([_entry(row) for row in found.items], found.next_token, found.previous_token)


async def after(unit: Unit, store: Store, entry: Entry) -> list[Entry]:
    """The later merges that whatever was with its survivor has gone through, in their order; not those undone."""
    found: list[Entry] = []
    whose, number = {entry.survivor_id}, entry.number
    while (following := await _next(unit, store, number, whose)) is not None:
        found.append(following)
        whose, number = following.merge().passed_on(whose), following.number
    return found


async def _next(unit: Unit, store: Store, number: int, profile_ids: Collection[str]) -> Entry | None:
    later = select(profile_merges).where(
        *_in_store(store), _named(profile_ids), _TABLE.number > number, _TABLE.status != UNDONE
    )
    row = (await unit.connection.execute(later.order_by(_TABLE.number).limit(1))).first()
    return None if row is None else _entry(row)


async def rebase(unit: Unit, store: Store, entry: Entry, rebased: Merge) -> None:
    """Put other states before a merge: what they would have been, had an earlier one never been made."""
    before = merge_journal.rebased(entry.before, rebased)
    await unit.connection.execute(_change(store, entry.id).values(before=before))


async def close(unit: Unit, store: Store, merge_id: str, status: str, conflicts: Sequence[Mapping[str, Any]]) -> None:
    """Write that a merge was undone, and what could not be."""
    values = {"status": status, "undone_at": unit.now, "conflicts": list(conflicts)}
    await unit.connection.execute(_change(store, merge_id).values(**values))


async def forget(unit: Unit, store: Store, profile_ids: Collection[str]) -> None:
    """Delete every line that names one of these profiles: they are deleted, and it holds what they were."""
    await unit.connection.execute(delete(profile_merges).where(*_in_store(store), _named(profile_ids)))


def _in_store(store: Store) -> tuple[ColumnElement[bool], ...]:
    return (_TABLE.account_id == store.account_id, _TABLE.store_id == store.id)


def _named(profile_ids: Collection[str]) -> ColumnElement[bool]:
    return or_(_TABLE.survivor_id.in_(profile_ids), _TABLE.merged_id.in_(profile_ids))


def _change(store: Store, merge_id: str) -> Update:
    return update(profile_merges).where(*_in_store(store), _TABLE.id == merge_id)


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        row.id,
        row.number,
        row.survivor_id,
        row.merged_id,
        row.status,
        row.reason,
        row.before,
        row.conflicts,
        row.merged_at,
        row.undone_at,
    )
