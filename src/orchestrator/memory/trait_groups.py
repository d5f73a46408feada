"""Trait groups: which traits a store's profiles have (contract: memory.md 4.9).

Every store has the group `Contact`; as long as nobody has changed it, it has no row. Whoever changes a group holds the
store, and so does, less strictly, whoever writes profiles: a trait is not written while its definition goes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Subquery, column, exists, func, literal, select, union_all
from sqlalchemy.dialects.postgresql import JSONB

from orchestrator.domain.identifiers import TYPES
from orchestrator.kernel.paging import Page, PageRequest, fetch_page
from orchestrator.kernel.unit import Unit
from orchestrator.memory.errors import TraitGroupNotFound
from orchestrator.memory.stores import Store
from orchestrator.memory.trait_definitions import Definitions, definition
from orchestrator.tables.base import Json, Key
from orchestrator.tables.memory import memory_stores, trait_groups

CONTACT = "Contact"
_DESCRIPTION = "How somebody can be reached."
_PLAIN = ("firstName", "lastName", "street", "city", "state", "postalCode", "country")
PROTECTED: Mapping[str, str] = MappingProxyType({name: name for name in TYPES})
"""Traits of `Contact` that always stay, and what they are promoted to: traffic writes them."""

CONTACT_TRAITS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {name: {"dataType": "STRING"} for name in _PLAIN}
    | {name: {"dataType": "STRING", "idTypePromotion": id_type} for name, id_type in PROTECTED.items()}
)
"""In the API's JSON form."""

_TABLE = trait_groups.c


@dataclass(frozen=True, slots=True)
class TraitGroup:
    """A group of a store."""

    name: str
    description: str | None
    traits: Mapping[str, Mapping[str, Any]]
    """Definitions by name, in the API's JSON form, without what is null."""
    version: int
    created_at: datetime


async def find_group(unit: Unit, store: Store, name: str) -> TraitGroup:
    """The group. Raises TraitGroupNotFound."""
    groups = _groups(store)
    # What cannot be a name may hold what Postgres refuses to compare.
    found = name.isprintable() and (await unit.connection.execute(select(groups).where(groups.c.name == name))).first()
    if not found:
        raise TraitGroupNotFound(f"there is no trait group {name} in this store")
    return _group(found)


async def list_groups(unit: Unit, store: Store, page: PageRequest, *, descending: bool) -> Page[TraitGroup]:
    """The store's groups, by the time they were made."""
    groups = _groups(store)
    order: list[ColumnElement[Any]] = [groups.c.created_at, groups.c.name]
    found = await fetch_page(unit, select(groups), page, order=order, descending=descending)
    return Page([_group(row) for row in found.items], found.next_token, found.previous_token)


async def list_traits(unit: Unit, group: TraitGroup, page: PageRequest, *, descending: bool) -> Page[Row[Any]]:
    """The definitions of a group, by name: rows of `name` and `definition`."""
    each = func.jsonb_each(literal(dict(group.traits), Json)).table_valued(
        column("key", Key), column("value", JSONB), name="each"
    )
    traits = select(each.c.key.collate("C").label("name"), each.c.value.label("definition")).subquery()
    return await fetch_page(unit, select(traits), page, order=[traits.c.name], descending=descending)


async def definitions(unit: Unit, store: Store) -> Definitions:
    """What every trait of the store may hold."""
    groups = _groups(store)
    rows = await unit.connection.execute(select(groups.c.name, groups.c.traits))
    return {name: {trait: definition(stored) for trait, stored in traits.items()} for name, traits in rows}


def promotions(known: Definitions) -> list[tuple[str, str]]:
    """Traits that become identifiers, as `Group.trait`, each with the type."""
    return [
        (f"{group}.{name}", trait.promotes_to)
        for group, traits in sorted(known.items())
        for name, trait in sorted(traits.items())
        if trait.promotes_to is not None
    ]


def _groups(store: Store) -> Subquery:
    """The groups that have a row, and `Contact` if it has none."""
    of_store = (_TABLE.account_id == store.account_id, _TABLE.store_id == store.id)
    kept = select(_TABLE.name, _TABLE.description, _TABLE.traits, _TABLE.version, _TABLE.created_at).where(*of_store)
    return union_all(kept, _untouched_contact(store, *of_store)).subquery()


def _untouched_contact(store: Store, *of_store: ColumnElement[bool]) -> Select[Any]:
    return select(
        literal(CONTACT, Key),
        literal(_DESCRIPTION, Key),
        literal({name: dict(stored) for name, stored in CONTACT_TRAITS.items()}, Json),
        literal(1),
        memory_stores.c.created_at,
    ).where(
        memory_stores.c.account_id == store.account_id,
        memory_stores.c.id == store.id,
        ~exists().where(*of_store, _TABLE.name == CONTACT),
    )


def _group(row: Row[Any]) -> TraitGroup:
    return TraitGroup(row.name, row.description, row.traits, row.version, row.created_at)
