"""Traits: what a store knows about a profile, as far as its trait groups declare it (contract: memory.md 4)."""

from collections.abc import Collection, Mapping
from typing import Any

import orjson
import structlog
from sqlalchemy import Row, delete, select, tuple_

from orchestrator.domain.identifiers import IdentitySettings
from orchestrator.domain.identity import Identifier
from orchestrator.kernel.fields import refused
from orchestrator.kernel.paging import Page, PageRequest, fetch_page
from orchestrator.kernel.unit import Unit
from orchestrator.memory.stores import Store
from orchestrator.memory.trait_definitions import Definitions, identifier_text
from orchestrator.tables.memory import profile_traits

log = structlog.get_logger(__name__)

Traits = Mapping[str, Mapping[str, Any]]
"""Values by group and trait name."""


def declared(definitions: Definitions, given: Traits) -> dict[str, dict[str, Any]]:
    """The traits that the store declares; others are dropped, and null counts as absent (contract: memory.md 4.2).

    Raises BadRequest for a value that its trait cannot hold.
    """
    kept: dict[str, dict[str, Any]] = {}
    for group, values in given.items():
        for name, value in _named(group, values).items():
            if value is None:
                continue
            if name not in definitions.get(group, {}):
                log.info("undeclared trait dropped", trait=f"{group}.{name}")
                continue
            _check(definitions, group, name, value)
            kept.setdefault(group, {})[name] = value
    return kept


def all_declared(definitions: Definitions, given: Traits) -> dict[str, dict[str, Any]]:
    """The traits, null among them.

    Raises BadRequest for one that the store does not declare, and for a value that its trait cannot hold.
    """
    kept: dict[str, dict[str, Any]] = {}
    for group, values in given.items():
        if group not in definitions:
            raise refused(_pointer(group), f"the store has no trait group {group}")
        kept[group] = _named(group, values)
        for name, value in kept[group].items():
            if name not in definitions[group]:
                raise refused(_pointer(group, name), f"the store has no trait {group}.{name}")
            if value is not None:
                _check(definitions, group, name, value)
    return kept


def promoted(settings: IdentitySettings, definitions: Definitions, traits: Traits) -> set[Identifier]:
    """The identifiers that declared traits stand for; a value that cannot be normalised stays a mere trait."""
    found = set()
    for group, values in traits.items():
        for name, value in values.items():
            id_type = definitions[group][name].promotes_to
            if id_type is None or value is None:
                continue
            try:
                found.add(Identifier(id_type, settings.normalise(id_type, identifier_text(value))))
            except ValueError:
                log.info("trait not promoted", trait=f"{group}.{name}")  # without its value: somebody's address
    return found


async def write(unit: Unit, store: Store, traits: Mapping[str, Traits]) -> None:
    """Set traits, by profile; those that are not named stay, and those that do not change keep their time."""
    rows = [
        (profile_id, group, name, orjson.dumps(value).decode())
        for profile_id, groups in sorted(traits.items())
        for group, values in sorted(groups.items())
        for name, value in sorted(values.items())
    ]
    columns = [[row[number] for row in rows] for number in range(4)]
    await unit.driver.execute(
        """
        insert into profile_traits as known (account_id, store_id, profile_id, trait_group, name, value, updated_at)
        select $1, $2, profile_id, trait_group, name, value::jsonb, $7
        from unnest($3::text[], $4::text[], $5::text[], $6::text[]) as given (profile_id, trait_group, name, value)
        on conflict (account_id, store_id, profile_id, trait_group, name)
        do update set value = excluded.value, updated_at = excluded.updated_at
        where known.value is distinct from excluded.value
        """,
        store.account_id,
        store.id,
        *columns,
        unit.now,
    )


async def remove(unit: Unit, store: Store, profile_id: str, names: Collection[tuple[str, str]]) -> None:
    """Take traits, each by group and name, from a profile."""
    if names:
        table = profile_traits.c
        named = tuple_(table.trait_group, table.name).in_(list(names))
        await unit.connection.execute(delete(profile_traits).where(*_of(store, profile_id), named))


async def of_profile(
    unit: Unit, store: Store, profile_id: str, *, groups: Collection[str] = ()
) -> dict[str, dict[str, Any]]:
    """A profile's traits, of all groups or of those named; unknown groups are ignored."""
    table = profile_traits.c
    statement = select(table.trait_group, table.name, table.value).where(*_of(store, profile_id))
    traits: dict[str, dict[str, Any]] = {}
    for group, name, value in await unit.connection.execute(statement.order_by(table.trait_group, table.name)):
        if not groups or group in groups:
            traits.setdefault(group, {})[name] = value
    return traits


async def list_traits(
    unit: Unit, store: Store, profile_id: str, page: PageRequest, *, groups: Collection[str], descending: bool
) -> Page[Row[Any]]:
    """A profile's traits one by one, by the time of their last change; of all groups or of those named."""
    table = profile_traits.c
    statement = select(profile_traits).where(*_of(store, profile_id))
    if groups:
        statement = statement.where(table.trait_group.in_([group for group in groups if group.isprintable()]))
    order = [table.updated_at, table.trait_group, table.name]
    return await fetch_page(unit, statement, page, order=order, descending=descending)


def first_letter_small(name: str) -> str:
    """The name of a trait as it is kept: lowerCamelCase, as far as that can be told (contract: memory.md 4.9)."""
    return name[:1].lower() + name[1:]


def _named(group: str, values: Mapping[str, Any]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for given, value in values.items():
        name = first_letter_small(given)
        if name in named:
            raise refused(_pointer(group, given), f"the trait {group}.{name} is given twice")
        named[name] = value
    return named


def _check(definitions: Definitions, group: str, name: str, value: Any) -> None:
    try:
        definitions[group][name].check(value)
    except ValueError as error:
        raise refused(_pointer(group, name), str(error)) from error


def _of(store: Store, profile_id: str) -> tuple[Any, ...]:
    table = profile_traits.c
    return (table.account_id == store.account_id, table.store_id == store.id, table.profile_id == profile_id)


def _pointer(*parts: str) -> str:
    return "/traits/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in parts)
