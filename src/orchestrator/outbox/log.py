"""The event log of an account: every event, in one order, from any position on.

Positions are in commit order: the account's counter is locked until the numbering unit commits (`outbox.record`). So
whoever has read up to a position has missed nothing before it, whatever was being written meanwhile. They have gaps
where a conversation was deleted, and nowhere else.
"""

from collections.abc import Collection
from dataclasses import dataclass

import orjson

from orchestrator.kernel.errors import Gone
from orchestrator.kernel.unit import Unit


@dataclass(frozen=True, slots=True)
class Wish:
    """What a reader wants of the log."""

    account_id: str
    after: int | None
    """The position read last; None: from the oldest event that is kept."""
    limit: int
    types: Collection[str] = ()
    """Without any: all."""
    conversation_id: str | None = None


@dataclass(frozen=True, slots=True)
class Extract:
    """A part of the log."""

    events: list[bytes]
    """Each as the JSON object of the API."""
    positions: list[int]
    types: list[str]
    after: int
    """Where to read on: everything up to there was looked at."""
    latest: int
    """The position of the account's last event."""


async def read(unit: Unit, wish: Wish) -> Extract:
    """The events after a position, oldest first.

    Raises Gone when some of them are no longer there, and for a position that the log has not reached: it is of
    another database, or of this one before it was put back from a backup, and would be waited for in silence.
    """
    rows = await unit.driver.fetch(
        """
        with counter as (
          select coalesce(max(position), 0) as latest, coalesce(max(reaped_to), 0) as reaped_to
          from event_positions where account_id = $1
        )
        select latest, reaped_to, e.* from counter left join lateral (
          select conversation_id, sequence, position, type, body from events
          where account_id = $1 and position > coalesce($2, reaped_to)
            and (cardinality($4::text[]) = 0 or type = any ($4)) and ($5::text is null or conversation_id = $5)
          order by position limit $3
        ) as e on true
        """,
        wish.account_id,
        wish.after,
        wish.limit,
        list(wish.types),
        wish.conversation_id,
    )
    latest, reaped_to = rows[0]["latest"], rows[0]["reaped_to"]
    after = reaped_to if wish.after is None else wish.after
    if after < reaped_to:
        raise Gone(
            f"the events up to position {reaped_to} are past their keeping; read on from there, and what was missed "
            "from the conversations themselves",
            details={"after": reaped_to},
        )
    if after > latest:
        raise Gone(
            f"the log has got to position {latest}, not to {after}: that was another log, or this one before it was "
            f"put back; read on from position {reaped_to}",
            details={"after": reaped_to},
        )
    found = [row for row in rows if row["position"] is not None]
    positions = [row["position"] for row in found]
    return Extract(
        [_event(row["position"], row["conversation_id"], row["sequence"], row["body"]) for row in found],
        positions,
        [row["type"] for row in found],
        positions[-1] if len(found) == wish.limit else max(after, latest),
        latest,
    )


def _event(position: int, conversation_id: str, sequence: int, body: str) -> bytes:
    place = {
        "id": f"{conversation_id}:{sequence}",
        "position": position,
        "conversationId": conversation_id,
        "sequence": sequence,
    }
    return orjson.dumps(place | orjson.loads(body))
