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


async def matching_rules(unit: Unit, stores: Collection[tuple[str, str]]) -> dict[tuple[str, str], list[str]]:
    """The types by which each of these (account, store) recognises people, in order; of those that were set up."""
    rows = await unit.driver.fetch(
        """
        select account_id, store_id, settings -> 'matchingRules' as rules from identity_settings
        where (account_id, store_id) in (select * from unnest($1::text[], $2::text[]))
        """,
        [account_id for account_id, _ in stores],
        [store_id for _, store_id in stores],
    )
    return {(row["account_id"], row["store_id"]): row["rules"] for row in rows}


async def canonical_ids(unit: Unit, account_id: str, store_id: str, profile_ids: Collection[str]) -> dict[str, str]:
    """For those of these profiles that were merged away: the one that each is part of."""
    rows = await unit.driver.fetch(
        """
        select id, merged_into from profiles
        where account_id = $1 and store_id = $2 and id = any ($3::text[]) and merged_into is not null
        """,
        account_id,
        store_id,
        list(profile_ids),
    )
    return {row["id"]: row["merged_into"] for row in rows}


async def hold_numbers(unit: Unit, numbers: Collection[tuple[str, str, str]]) -> None:
    """Keep numbers, each by account, store and number, from everybody else who would hold them, until the unit ends.

    The lock is PostgreSQL's, as in `turns`, and comes after the turn.
    """
    await unit.driver.execute(
        "select pg_advisory_xact_lock(hashtextextended(name, 0)) from unnest($1::text[]) as name",
        sorted(f"number {account_id} {store_id} {number}" for account_id, store_id, number in numbers),
    )


async def owners(unit: Unit, keys: Collection[Key]) -> dict[Key, list[str]]:
    """The profiles behind each identifier that has any: one, or several where the type is not unique."""
    rows = await unit.driver.fetch(
        """
        select account_id, store_id, id_type, value, array_agg(profile_id) as profile_ids from profile_identifiers
        where (account_id, store_id, id_type, value)
           in (select * from unnest($1::text[], $2::text[], $3::text[], $4::text[]))
        group by 1, 2, 3, 4
        """,
        *_columns([(*key, "") for key in keys])[:4],
    )
    return {
        (row["account_id"], row["store_id"], Identifier(row["id_type"], row["value"])): row["profile_ids"]
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


async def add_profiles(unit: Unit, identifiers: Sequence[tuple[str, str, Identifier, str]]) -> None:
    """Write new profiles, each with the traits that its identifiers stand for: of several of a type, the first."""
    await unit.driver.execute(
        f"""
        with given as (
          select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) with ordinality
            as given (account_id, store_id, id_type, value, profile_id, number)
        ), written as (
          insert into profiles (account_id, store_id, id, created_at)
          select distinct account_id, store_id, profile_id, $6::timestamptz from given
        )
        insert into profile_traits (account_id, store_id, profile_id, trait_group, name, value, updated_at)
        select distinct on (account_id, store_id, profile_id, id_type)
          account_id, store_id, profile_id, '{CONTACT}', id_type, to_jsonb(value), $6
        from given order by account_id, store_id, profile_id, id_type, number
        """,  # noqa: S608 - a constant
        *_columns(identifiers),
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
