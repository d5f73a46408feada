"""Statements on jobs, and those on other tables that nobody else needs."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import Row, Text, cast, func, select

from orchestrator.conversations.model import Conversation
from orchestrator.domain.lifecycle import Status
from orchestrator.extraction.model import Job, JobStatus, Result
from orchestrator.kernel.paging import Page, PageRequest, fetch_page
from orchestrator.kernel.unit import Unit
from orchestrator.tables.conversation import extraction_jobs as jobs


async def insert(unit: Unit, conversations: Sequence[Conversation]) -> None:
    """Write a job for each, which may be claimed at once; one that is there already stays."""
    await unit.driver.execute(
        """
        insert into extraction_jobs
          (account_id, conversation_id, sequence, state, status, next_attempt_at, created_at)
        select account_id, conversation_id, sequence, state, 'PENDING', $5, $5
        from unnest($1::text[], $2::text[], $3::bigint[], $4::text[])
          as rested (account_id, conversation_id, sequence, state)
        on conflict do nothing
        """,
        [one.account_id for one in conversations],
        [one.id for one in conversations],
        [one.rested_at for one in conversations],
        [one.status for one in conversations],
        unit.now,
    )


async def claim(unit: Unit, *, limit: int, lease: timedelta) -> list[Job]:
    """Jobs that are due, for this worker alone until the lease lapses; each counts an attempt.

    Of one conversation only the first that is pending, so that what was said is read in its order.
    """
    rows = await unit.driver.fetch(
        """
        with due as (
          select j.account_id, j.conversation_id, j.sequence from extraction_jobs j
          where j.status = 'PENDING' and j.next_attempt_at <= $1
            and not exists (
              select from extraction_jobs head
              where head.account_id = j.account_id and head.conversation_id = j.conversation_id
                and head.sequence < j.sequence and head.status = 'PENDING')
          order by j.next_attempt_at
          limit $3
          for no key update of j skip locked
        )
        update extraction_jobs j set next_attempt_at = $2, attempts = j.attempts + 1
        from due
        where j.account_id = due.account_id and j.conversation_id = due.conversation_id and j.sequence = due.sequence
        returning j.*
        """,
        unit.now,
        unit.now + lease,
        limit,
    )
    return [from_row(row) for row in rows]


async def hold(unit: Unit, job: Job) -> bool:
    """Whether the job is still ours; then nobody else gets it before the unit ends."""
    return await _is_there(unit, "select sequence from extraction_jobs where {ours} for no key update", job)


async def complete(unit: Unit, job: Job, result: Result) -> bool:
    """It is done. False when the job is another's now, or gone with its conversation."""
    return await _is_there(
        unit,
        """
        update extraction_jobs
        set status = 'COMPLETED', result = $6, failure_reason = null, next_attempt_at = null, completed_at = $7
        where {ours} returning sequence
        """,
        job,
        orjson.dumps(asdict(result)).decode(),
        unit.now,
    )


async def postpone(unit: Unit, job: Job, reason: str, wait: timedelta) -> bool:
    """It may be claimed again after the wait. False as for `complete`."""
    return await _is_there(
        unit,
        "update extraction_jobs set failure_reason = $6, next_attempt_at = $7 where {ours} returning sequence",
        job,
        reason,
        unit.now + wait,
    )


async def fail(unit: Unit, job: Job, reason: str) -> bool:
    """It is given up. False as for `complete`."""
    return await _is_there(
        unit,
        """
        update extraction_jobs set status = 'FAILED', failure_reason = $6, next_attempt_at = null, completed_at = $7
        where {ours} returning sequence
        """,
        job,
        reason,
        unit.now,
    )


async def begin_again(unit: Unit, account_id: str, conversation_id: str, sequence: int) -> Job | None:
    """A FAILED job is PENDING again, as if it had never been tried; None when there is no such job."""
    row = await unit.driver.fetchrow(
        """
        update extraction_jobs
        set status = 'PENDING', attempts = 0, failure_reason = null, next_attempt_at = $4, completed_at = null
        where account_id = $1 and conversation_id = $2 and sequence = $3 and status = 'FAILED'
        returning *
        """,
        account_id,
        conversation_id,
        sequence,
        unit.now,
    )
    return None if row is None else from_row(row)


async def find(unit: Unit, account_id: str, conversation_id: str, sequence: int) -> Job | None:
    """One job."""
    row = await unit.driver.fetchrow(
        "select * from extraction_jobs where account_id = $1 and conversation_id = $2 and sequence = $3",
        account_id,
        conversation_id,
        sequence,
    )
    return None if row is None else from_row(row)


async def list_page(unit: Unit, account_id: str, page: PageRequest) -> Page[Row[Any]]:
    """One page, those of the newest conversations first; filters `status` (any of) and `conversationId`."""
    # Tokens carry texts: the number is compared as one, with leading zeros.
    position = func.lpad(cast(jobs.c.sequence, Text), 20, "0", type_=Text).label("position")
    statement = select(jobs, position).where(jobs.c.account_id == account_id)
    if statuses := page.filters.get("status"):
        statement = statement.where(jobs.c.status.in_(statuses))
    if conversation_id := page.filters.get("conversationId"):
        statement = statement.where(jobs.c.conversation_id == conversation_id)
    return await fetch_page(unit, statement, page, order=[jobs.c.conversation_id, position], descending=True)


def from_row(row: Any) -> Job:
    """A row of either connection."""
    return Job(
        account_id=row["account_id"],
        conversation_id=row["conversation_id"],
        sequence=row["sequence"],
        state=Status(row["state"]),
        status=JobStatus(row["status"]),
        attempts=row["attempts"],
        created_at=row["created_at"],
        failure_reason=row["failure_reason"],
        result=row["result"],
        next_attempt_at=row["next_attempt_at"],
        completed_at=row["completed_at"],
    )


_OURS = """
    account_id = $1 and conversation_id = $2 and sequence = $3 and status = 'PENDING'
    and attempts = $4 and next_attempt_at = $5
"""
"""A claim that has lapsed and was taken by another differs in both."""


async def _is_there(unit: Unit, statement: str, job: Job, *args: Any) -> bool:
    found = await unit.driver.fetchval(
        statement.format(ours=_OURS),
        job.account_id,
        job.conversation_id,
        job.sequence,
        job.attempts,
        job.next_attempt_at,
        *args,
    )
    return found is not None
