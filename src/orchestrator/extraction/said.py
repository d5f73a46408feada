"""What a job covers: by the events that told of communications, whose numbers are in the order of commits.

Times would not do: a message may be received before a conversation comes to rest, and be written down after it. They
are all there is only where an event is past its keeping, and such a message is old.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from orchestrator.communications.model import Communication
from orchestrator.extraction.model import Job
from orchestrator.kernel.unit import Unit

MOST = 1_000
"""Communications of one request."""
MOST_CHARACTERS = 4_000_000
"""Characters of their contents, as JSON; the newest is told however long it is."""

_COLUMNS = (
    "id",
    "author",
    "recipients",
    "content",
    "occurred_at",
    "created_at",
    "updated_at",
    "channel_id",
    "resource_id",
)


@dataclass(frozen=True, slots=True)
class Said:
    """What was said, oldest first, each with the number of the event that told of it."""

    communications: Sequence[tuple[int, Communication]]
    omitted: int
    """Older ones beyond the limits."""


@dataclass(frozen=True, slots=True)
class Covered:
    """What the jobs before have covered."""

    sequence: int = 0
    """Number of the event up to which."""
    at: datetime | None = None
    """When that was."""


@dataclass(frozen=True, slots=True)
class Share:
    """How much a participant said on a channel."""

    participant_id: str
    channel: str
    count: int
    first: datetime
    last: datetime


async def covered(unit: Unit, job: Job) -> Covered:
    """What has been done of the conversation; a job that had nothing to do covers nothing."""
    row = await unit.driver.fetchrow(
        """
        select sequence, created_at from extraction_jobs
        where account_id = $1 and conversation_id = $2 and status = 'COMPLETED' and result ->> 'note' is null
        order by sequence desc limit 1
        """,
        job.account_id,
        job.conversation_id,
    )
    return Covered() if row is None else Covered(row["sequence"], row["created_at"])


async def until(unit: Unit, job: Job, before: Covered, *, after: int) -> Said:
    """What was said between the event of this number and the job's."""
    rows = await unit.driver.fetch(
        """
        select * from (
          select c.*, told.number, count(*) over () as found, row_number() over newest as position,
                 sum(length(c.content::text)) over newest as characters
          from communications c
          left join events e on e.account_id = c.account_id and e.conversation_id = c.conversation_id
                             and e.type = 'COMMUNICATION_CREATED' and e.body::jsonb #>> '{data,id}' = c.id
          cross join lateral (
            select coalesce(e.sequence, case when c.created_at > $5 then $4
                                             when $7::timestamptz is null or c.created_at > $7 then $6 + 1
                                             else $6 end) as number
          ) as told
          where c.account_id = $1 and c.conversation_id = $2 and told.number > $3 and told.number < $4
          window newest as (order by c.occurred_at desc, c.id desc)
        ) as said
        where position = 1 or (position <= $8 and characters <= $9)
        order by occurred_at, id
        """,
        job.account_id,
        job.conversation_id,
        after,
        job.sequence,
        job.created_at,
        before.sequence,
        before.at,
        MOST,
        MOST_CHARACTERS,
    )
    told = [(row["number"], _communication(job, row)) for row in rows]
    return Said(told, rows[0]["found"] - len(told) if rows else 0)


def _communication(job: Job, row: asyncpg.Record) -> Communication:
    columns = {name: row[name] for name in _COLUMNS}
    return Communication(account_id=job.account_id, conversation_id=job.conversation_id, **columns)


async def shares(unit: Unit, job: Job) -> list[Share]:
    """Who said how much in the whole conversation; who said most comes first."""
    rows = await unit.driver.fetch(
        """
        select author ->> 'participantId' as participant_id, author ->> 'channel' as channel, count(*) as count,
               min(occurred_at) as first, max(occurred_at) as last
        from communications where account_id = $1 and conversation_id = $2
        group by 1, 2 order by 3 desc, 4, 1, 2
        """,
        job.account_id,
        job.conversation_id,
    )
    return [Share(*row) for row in rows]


async def ends(unit: Unit, job: Job, *, most: int) -> list[tuple[str, str]]:
    """The first and the last words, cut to so many characters, each after the id of the participant who said them."""
    rows = await unit.driver.fetch(
        """
        (select author ->> 'participantId' as participant_id, left(content ->> 'text', $3) as text
         from communications where account_id = $1 and conversation_id = $2 order by occurred_at, id limit 1)
        union all
        (select author ->> 'participantId', left(content ->> 'text', $3)
         from communications where account_id = $1 and conversation_id = $2 order by occurred_at desc, id desc limit 1)
        """,
        job.account_id,
        job.conversation_id,
        most,
    )
    return [(row["participant_id"], row["text"]) for row in rows]
