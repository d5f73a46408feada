"""Traits: what a store knows about a profile. Every store has the group `Contact` (contract: memory.md 4.9)."""

from collections.abc import Collection, Mapping
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from orchestrator.domain.identifiers import TYPES, normalise
from orchestrator.domain.identity import Identifier
from orchestrator.kernel.fields import refused
from orchestrator.kernel.unit import Unit
from orchestrator.memory.stores import Store
from orchestrator.tables.memory import profile_traits

log = structlog.get_logger(__name__)

Traits = Mapping[str, Mapping[str, Any]]
"""Values by group and trait name."""

CONTACT = "Contact"
CONTACT_TRAITS = frozenset(
    {
        "firstName",
        "lastName",
        "email",
        "phone",
        "whatsapp",
        "chat",
        "street",
        "city",
        "state",
        "postalCode",
        "country",
    }
)
"""All of them strings."""
PROMOTED = {name: name for name in TYPES}
"""Traits of `Contact` whose values are identifiers, and of which type."""


def declared(traits: Traits) -> dict[str, dict[str, Any]]:
    """The traits that the store declares; others are dropped, and null counts as absent (contract: memory.md 4.2).

    Raises BadRequest for a value that is not of its trait's type.
    """
    kept: dict[str, dict[str, Any]] = {}
    for group, values in traits.items():
        for name, value in values.items():
            if value is None:
                continue
            if group != CONTACT or name not in CONTACT_TRAITS:
                log.info("undeclared trait dropped", trait=f"{group}.{name}")
                continue
            if not isinstance(value, str):
                raise refused(_pointer(group, name), "this trait is a string")
            kept.setdefault(group, {})[name] = value
    return kept


def promoted(traits: Traits) -> set[Identifier]:
    """The identifiers that declared traits stand for; a value that cannot be normalised stays a mere trait."""
    found = set()
    for name, id_type in PROMOTED.items():
        value = traits.get(CONTACT, {}).get(name)
        if value is None:
            continue
        try:
            found.add(Identifier(id_type, normalise(id_type, value)))
        except ValueError:
            log.info("trait not promoted", trait=f"{CONTACT}.{name}")  # without its value: that is somebody's address
    return found


async def write(unit: Unit, store: Store, profile_id: str, traits: Traits) -> None:
    """Set traits of a profile; those that are not named stay, and those that do not change keep their time."""
    rows = [
        {"trait_group": group, "name": name, "value": value}
        for group, values in sorted(traits.items())
        for name, value in sorted(values.items())
    ]
    if not rows:
        return
    whose = {"account_id": store.account_id, "store_id": store.id, "profile_id": profile_id, "updated_at": unit.now}
    statement = insert(profile_traits).values([{**whose, **row} for row in rows])
    await unit.connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(profile_traits.primary_key),
            set_={"value": statement.excluded.value, "updated_at": statement.excluded.updated_at},
            where=profile_traits.c.value.is_distinct_from(statement.excluded.value),
        )
    )


async def of_profile(
    unit: Unit, store: Store, profile_id: str, *, groups: Collection[str] = ()
) -> dict[str, dict[str, Any]]:
    """A profile's traits, of all groups or of those named; unknown groups are ignored."""
    table = profile_traits.c
    statement = (
        select(table.trait_group, table.name, table.value)
        .where(table.account_id == store.account_id, table.store_id == store.id, table.profile_id == profile_id)
        .order_by(table.trait_group, table.name)
    )
    traits: dict[str, dict[str, Any]] = {}
    for group, name, value in await unit.connection.execute(statement):
        if not groups or group in groups:
            traits.setdefault(group, {})[name] = value
    return traits


def _pointer(group: str, name: str) -> str:
    return f"/traits/{group}/{name}"
