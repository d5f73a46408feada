"""An import as the durable job that it is: claimed with a lease, saved with every batch, ended once.

A claim is known by the moment at which it lapses. Whoever holds it renews it with whatever it writes; when it is
another's by then, nothing is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson

from orchestrator.kernel.unit import Unit
from orchestrator.memory.import_rows import Message
from orchestrator.memory.imports import Mappings

MOST_TOLD = 100
"""Errors, and warnings, that are kept with their row."""


class Lost(Exception):
    """The import is another process's by now, or it was deleted with its store."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is."""

    rows_done: int = 0
    """Rows that were looked at."""
    rows_failed: int = 0
    errors: Sequence[Message] = ()
    """The first of them."""
    warnings: Sequence[Message] = ()
    """The first of them."""
    warning_count: int = 0

    def and_then(self, rows: int, errors: Sequence[Message], warnings: Sequence[Message]) -> "Progress":
        """After so many more rows, each error being one of them."""
        return Progress(
            self.rows_done + rows,
            self.rows_failed + len(errors),
            [*self.errors, *errors][:MOST_TOLD],
            [*self.warnings, *warnings][:MOST_TOLD],
            self.warning_count + len(warnings),
        )


@dataclass(slots=True)
class Job:
    """A claimed import."""

    account_id: str
    store_id: str
    id: str
    mappings: Mappings
    attempts: int
    """Claims since it last got any further, this one included."""
    until: datetime
    """When the claim lapses."""
    progress: Progress

    @property
    def key(self) -> tuple[str, str, str, datetime]:
        """What the statements begin with."""
        return self.account_id, self.store_id, self.id, self.until


async def claim(unit: Unit, lease: timedelta) -> Job | None:
    """The import that has waited longest, for this process alone until the lease lapses."""
    row = await unit.driver.fetchrow(
        """
        with due as (
          select account_id, store_id, id from profile_imports
          where next_attempt_at <= $1 and uploaded_at is not null
          order by next_attempt_at
          limit 1
          for no key update skip locked
        )
        update profile_imports i
        set status = 'PROCESSING', attempts = i.attempts + 1, next_attempt_at = $2, updated_at = $1
        from due where (i.account_id, i.store_id, i.id) = (due.account_id, due.store_id, due.id)
        returning i.*
        """,
        unit.now,
        unit.now + lease,
    )
    return None if row is None else _from_row(row)


async def read_chunk(unit: Unit, job: Job, number: int, until: datetime) -> bytes | None:
    """A piece of the file, None after the last; the claim holds until another moment. Raises Lost."""
    row = await unit.driver.fetchrow(
        """
        with held as (
          update profile_imports set next_attempt_at = $5
          where account_id = $1 and store_id = $2 and id = $3 and next_attempt_at = $4
          returning account_id, store_id, id
        )
        select content from held
        left join profile_import_chunks c
          on (c.account_id, c.store_id, c.import_id) = (held.account_id, held.store_id, held.id) and c.number = $6
        """,
        *job.key,
        until,
        number,
    )
    if row is None:
        raise Lost
    content: bytes | None = row["content"]
    return content


async def save(unit: Unit, job: Job, progress: Progress, until: datetime) -> None:
    """The import has got further, and the claim holds until another moment. Raises Lost."""
    await _change(
        unit,
        job,
        "next_attempt_at = $5, attempts = 1, rows_done = $6, rows_failed = $7, errors = $8, warnings = $9, "
        "warning_count = $10, updated_at = $11",
        until,
        progress.rows_done,
        progress.rows_failed,
        _json(progress.errors),
        _json(progress.warnings),
        progress.warning_count,
        unit.now,
    )


async def put_back(unit: Unit, job: Job, wait: timedelta, *, attempts: int) -> None:
    """The import may be claimed again after the wait. Raises Lost."""
    await _change(unit, job, "next_attempt_at = $5, attempts = $6", unit.now + wait, attempts)


async def end(unit: Unit, job: Job, reason: str | None) -> None:
    """The import is COMPLETED; with a reason, FAILED for that. The file goes. Raises Lost."""
    errors = job.progress.errors if reason is None else [{"message": reason}, *job.progress.errors]
    await _change(
        unit,
        job,
        "status = $5, errors = $6, next_attempt_at = null, updated_at = $7",
        "COMPLETED" if reason is None else "FAILED",
        _json(errors),
        unit.now,
    )
    await _forget_files(unit, [(job.account_id, job.store_id, job.id)])


async def reap(unit: Unit, reason: str) -> int:
    """Fail the imports whose file did not come in time, and throw away what did come; returns how many they are."""
    rows = await unit.driver.fetch(
        """
        update profile_imports set status = 'FAILED', errors = $2, next_attempt_at = null, updated_at = $1
        where status = 'PENDING' and uploaded_at is null and upload_expires_at <= $1
          and (next_attempt_at is null or next_attempt_at <= $1)
        returning account_id, store_id, id
        """,
        unit.now,
        _json([{"message": reason}]),
    )
    await _forget_files(unit, [(row["account_id"], row["store_id"], row["id"]) for row in rows])
    return len(rows)


async def _change(unit: Unit, job: Job, changes: str, *values: Any) -> None:
    changed = await unit.driver.fetchval(
        f"update profile_imports set {changes} "  # noqa: S608 - texts of this file
        "where account_id = $1 and store_id = $2 and id = $3 and next_attempt_at = $4 returning true",
        *job.key,
        *values,
    )
    if changed is None:
        raise Lost


async def _forget_files(unit: Unit, imports: Sequence[tuple[str, str, str]]) -> None:
    await unit.driver.execute(
        """
        delete from profile_import_chunks
        where (account_id, store_id, import_id) in (select * from unnest($1::text[], $2::text[], $3::text[]))
        """,
        *([one[part] for one in imports] for part in range(3)),
    )


def _from_row(row: asyncpg.Record) -> Job:
    progress = Progress(row["rows_done"], row["rows_failed"], row["errors"], row["warnings"], row["warning_count"])
    return Job(
        row["account_id"],
        row["store_id"],
        row["id"],
        row["column_mappings"],
        row["attempts"],
        row["next_attempt_at"],
        progress,
    )


def _json(messages: Sequence[Message]) -> str:
    return orjson.dumps(list(messages)).decode()
