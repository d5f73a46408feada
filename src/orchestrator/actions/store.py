"""Statements on actions, and the two on other tables that nobody else needs."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson

from orchestrator.actions.columns import message_from_column, message_to_column
from orchestrator.actions.model import SEND_MESSAGE, Action, ActionStatus, Said
from orchestrator.domain.addresses import Channel, parse
from orchestrator.domain.messages import DeliveryStatus
from orchestrator.kernel.unit import Unit
from orchestrator.participants.model import Participant


async def insert(unit: Unit, action: Action) -> None:
    """Write a new action; it may be claimed at once."""
    await unit.driver.execute(
        """
        insert into actions
          (account_id, id, conversation_id, type, status, message, related, next_attempt_at, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $8)
        """,
        action.account_id,
        action.id,
        action.conversation_id,
        SEND_MESSAGE,
        action.status,
        _json(message_to_column(action.message)),
        _json(action.related),
        action.created_at,
    )


async def find(unit: Unit, account_id: str, conversation_id: str, action_id: str) -> Action | None:
    """One action of a conversation."""
    row = await unit.driver.fetchrow(
        "select * from actions where account_id = $1 and id = $2 and conversation_id = $3",
        account_id,
        action_id,
        conversation_id,
    )
    return None if row is None else _from_row(row)


async def claim(unit: Unit, *, limit: int, lease: timedelta) -> list[Action]:
    """Actions that are due, for this worker alone until the lease lapses.

    Of one conversation only the first that is pending: messages go out in the order in which they were asked for.
    """
    rows = await unit.driver.fetch(
        """
        with due as (
          select a.account_id, a.id from actions a
          where a.status = 'PENDING' and a.next_attempt_at <= $1
            and not exists (
              select from actions head
              where head.account_id = a.account_id and head.conversation_id = a.conversation_id
                and head.status = 'PENDING' and head.id < a.id)
          order by a.next_attempt_at
          limit $3
          for no key update of a skip locked
        )
        update actions a set next_attempt_at = $2
        from due where a.account_id = due.account_id and a.id = due.id
        returning a.*
        """,
        unit.now,
        unit.now + lease,
        limit,
    )
    return [_from_row(row) for row in rows]


async def hand_over(unit: Unit, action: Action, until: datetime) -> Action | None:
    """Write down that the sender is about to get the message, and hold the claim for as long as that may take.

    None when the claim has lapsed: it is another's now. May be repeated with the same `until`.
    """
    row = await unit.driver.fetchrow(
        """
        update actions set handed_over_at = $6, attempts = $3 + 1, next_attempt_at = $5
        where account_id = $1 and id = $2 and status = 'PENDING'
          and (attempts, next_attempt_at) in (($3::int, $4::timestamptz), ($3 + 1, $5))
        returning *
        """,
        action.account_id,
        action.id,
        action.attempts,
        action.next_attempt_at,
        until,
        unit.now,
    )
    return None if row is None else _from_row(row)


async def postpone(unit: Unit, action: Action, wait: timedelta) -> bool:
    """The sender did not take the message: it may be claimed again after the wait. False when it is another's now."""
    return await _changed(
        unit,
        """
        update actions set handed_over_at = null, next_attempt_at = $4
        where account_id = $1 and id = $2 and status = 'PENDING' and handed_over_at = $3
        returning id
        """,
        action.account_id,
        action.id,
        action.handed_over_at,
        unit.now + wait,
    )


async def complete(unit: Unit, action: Action, related: Mapping[str, str]) -> bool:
    """The message was sent. False when the action is no longer pending."""
    return await _changed(
        unit,
        """
        update actions
        set status = 'COMPLETED', related = $3, next_attempt_at = null, completed_at = $4, updated_at = $4
        where account_id = $1 and id = $2 and status = 'PENDING'
        returning id
        """,
        action.account_id,
        action.id,
        _json(related),
        unit.now,
    )


async def fail(unit: Unit, action: Action, reason: str) -> bool:
    """The message was not sent, or nobody knows. False when the action is another's now, or settled."""
    return await _changed(
        unit,
        """
        update actions set status = 'FAILED', related = '{}', failure_reason = $5, next_attempt_at = null,
                           completed_at = $6, updated_at = $6
        where account_id = $1 and id = $2 and status = 'PENDING' and next_attempt_at = $3
          and handed_over_at is not distinct from $4
        returning id
        """,
        action.account_id,
        action.id,
        action.next_attempt_at,
        action.handed_over_at,
        reason,
        unit.now,
    )


async def status(unit: Unit, action: Action) -> ActionStatus | None:
    """Where an action is; None when it has been deleted with its conversation."""
    found = await unit.driver.fetchval(
        "select status from actions where account_id = $1 and id = $2", action.account_id, action.id
    )
    return None if found is None else ActionStatus(found)


async def take_receipt(unit: Unit, account_id: str, message_sid: str) -> DeliveryStatus | None:
    """A message of ours is seen: a provider's webhook that tells of it too tells nothing new.

    Returns how far it had got by a report that came before us.
    """
    early = await unit.driver.fetchval(
        """
        insert into receipts (account_id, resource_id, received_at) values ($1, $2, $3)
        on conflict (account_id, resource_id) do update set is_seen = true, received_at = excluded.received_at
          where not receipts.is_seen
        returning early_status
        """,
        account_id,
        message_sid,
        unit.now,
    )
    return None if early is None else DeliveryStatus(early)


async def last_address(unit: Unit, participant: Participant, channel: Channel) -> str | None:
    """The address by which a participant last wrote or was written to on a channel of its conversation."""
    row = await unit.driver.fetchrow(
        """
        select author, recipients from communications
        where account_id = $1 and conversation_id = $2
          and (author @> $3::jsonb or recipients @> jsonb_build_array($3::jsonb))
        order by occurred_at desc, id desc
        limit 1
        """,
        participant.account_id,
        participant.conversation_id,
        _json({"participantId": participant.id, "channel": channel}),
    )
    if row is None:
        return None
    ends: list[dict[str, str]] = [row["author"], *row["recipients"]]
    return next(end["address"] for end in ends if (end["participantId"], end["channel"]) == (participant.id, channel))


async def last_said(
    unit: Unit, account_id: str, conversation_id: str, participant_ids: Collection[str]
) -> dict[str, Said]:
    """The last that each of these participants said in their conversation; those who said nothing are left out."""
    rows = await unit.driver.fetch(
        """
        select who.participant_id, last.* from unnest($3::text[]) as who (participant_id)
        cross join lateral (
          select author, id, occurred_at from communications
          where account_id = $1 and conversation_id = $2 and author->>'participantId' = who.participant_id
          order by occurred_at desc, id desc
          limit 1
        ) as last
        """,
        account_id,
        conversation_id,
        sorted(participant_ids),
    )
    return {
        row["participant_id"]: Said(
            row["participant_id"],
            parse(Channel(row["author"]["channel"]), row["author"]["address"]),
            row["id"],
            row["occurred_at"],
        )
        for row in rows
    }


async def _changed(unit: Unit, statement: str, *args: Any) -> bool:
    return await unit.driver.fetchval(statement, *args) is not None


def _from_row(row: asyncpg.Record) -> Action:
    return Action(
        account_id=row["account_id"],
        conversation_id=row["conversation_id"],
        id=row["id"],
        message=message_from_column(row["account_id"], row["message"], row["related"].get("messageSid")),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        status=ActionStatus(row["status"]),
        related=row["related"],
        failure_reason=row["failure_reason"],
        completed_at=row["completed_at"],
        attempts=row["attempts"],
        next_attempt_at=row["next_attempt_at"],
        handed_over_at=row["handed_over_at"],
    )


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
