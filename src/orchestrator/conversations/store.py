"""Statements on conversations, set-based. Those on the keys that they hold are in `conversations.key_store`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import orjson
from sqlalchemy import CompoundSelect, Row, select, union

from orchestrator.conversations.key_store import ConversationKey, columns
from orchestrator.conversations.model import Conversation
from orchestrator.domain.addresses import Channel
from orchestrator.kernel.paging import Page, PageRequest, fetch_page
from orchestrator.kernel.unit import Unit
from orchestrator.tables import conversation as tables

_COLUMNS = """
    c.account_id, c.id, c.configuration_id, c.configuration_version, c.settings, c.status, c.name, c.metadata,
    c.status_callbacks, c.channel_activity, c.next_transition_at, c.event_sequence, c.created_at, c.updated_at
"""

_BELONGINGS = (
    "conversation_keys",
    "waiting_keys",
    "extraction_jobs",
    "diagnostics",
    "participants",
    "participant_addresses",
    "communications",
    "actions",
    # In this order: whoever settles a delivery adds its attempt under the delivery's lock, which is waited for here.
    "deliveries",
    "delivery_attempts",
    "events",
)


async def lock_membership(unit: Unit, account_id: str, conversation_id: str) -> None:
    """Wait until nobody else changes who takes part. The conversation itself is not locked, and need not be there."""
    await unit.driver.execute(
        "select pg_advisory_xact_lock(hashtextextended($1, 0))", f"members {account_id} {conversation_id}"
    )


async def open_with_profiles(unit: Unit, account_id: str, profile_ids: Collection[str]) -> list[ConversationKey]:
    """The open conversations of everybody with one of these profiles, whatever part they take."""
    rows = await unit.driver.fetch(
        """
        select id from conversations
        where account_id = $1 and status <> 'CLOSED' and id in (
          select conversation_id from participants where account_id = $1 and profile_id = any ($2::text[])
        )
        """,
        account_id,
        list(profile_ids),
    )
    return [(account_id, row["id"]) for row in rows]


async def lock(unit: Unit, conversations: Collection[ConversationKey]) -> list[asyncpg.Record]:
    """The rows, locked in the order of their ids, as they are once everybody before us has finished."""
    return await unit.driver.fetch(
        f"""
        select {_COLUMNS} from conversations c
        where (c.account_id, c.id) in (select * from unnest($1::text[], $2::text[]))
        order by c.account_id, c.id
        for no key update
        """,  # noqa: S608 - constants
        *columns(conversations, 2),
    )


async def read(unit: Unit, conversations: Collection[ConversationKey]) -> list[asyncpg.Record]:
    """The rows, not locked."""
    return await unit.driver.fetch(
        f"""
        select {_COLUMNS} from conversations c
        where (c.account_id, c.id) in (select * from unnest($1::text[], $2::text[]))
        """,  # noqa: S608 - constants
        *columns(conversations, 2),
    )


async def lock_due(unit: Unit, *, limit: int) -> list[asyncpg.Record]:
    """Open conversations whose next look is due, locked; those that somebody else works on are left to them."""
    return await unit.driver.fetch(
        f"""
        select {_COLUMNS} from conversations c
        where c.status <> 'CLOSED' and c.next_transition_at <= $1
        order by c.next_transition_at
        limit $2
        for no key update skip locked
        """,  # noqa: S608 - constants
        unit.now,
        limit,
    )


async def insert(unit: Unit, conversations: Sequence[Conversation]) -> None:
    """Write new conversations."""
    await unit.driver.execute(
        """
        insert into conversations
          (account_id, id, status, channel_activity, next_transition_at, event_sequence, name, metadata, updated_at,
           status_callbacks, configuration_id, configuration_version, created_at, settings)
        select * from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::timestamptz[], $6::bigint[],
                             $7::text[], $8::jsonb[], $9::timestamptz[], $10::jsonb[], $11::text[], $12::int[],
                             $13::timestamptz[], $14::jsonb[])
        """,
        *_values(conversations),
        [conversation.configuration_id for conversation in conversations],
        [conversation.configuration_version for conversation in conversations],
        [conversation.created_at for conversation in conversations],
        [_json(conversation.own_body) for conversation in conversations],
    )


async def update(unit: Unit, conversations: Sequence[Conversation]) -> None:
    """Write back conversations that are locked."""
    await unit.driver.execute(
        """
        update conversations c
        set status = changed.status, channel_activity = changed.activity, next_transition_at = changed.next,
            event_sequence = changed.sequence, name = changed.name, metadata = changed.metadata,
            updated_at = changed.updated_at, status_callbacks = changed.status_callbacks
        from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[], $5::timestamptz[], $6::bigint[], $7::text[],
                    $8::jsonb[], $9::timestamptz[], $10::jsonb[])
          as changed (account_id, id, status, activity, next, sequence, name, metadata, updated_at, status_callbacks)
        where c.account_id = changed.account_id and c.id = changed.id
        """,
        *_values(conversations),
    )


async def remove(unit: Unit, account_id: str, conversation_id: str) -> None:
    """Delete a conversation, which is locked, and everything that belongs to it."""
    for table in _BELONGINGS:
        await unit.driver.execute(
            f"delete from {table} where account_id = $1 and conversation_id = $2",  # noqa: S608 - constants
            account_id,
            conversation_id,
        )
    await unit.driver.execute(
        "delete from conversations where account_id = $1 and id = $2", account_id, conversation_id
    )


async def page_of_ids(unit: Unit, account_id: str, page: PageRequest) -> Page[Row[Any]]:
    """The ids of one page, newest first.

    Filters are `status` (any of), `channelId` (the SID of a communication, its channel, or an address),
    `configurationId`, and `profileId` (any of).
    """
    table, people = tables.conversations, tables.participants
    statement = select(table.c.id).where(table.c.account_id == account_id)
    if statuses := page.filters.get("status"):
        statement = statement.where(table.c.status.in_(statuses))
    if configuration_id := page.filters.get("configurationId"):
        statement = statement.where(table.c.configuration_id == configuration_id)
    if profile_ids := page.filters.get("profileId"):
        of_profiles = (people.c.account_id == account_id, people.c.profile_id.in_(profile_ids))
        statement = statement.where(table.c.id.in_(select(people.c.conversation_id).where(*of_profiles)))
    if channel_id := page.filters.get("channelId"):
        statement = statement.where(table.c.id.in_(_on_channel(account_id, channel_id)))
    return await fetch_page(unit, statement, page, order=[table.c.id], descending=True)


def _on_channel(account_id: str, channel_id: str) -> CompoundSelect[Any]:
    """The ids of the conversations that a message or call is part of: one look into an index for each way to be so."""
    said, owned = tables.communications, tables.participant_addresses
    return union(
        select(said.c.conversation_id).where(said.c.account_id == account_id, said.c.resource_id == channel_id),
        select(said.c.conversation_id).where(
            said.c.account_id == account_id,
            said.c.channel_id == channel_id,
            said.c.channel_id.is_distinct_from(said.c.resource_id),
        ),
        select(owned.c.conversation_id).where(owned.c.account_id == account_id, owned.c.channel_id == channel_id),
    )


def activity_from(column: Mapping[str, str]) -> dict[Channel, datetime]:
    """Read the `channel_activity` column."""
    return {Channel(channel): datetime.fromisoformat(moment) for channel, moment in column.items()}


def _activity_column(activity: Mapping[Channel, datetime]) -> str:
    return orjson.dumps({channel.value: moment for channel, moment in activity.items()}).decode()


def _json(value: object) -> str | None:
    return None if value is None else orjson.dumps(value).decode()


def _values(conversations: Sequence[Conversation]) -> tuple[list[Any], ...]:
    return (
        [conversation.account_id for conversation in conversations],
        [conversation.id for conversation in conversations],
        [conversation.status for conversation in conversations],
        [_activity_column(conversation.activity) for conversation in conversations],
        [conversation.next_transition_at for conversation in conversations],
        [conversation.event_sequence for conversation in conversations],
        [conversation.name for conversation in conversations],
        [_json(conversation.metadata) for conversation in conversations],
        [conversation.updated_at for conversation in conversations],
        [_json(conversation.own_callbacks) for conversation in conversations],
    )
