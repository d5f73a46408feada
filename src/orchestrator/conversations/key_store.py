"""Statements on the grouping keys that open conversations hold, or wait for, set-based.

A key is waited for by conversations whose customers became one profile, or two again (`conversations.following`).
"""

from collections.abc import Collection, Iterable, Mapping

from orchestrator.domain.grouping import is_profile_key
from orchestrator.kernel.unit import Unit

GroupKey = tuple[str, str, str]
"""Account id, configuration id (empty: none), grouping key."""
ConversationKey = tuple[str, str]
"""Account id, conversation id."""


async def holders(unit: Unit, keys: Collection[GroupKey]) -> dict[GroupKey, str]:
    """The open conversation that each key leads to, for those that lead somewhere: its holder.

    A key that nobody holds leads to the one of those that wait for it which has the latest communication. So the heir
    is whoever it is once the key is asked for, and nobody who ends has to lock, or to find, those that wait.
    """
    held = await _held(unit, keys)
    free = {key for key in keys if key not in held and is_profile_key(key[2])}
    return held | await _heirs(unit, free) if free else held


async def _held(unit: Unit, keys: Collection[GroupKey]) -> dict[GroupKey, str]:
    rows = await unit.driver.fetch(
        """
        select account_id, configuration_id, key, conversation_id from conversation_keys
        where (account_id, configuration_id, key) in (select * from unnest($1::text[], $2::text[], $3::text[]))
        """,
        *columns(keys, 3),
    )
    return {(row["account_id"], row["configuration_id"], row["key"]): row["conversation_id"] for row in rows}


async def _heirs(unit: Unit, keys: Collection[GroupKey]) -> dict[GroupKey, str]:
    """Of the conversations that wait for each key, the one with the latest communication; of two, the later one."""
    rows = await unit.driver.fetch(
        """
        select distinct on (w.account_id, w.configuration_id, w.key)
          w.account_id, w.configuration_id, w.key, w.conversation_id
        from waiting_keys w
        left join conversations c on c.account_id = w.account_id and c.id = w.conversation_id
        where (w.account_id, w.configuration_id, w.key) in (select * from unnest($1::text[], $2::text[], $3::text[]))
        order by w.account_id, w.configuration_id, w.key,
          (select max(moment::timestamptz) from jsonb_each_text(c.channel_activity) as said (channel, moment))
            desc nulls last,
          w.conversation_id desc
        """,
        *columns(keys, 3),
    )
    return {(row["account_id"], row["configuration_id"], row["key"]): row["conversation_id"] for row in rows}


async def take(unit: Unit, wanted: Mapping[GroupKey, str]) -> set[GroupKey]:
    """Take free keys for the conversations of these ids; returns those that were free: not held, nor waited for.

    The primary key decides between two units that want the same one: the second waits, and then goes without.
    """
    rows = await unit.driver.fetch(
        """
        insert into conversation_keys (account_id, configuration_id, key, conversation_id)
        select * from unnest($1::text[], $2::text[], $3::text[], $4::text[])
          as wanted (account_id, configuration_id, key, conversation_id)
        where not exists (
          select from waiting_keys w
          where (w.account_id, w.configuration_id, w.key) = (wanted.account_id, wanted.configuration_id, wanted.key)
        )
        on conflict do nothing
        returning account_id, configuration_id, key
        """,
        *columns([(*key, conversation_id) for key, conversation_id in wanted.items()], 4),
    )
    return {(row["account_id"], row["configuration_id"], row["key"]) for row in rows}


async def settle(unit: Unit, holders: Mapping[GroupKey, str], waiting: Iterable[tuple[GroupKey, str]]) -> None:
    """Give keys to conversations, whoever has held them, and let others wait for them. All of these are locked."""
    await unit.driver.execute(
        """
        insert into conversation_keys (account_id, configuration_id, key, conversation_id)
        select * from unnest($1::text[], $2::text[], $3::text[], $4::text[])
        on conflict (account_id, configuration_id, key) do update set conversation_id = excluded.conversation_id
        """,
        *columns([(*key, conversation_id) for key, conversation_id in holders.items()], 4),
    )
    await unit.driver.execute(
        """
        insert into waiting_keys (account_id, configuration_id, key, conversation_id)
        select * from unnest($1::text[], $2::text[], $3::text[], $4::text[])
        """,
        *columns([(*key, conversation_id) for key, conversation_id in waiting], 4),
    )


async def drop(unit: Unit, conversations: Collection[str], keys: Collection[GroupKey]) -> None:
    """Free those of these keys that conversations of these ids hold; they wait for none of them any more."""
    await unit.driver.execute(
        """
        with given as (
          select * from unnest($1::text[], $2::text[], $3::text[]) as given (account_id, configuration_id, key)
        ), waited as (
          delete from waiting_keys
          where (account_id, configuration_id, key) in (select * from given) and conversation_id = any ($4)
        )
        delete from conversation_keys
        where (account_id, configuration_id, key) in (select * from given) and conversation_id = any ($4)
        """,
        *columns(keys, 3),
        list(conversations),
    )


async def release(unit: Unit, conversations: Collection[ConversationKey]) -> None:
    """Free every key of conversations that are closed; they wait for none any more."""
    await unit.driver.execute(
        """
        with given as (
          select * from unnest($1::text[], $2::text[])
        ), waited as (
          delete from waiting_keys where (account_id, conversation_id) in (select * from given)
        )
        delete from conversation_keys
        where (account_id, conversation_id) in (select * from given)
        """,
        *columns(conversations, 2),
    )


def columns(rows: Iterable[tuple[str, ...]], width: int) -> tuple[list[str], ...]:
    """Rows as the arrays that `unnest` takes, in the rows' sorted order: everybody locks in the same order."""
    ordered = sorted(rows)
    return tuple([row[position] for row in ordered] for position in range(width))
