"""Giving identifiers to profiles: who has them, who gets them, and how many of a type are kept.

A value of a type that is exclusive (`domain.identifiers`) has one row in its store, and a unique index sees to that: of
two requests that want it at once, one gets it, and the other looks again. Everybody takes in sorted order, so that no
two requests wait for each other.
"""

from collections.abc import Callable, Collection, Coroutine
from typing import Any, TypeVar

from asyncpg.exceptions import DeadlockDetectedError

from orchestrator.domain.identifiers import IdentitySettings, LimitPolicy
from orchestrator.domain.identity import Identifier
from orchestrator.domain.matching import Holders
from orchestrator.kernel.errors import Unavailable
from orchestrator.kernel.unit import Unit
from orchestrator.memory.stores import Store

MAX_ATTEMPTS = 10
"""How often a race for identifiers is tried again; each time, somebody else got ahead."""

Result = TypeVar("Result")


async def attempt(unit: Unit, once: Callable[[], Coroutine[Any, Any, Result | None]]) -> Result:
    """Do something until it is not None. An attempt that is None has written nothing. Raises Unavailable.

    A lost attempt must let go of what it has won, or two requests that each hold half would wait for each other.
    """
    for _ in range(MAX_ATTEMPTS):
        await unit.driver.execute("savepoint claim")
        try:
            result = await once()
        except DeadlockDetectedError:  # traffic links identifiers before it makes profiles: a different order
            result = None
        await unit.driver.execute("rollback to savepoint claim" if result is None else "release savepoint claim")
        if result is not None:
            return result
    raise Unavailable("other requests keep changing these identifiers; send the request again")


async def holders(unit: Unit, store: Store, sought: Collection[Identifier]) -> Holders:
    """The profiles that have each of these identifiers."""
    rows = await unit.driver.fetch(
        """
        select id_type, value, array_agg(profile_id) as profile_ids from profile_identifiers
        where account_id = $1 and store_id = $2
          and (id_type, value) in (select * from unnest($3::text[], $4::text[]))
        group by 1, 2
        """,
        store.account_id,
        store.id,
        [identifier.id_type for identifier in sought],
        [identifier.value for identifier in sought],
    )
    return {Identifier(row["id_type"], row["value"]): set(row["profile_ids"]) for row in rows}


async def hold(unit: Unit, store: Store, profile_ids: Collection[str]) -> bool:
    """Whether the profiles exist; then they are held until the unit ends: each changes one request at a time."""
    rows = await unit.driver.fetch(
        """
        select id from profiles where account_id = $1 and store_id = $2 and id = any ($3) and merged_into is null
        order by id for update
        """,
        store.account_id,
        store.id,
        list(profile_ids),
    )
    return len(rows) == len(profile_ids)


async def take(
    unit: Unit, store: Store, settings: IdentitySettings, wanted: Collection[tuple[Identifier, str]]
) -> bool:
    """Give identifiers to profiles that have not got them; whether all could be given.

    More values of a type than a profile keeps displace others, by the type's policy (contract: memory.md 3.1).
    """
    rows = sorted(wanted)
    won = await unit.driver.fetch(
        """
        insert into profile_identifiers (account_id, store_id, id_type, value, profile_id, is_unique, created_at)
        select $1, $2, id_type, value, profile_id, is_unique, $7
        from unnest($3::text[], $4::text[], $5::text[], $6::boolean[])
          as wanted (id_type, value, profile_id, is_unique)
        on conflict do nothing
        returning id_type, profile_id
        """,
        store.account_id,
        store.id,
        [identifier.id_type for identifier, _ in rows],
        [identifier.value for identifier, _ in rows],
        [profile_id for _, profile_id in rows],
        [settings.is_exclusive(identifier.id_type) for identifier, _ in rows],
        unit.now,
    )
    await _displace(unit, store, settings, {(row["profile_id"], row["id_type"]) for row in won})
    return len(won) == len(rows)


async def _displace(unit: Unit, store: Store, settings: IdentitySettings, changed: Collection[tuple[str, str]]) -> None:
    """Take from profiles what is beyond the limit of a type."""
    types = [settings.types[id_type] for _, id_type in changed]
    await unit.driver.execute(
        """
        delete from profile_identifiers where (account_id, store_id, profile_id, id_type, value) in (
          select account_id, store_id, profile_id, id_type, value from (
            select known.*, most, drops_newest,
              row_number() over (partition by profile_id, id_type order by created_at, value) as oldest,
              row_number() over (partition by profile_id, id_type order by created_at desc, value desc) as newest
            from profile_identifiers as known
            join unnest($3::text[], $4::text[], $5::int[], $6::boolean[])
              as changed (profile_id, id_type, most, drops_newest) using (profile_id, id_type)
            where account_id = $1 and store_id = $2
          ) as ranked
          where (case when drops_newest then oldest else newest end) > most
        )
        """,
        store.account_id,
        store.id,
        [profile_id for profile_id, _ in changed],
        [id_type for _, id_type in changed],
        [known.limit for known in types],
        [known.limit_policy is LimitPolicy.LIFO for known in types],
    )
