"""All that profiles have, read and written as the states that merging computes with (`domain.merging`).

Whoever does either has the store alone (`memory.turns`) and holds the profiles.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import orjson

from orchestrator.domain.identity import Identifier
from orchestrator.domain.merging import Fact, Item, Kind, State, identifier, trait
from orchestrator.kernel.unit import Unit
from orchestrator.memory.stores import Store


async def load(unit: Unit, store: Store, profile_ids: Collection[str]) -> dict[str, State]:
    """What each of these profiles has."""
    found: dict[str, dict[Item, Fact]] = {profile_id: {} for profile_id in profile_ids}
    of_profiles = [store.account_id, store.id, list(profile_ids)]
    for row in await unit.driver.fetch(_HELD, *of_profiles):
        known = identifier(Identifier(row["id_type"], row["value"]))
        found[row["profile_id"]][known] = Fact(row["created_at"], is_unique=row["is_unique"])
    for row in await unit.driver.fetch(_TOLD, *of_profiles):
        found[row["profile_id"]][trait(row["trait_group"], row["name"])] = Fact(row["updated_at"], row["value"])
    for row in await unit.driver.fetch(_OWNED, *of_profiles):
        found[row["profile_id"]][Item(Kind(row["kind"]), row["id"])] = Fact()
    return dict(found)


_HELD = """
    select profile_id, id_type, value, is_unique, created_at from profile_identifiers
    where account_id = $1 and store_id = $2 and profile_id = any ($3)
"""
_TOLD = """
    select profile_id, trait_group, name, value, updated_at from profile_traits
    where account_id = $1 and store_id = $2 and profile_id = any ($3)
"""
_OWNED = """
    select profile_id, 'observation' as kind, id from observations
    where account_id = $1 and store_id = $2 and profile_id = any ($3)
    union all
    select profile_id, 'summary', id from conversation_summaries
    where account_id = $1 and store_id = $2 and profile_id = any ($3)
    union all
    select merged_into, 'alias', id from profiles
    where account_id = $1 and store_id = $2 and merged_into = any ($3)
"""


async def change(unit: Unit, store: Store, before: Mapping[str, State], after: Mapping[str, State]) -> None:
    """Make profiles have what they are to have.

    Observations, summaries and aliases go from one of them to another; none may be left without a profile.
    """
    # All that goes before anything that comes: an identifier may have one holder only at any moment.
    for profile_id, state in before.items():
        await _take(unit, store, profile_id, _different(state, after[profile_id]))
    for profile_id, state in after.items():
        await _give(unit, store, profile_id, _different(state, before[profile_id]))


def _different(one: State, other: State) -> State:
    return {item: fact for item, fact in one.items() if other.get(item) != fact}


async def _take(unit: Unit, store: Store, profile_id: str, state: State) -> None:
    """Take identifiers and traits from a profile; whatever else it is to lose goes where it is given."""
    for kind, statement in ((Kind.IDENTIFIER, _TAKE_IDENTIFIERS), (Kind.TRAIT, _TAKE_TRAITS)):
        if items := _of_kind(state, kind):
            await unit.driver.execute(statement, store.account_id, store.id, profile_id, *_names(items))


_TAKE_IDENTIFIERS = """
    delete from profile_identifiers where account_id = $1 and store_id = $2 and profile_id = $3
      and (id_type, value) in (select * from unnest($4::text[], $5::text[]))
"""
_TAKE_TRAITS = """
    delete from profile_traits where account_id = $1 and store_id = $2 and profile_id = $3
      and (trait_group, name) in (select * from unnest($4::text[], $5::text[]))
"""


async def _give(unit: Unit, store: Store, profile_id: str, state: State) -> None:
    of_profile = (store.account_id, store.id, profile_id)
    if items := _of_kind(state, Kind.IDENTIFIER):
        unique = [state[item].is_unique for item in items]
        await unit.driver.execute(_GIVE_IDENTIFIERS, *of_profile, *_names(items), _times(state, items), unique)
    if items := _of_kind(state, Kind.TRAIT):
        values = [orjson.dumps(state[item].value).decode() for item in items]
        await unit.driver.execute(_GIVE_TRAITS, *of_profile, *_names(items), _times(state, items), values)
    for kind, statement in _MOVE.items():
        if items := _of_kind(state, kind):
            await unit.driver.execute(statement, *of_profile, _names(items)[0])


_GIVE_IDENTIFIERS = """
    insert into profile_identifiers (account_id, store_id, profile_id, id_type, value, created_at, is_unique)
    select $1, $2, $3, * from unnest($4::text[], $5::text[], $6::timestamptz[], $7::boolean[])
"""
_GIVE_TRAITS = """
    insert into profile_traits (account_id, store_id, profile_id, trait_group, name, updated_at, value)
    select $1, $2, $3, trait_group, name, updated_at, value::jsonb
    from unnest($4::text[], $5::text[], $6::timestamptz[], $7::text[]) as given (trait_group, name, updated_at, value)
"""
_MOVE = {
    Kind.OBSERVATION: """
        update observations set profile_id = $3 where account_id = $1 and store_id = $2 and id = any ($4)
    """,
    Kind.SUMMARY: """
        update conversation_summaries set profile_id = $3 where account_id = $1 and store_id = $2 and id = any ($4)
    """,
    Kind.ALIAS: "update profiles set merged_into = $3 where account_id = $1 and store_id = $2 and id = any ($4)",
}


async def part(unit: Unit, store: Store, profile_id: str) -> None:
    """Have a profile that is part of another be one of its own again."""
    await unit.driver.execute(_MOVE[Kind.ALIAS], store.account_id, store.id, None, [profile_id])


def _of_kind(state: State, kind: Kind) -> list[Item]:
    return sorted(item for item in state if item.kind is kind)


def _names(items: Iterable[Item]) -> tuple[list[str], list[str]]:
    return [item.name for item in items], [item.detail for item in items]


def _times(state: State, items: Iterable[Item]) -> list[datetime | None]:
    return [state[item].since for item in items]
