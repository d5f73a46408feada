"""Statements on messages. What a worker writes holds only while its claim does."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import orjson

from orchestrator.actions.model import Content
from orchestrator.domain.messages import TWILIO_STATUSES, DeliveryStatus, advanced
from orchestrator.kernel.unit import Unit
from orchestrator.messages.model import WORDS, MessageStatus, Outgoing, Wanted, read_address

Report = tuple[str, str, DeliveryStatus]
"""Account id, message SID, how far it got."""


async def insert(unit: Unit, message: Outgoing) -> None:
    """Write a new message."""
    wanted, content = message.wanted, message.wanted.content
    await unit.driver.execute(
        """
        insert into messages (account_id, sid, sender, recipient, body, content, settings, by_provider, status,
                              handed_over_at, next_attempt_at, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12)
        """,
        message.account_id,
        message.sid,
        wanted.sender.address,
        wanted.recipient.address,
        content.text,
        _json({"contentId": content.content_id, "variables": content.variables, "mediaUrls": content.media_urls}),
        _json(wanted.settings),
        message.by_provider,
        message.status,
        message.handed_over_at,
        message.next_attempt_at,
        message.created_at,
    )


async def find(unit: Unit, account_id: str, sid: str) -> Outgoing | None:
    """One message of an account."""
    row = await unit.driver.fetchrow("select * from messages where account_id = $1 and sid = $2", account_id, sid)
    return None if row is None else from_row(row)


async def redact(unit: Unit, message: Outgoing) -> Outgoing | None:
    """Its text is empty from now on, and so is what was put into a template."""
    row = await unit.driver.fetchrow(
        """
        update messages set body = '', content = content || '{"variables": {}}', updated_at = $3
        where account_id = $1 and sid = $2
        returning *
        """,
        message.account_id,
        message.sid,
        unit.now,
    )
    return None if row is None else from_row(row)


async def forget(unit: Unit, message: Outgoing) -> None:
    """It was not sent, and whoever asked for it is told so; or whoever asked for it has deleted it."""
    await unit.driver.execute(
        "delete from messages where account_id = $1 and sid = $2", message.account_id, message.sid
    )


async def reported(unit: Unit, account_id: str, sid: str) -> DeliveryStatus | None:
    """How far a message has got by a report that came before its SID was known."""
    early = await unit.driver.fetchval(
        "select early_status from receipts where account_id = $1 and resource_id = $2", account_id, sid
    )
    return None if early is None else DeliveryStatus(early)


async def settle(unit: Unit, message: Outgoing, sid: str, status: MessageStatus, body: str | None) -> Outgoing:
    """The provider has taken a message, under this SID; it is to be captured now. `body`: what was really sent."""
    row = await unit.driver.fetchrow(
        """
        update messages set sid = $3, status = $4, body = coalesce($5, body), sent_at = $6, updated_at = $6,
                            handed_over_at = null, error_code = null, error_message = null, next_attempt_at = $6
        where account_id = $1 and sid = $2
        returning *
        """,
        message.account_id,
        message.sid,
        sid,
        status,
        body,
        unit.now,
    )
    assert row is not None  # nothing deletes it but `forget`
    return from_row(row)


async def give_up(unit: Unit, message: Outgoing, code: int, reason: str) -> None:
    """It was handed over, and nobody knows whether it was sent."""
    await unit.driver.execute(
        """
        update messages set status = 'failed', error_code = $3, error_message = $4, next_attempt_at = null,
                            updated_at = $5
        where account_id = $1 and sid = $2 and handed_over_at is not null
        """,
        message.account_id,
        message.sid,
        code,
        reason,
        unit.now,
    )


async def claim(unit: Unit, *, limit: int, lease: timedelta) -> list[Outgoing]:
    """Messages with something to do, for this worker alone until the lease lapses."""
    rows = await unit.driver.fetch(
        """
        with due as (
          select account_id, sid from messages where next_attempt_at <= $1
          order by next_attempt_at limit $3 for no key update skip locked
        )
        update messages m set next_attempt_at = $2
        from due where (m.account_id, m.sid) = (due.account_id, due.sid)
        returning m.*
        """,
        unit.now,
        unit.now + lease,
        limit,
    )
    return [from_row(row) for row in rows]


async def captured(unit: Unit, message: Outgoing) -> bool:
    """The capture rules have had it. Without a provider that means that it is sent. False: another has done it."""
    return await _changed(
        unit,
        message,
        "captured_at = $4::timestamptz, updated_at = $4, sent_at = coalesce(sent_at, $4),"
        " status = case when by_provider then status else 'sent' end,"
        " next_attempt_at = case when by_provider then null else $4 end",
        unit.now,
    )


async def delivered(unit: Unit, message: Outgoing) -> bool:
    """It has arrived; what is left to do is to tell the status callback, if there is one."""
    due = unit.now if message.status_callback else None
    return await _changed(unit, message, "status = 'delivered', updated_at = $4, next_attempt_at = $5", unit.now, due)


async def told(unit: Unit, message: Outgoing, *, is_last: bool) -> bool:
    """The status callback is done with one status."""
    due = None if is_last else unit.now
    return await _changed(unit, message, "told = told + 1, attempts = 0, next_attempt_at = $4", due)


async def postpone(unit: Unit, message: Outgoing, wait: timedelta) -> bool:
    """The status callback has failed, and is tried again after the wait."""
    return await _changed(unit, message, "attempts = attempts + 1, next_attempt_at = $4", unit.now + wait)


async def hear(unit: Unit, reports: Collection[Report]) -> None:
    """Note how far messages have got that somebody else sends; like delivery statuses, they never go back."""
    wanted: dict[tuple[str, str], list[DeliveryStatus]] = {}
    for account_id, sid, status in reports:
        wanted.setdefault((account_id, sid), []).append(status)
    for row in await _lock(unit, sorted(wanted)):
        status = TWILIO_STATUSES[row["status"]]
        for reported in wanted[row["account_id"], row["sid"]]:
            status = advanced(status, reported)
        if status is not TWILIO_STATUSES[row["status"]]:
            await unit.driver.execute(
                "update messages set status = $3, updated_at = $4 where account_id = $1 and sid = $2",
                row["account_id"],
                row["sid"],
                WORDS[status],
                unit.now,
            )


async def _lock(unit: Unit, keys: Collection[tuple[str, str]]) -> list[Any]:
    return await unit.driver.fetch(
        """
        select account_id, sid, status from messages
        where by_provider and (account_id, sid) in (select * from unnest($1::text[], $2::text[]))
        order by account_id, sid for no key update
        """,
        [account_id for account_id, _ in keys],
        [sid for _, sid in keys],
    )


async def _changed(unit: Unit, message: Outgoing, changes: str, *values: datetime | None) -> bool:
    """Change a claimed message; False when the claim has lapsed and it is another's now."""
    changed = await unit.driver.fetchval(
        f"update messages set {changes} "  # noqa: S608 - texts from this file
        "where account_id = $1 and sid = $2 and next_attempt_at = $3 returning sid",
        message.account_id,
        message.sid,
        message.next_attempt_at,
        *values,
    )
    return changed is not None


def from_row(row: Any) -> Outgoing:
    """A message as it is stored; any row has its columns by their names."""
    content = row["content"]
    return Outgoing(
        account_id=row["account_id"],
        sid=row["sid"],
        wanted=Wanted(
            read_address(row["sender"]),
            read_address(row["recipient"]),
            Content(row["body"], content["contentId"], content["variables"], tuple(content["mediaUrls"])),
            row["settings"],
        ),
        by_provider=row["by_provider"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        status=MessageStatus(row["status"]),
        error_code=row["error_code"],
        error_message=row["error_message"],
        sent_at=row["sent_at"],
        captured_at=row["captured_at"],
        told=row["told"],
        attempts=row["attempts"],
        handed_over_at=row["handed_over_at"],
        next_attempt_at=row["next_attempt_at"],
    )


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
