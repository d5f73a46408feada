"""Identity resolution settings: by what a store recognises people (contract: memory.md 3).

A store that nobody has set up has no row, and the settings of `domain.identifiers`. Changes count for what is written
from then on; what is there stays.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from orchestrator.domain.identifiers import RESERVED, IdentifierType, IdentitySettings, LimitPolicy, Normalization
from orchestrator.kernel.conditions import IfMatch
from orchestrator.kernel.fields import refused
from orchestrator.kernel.unit import Unit
from orchestrator.memory import trait_groups
from orchestrator.memory.stores import Store
from orchestrator.memory.versions import require_version, version_tag
from orchestrator.tables.memory import identity_settings

log = structlog.get_logger(__name__)

THRESHOLD = 75
"""Per cent; `matchingThreshold` where nobody has given one."""

_TABLE = identity_settings.c


@dataclass(frozen=True, slots=True)
class VersionedSettings:
    """The settings of one store."""

    body: Mapping[str, Any]
    """In the API's JSON form, with every member."""
    version: int


async def find(unit: Unit, store: Store) -> VersionedSettings:
    """The settings as they are answered."""
    statement = select(_TABLE.settings, _TABLE.version).where(
        _TABLE.account_id == store.account_id, _TABLE.store_id == store.id
    )
    row = (await unit.connection.execute(statement)).first()
    return VersionedSettings(row.settings, row.version) if row else VersionedSettings(_default_body(), 1)


async def of_store(unit: Unit, store: Store) -> IdentitySettings:
    """The settings as they are obeyed."""
    return _settings((await find(unit, store)).body)


async def hold(unit: Unit, store: Store) -> None:
    """Let nobody else recognise people by values that may be shared: no unique index decides who was first."""
    statement = select(_TABLE.version).where(_TABLE.account_id == store.account_id, _TABLE.store_id == store.id)
    await unit.connection.execute(statement.with_for_update())


async def replace(unit: Unit, store: Store, body: Mapping[str, Any], if_match: IfMatch) -> None:
    """Put settings in place of all that there are; the store is held by the caller.

    `body` is in the API's JSON form, with every member. Raises VersionConflict; BadRequest when a type is missing that
    has to stay, or a rule names none of the types.
    """
    before = await find(unit, store)
    require_version(if_match, version_tag(store.id, before.version))
    wanted = _settings(body)
    _check_rules(wanted)
    await _check_missing(unit, store, wanted)
    for config in body["identifierConfigs"]:
        if config["matchingAlgo"] == "fuzzy":
            log.warning("fuzzy matching is not supported: values are compared exactly", id_type=config["idType"])
    values = {"settings": body, "version": before.version + 1, "updated_at": unit.now}
    key = {"account_id": store.account_id, "store_id": store.id}
    statement = insert(identity_settings).values(**key, **values)
    await unit.connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=values))


def _check_rules(wanted: IdentitySettings) -> None:
    for number, rule in enumerate(wanted.rules):
        pointer = f"/matchingRules/{number}"
        if " and " in f" {' '.join(rule.split())} ".lower():
            raise refused(pointer, "compound rules are not supported: a rule is the name of one identifier type", rule)
        if rule not in wanted.types:
            raise refused(pointer, f"not one of the identifierConfigs: {', '.join(wanted.types)}", rule)
        if rule in wanted.rules[:number]:
            raise refused(pointer, "this type has a rule already", rule)


async def _check_missing(unit: Unit, store: Store, wanted: IdentitySettings) -> None:
    if missing := [name for name in RESERVED if name not in wanted.types]:
        raise refused(
            "/identifierConfigs", f"the types {', '.join(RESERVED)} always stay; missing: {', '.join(missing)}"
        )
    for trait, id_type in trait_groups.promotions(await trait_groups.definitions(unit, store)):
        if id_type not in wanted.types:
            raise refused("/identifierConfigs", f"{id_type} is missing, and the trait {trait} is promoted to it")


def _settings(body: Mapping[str, Any]) -> IdentitySettings:
    types = [
        IdentifierType(
            config["idType"],
            Normalization(config["normalization"]),
            config["limit"],
            LimitPolicy(config["limitPolicy"]),
            config["enforceUnique"],
        )
        for config in body["identifierConfigs"]
    ]
    return IdentitySettings({known.name: known for known in types}, tuple(body["matchingRules"]))


def config_to_wire(known: IdentifierType) -> dict[str, Any]:
    """A type of identifier in the API's JSON form."""
    return {
        "idType": known.name,
        "matchingAlgo": "exact",
        "matchingThreshold": THRESHOLD,
        "limit": known.limit,
        "limitPolicy": known.limit_policy.value,
        "enforceUnique": known.enforce_unique,
        "normalization": known.normalization.value,
    }


def _default_body() -> dict[str, Any]:
    defaults = IdentitySettings()
    return {
        "identifierConfigs": [config_to_wire(known) for known in defaults.types.values()],
        "matchingRules": list(defaults.rules),
    }
