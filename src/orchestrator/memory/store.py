"""Set-based statements on profiles and identifiers, for the traffic that needs many at once."""

from collections.abc import Collection, Sequence

from orchestrator.domain.identity import Identifier
from orchestrator.kernel.unit import Unit

Key = tuple[str, str, Identifier]

# The trait that shows an identifier of a profile made from traffic (memory.md 6.4).
CONTACT = "Contact"


async def active_stores(unit: Unit, stores: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these (account, store) exist and can serve."""
    rows = await unit.driver.fetch(
        """
        select account_id, id from memory_stores
        where (account_id, id) in (select * from unnest($1::text[], $2::text[]))
          and status = 'ACTIVE' and deleted_at is null
        """,
        [account_id for account_id, _ in stores],
        [store_id for _, store_id in stores],
    )
    return {(row["account_id"], row["id"]) for row in rows}


async def owners(unit: Unit, keys: Collection[Key]) -> dict[Key, str]:
    """The profile behind each identifier that has one: of several (a type that is not unique), the oldest."""
    rows = await unit.driver.fetch(
        """
        select account_id, store_id, id_type, value, min(profile_id) as profile_id from profile_identifiers
        where (account_id, store_id, id_type, value)
           in (select * from unnest($1::text[], $2::text[], $3::text[], $4::text[]))
        group by 1, 2, 3, 4
        """,
        *_columns([(*key, "") for key in keys])[:4],
    )
    return {
        (row["account_id"], row["store_id"], Identifier(row["id_type"], row["value"])): row["profile_id"]
        for row in rows
    }


async def take_identifiers(unit: Unit, wanted: Sequence[tuple[str, str, Identifier, str]]) -> set[Key]:
    """Give identifiers to profiles, in sorted order as all units do; returns those that were free."""
    rows = await unit.driver.fetch(
        """
        insert into profile_identifiers (account_id, store_id, id_type, value, profile_id, is_unique, created_at)
        select account_id, store_id, id_type, value, profile_id, true, $6
        from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
          as wanted (account_id, store_id, id_type, value, profile_id)
        on conflict do nothing
        returning account_id, store_id, id_type, value
        """,
        *_columns(wanted),
        unit.now,
    )
    return {(row["account_id"], row["store_id"], Identifier(row["id_type"], row["value"])) for row in rows}


async def add_profiles(unit: Unit, anchored: Sequence[tuple[str, str, Identifier, str]]) -> None:
    """Write new profiles, each with the trait that its anchor identifier stands for."""
    await unit.driver.execute(
        f"""
        with new as (
          select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
            as new (account_id, store_id, id_type, value, profile_id)
        ), written as (
          insert into profiles (account_id, store_id, id, created_at)
          select account_id, store_id, profile_id, $6 from new
        )
        insert into profile_traits (account_id, store_id, profile_id, trait_group, name, value, updated_at)
        select account_id, store_id, profile_id, '{CONTACT}', id_type, to_jsonb(value), $6 from new
        """,  # noqa: S608 - a constant
        *_columns(anchored),
        unit.now,
    )


def _columns(rows: Sequence[tuple[str, str, Identifier, str]]) -> tuple[list[str], ...]:
    return (
        [account_id for account_id, _, _, _ in rows],
        [store_id for _, store_id, _, _ in rows],
        [identifier.id_type for _, _, identifier, _ in rows],
        [identifier.value for _, _, identifier, _ in rows],
        [profile_id for _, _, _, profile_id in rows],
    )
