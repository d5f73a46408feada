"""Statements on communications, set-based."""

from collections.abc import Collection, Sequence
from typing import Any

import asyncpg
import orjson
from sqlalchemy import Row, or_, select

from orchestrator.communications.model import Communication
from orchestrator.kernel.paging import Page, PageRequest, fetch_page
from orchestrator.kernel.unit import Unit
from orchestrator.tables import conversation as tables


async def insert(unit: Unit, communications: Sequence[Communication]) -> set[str]:
    """Write new communications; returns the ids of those written. The others' resource is in the conversation."""
    rows = await unit.driver.fetch(
        """
        insert into communications
          (account_id, conversation_id, id, resource_id, channel_id, author, recipients, content, trace, occurred_at,
           created_at, updated_at)
        select account_id, conversation_id, id, resource_id, channel_id, author, recipients, content, trace,
               occurred_at, $11, $11
        from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::jsonb[], $8::jsonb[],
                    $9::jsonb[], $10::timestamptz[])
          as new (account_id, conversation_id, id, resource_id, channel_id, author, recipients, content, trace,
                  occurred_at)
        on conflict (account_id, resource_id, conversation_id) do nothing
        returning id
        """,
        [communication.account_id for communication in communications],
        [communication.conversation_id for communication in communications],
        [communication.id for communication in communications],
        [communication.resource_id for communication in communications],
        [communication.channel_id for communication in communications],
        [_json(communication.author) for communication in communications],
        [_json(communication.recipients) for communication in communications],
        [_json(communication.content) for communication in communications],
        [_json(communication.trace) for communication in communications],
        [communication.occurred_at for communication in communications],
        unit.now,
    )
    return {row["id"] for row in rows}


async def update(unit: Unit, communications: Sequence[Communication]) -> None:
    """Write back what may change: content, recipients, channel, and when it was said."""
    await unit.driver.execute(
        """
        update communications c
        set content = changed.content, recipients = changed.recipients, channel_id = changed.channel_id,
            occurred_at = changed.occurred_at, updated_at = $7
        from unnest($1::text[], $2::text[], $3::jsonb[], $4::jsonb[], $5::text[], $6::timestamptz[])
          as changed (account_id, id, content, recipients, channel_id, occurred_at)
        where c.account_id = changed.account_id and c.id = changed.id
        """,
        [communication.account_id for communication in communications],
        [communication.id for communication in communications],
        [_json(communication.content) for communication in communications],
        [_json(communication.recipients) for communication in communications],
        [communication.channel_id for communication in communications],
        [communication.occurred_at for communication in communications],
        unit.now,
    )


async def of_resources(unit: Unit, resources: Collection[tuple[str, str]]) -> list[Communication]:
    """Every communication of these provider messages (account, resource id), in every conversation."""
    ordered = sorted(resources)
    rows = await unit.driver.fetch(
        """
        select * from communications
        where (account_id, resource_id) in (select * from unnest($1::text[], $2::text[]))
        order by account_id, conversation_id, id
        """,
        [account_id for account_id, _ in ordered],
        [resource_id for _, resource_id in ordered],
    )
    return [from_row(row) for row in rows]


async def find(unit: Unit, account_id: str, communication_id: str) -> Communication | None:
    """One communication."""
    row = await unit.driver.fetchrow(
        "select * from communications where account_id = $1 and id = $2", account_id, communication_id
    )
    return None if row is None else from_row(row)


async def of_ids(unit: Unit, account_id: str, ids: Collection[str]) -> dict[str, Communication]:
    """Communications by their ids."""
    rows = await unit.driver.fetch(
        "select * from communications where account_id = $1 and id = any($2::text[])", account_id, list(ids)
    )
    return {row["id"]: from_row(row) for row in rows}


async def page_of_ids(unit: Unit, account_id: str, conversation_id: str, request: PageRequest) -> Page[Row[Any]]:
    """The ids of one page of a conversation, in the order in which things were said."""
    said = tables.communications
    statement = select(said.c.occurred_at, said.c.id).where(
        said.c.account_id == account_id, said.c.conversation_id == conversation_id
    )
    if channel_id := request.filters.get("channelId"):
        statement = statement.where(or_(said.c.channel_id == channel_id, said.c.resource_id == channel_id))
    return await fetch_page(unit, statement, request, order=[said.c.occurred_at, said.c.id], descending=False)


def from_row(row: asyncpg.Record) -> Communication:
    """A row of the driver."""
    return Communication(
        account_id=row["account_id"],
        conversation_id=row["conversation_id"],
        id=row["id"],
        author=row["author"],
        recipients=row["recipients"],
        content=row["content"],
        occurred_at=row["occurred_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        channel_id=row["channel_id"],
        resource_id=row["resource_id"],
        trace=row["trace"],
    )


def _json(value: object) -> str | None:
    return None if value is None else orjson.dumps(value).decode()
