"""Imports: a CSV file of profiles is announced, uploaded, and then written by the worker (contract: memory.md 4.11)."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row, Select, insert, select

from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.fields import refused
from orchestrator.kernel.ids import IMPORT, is_id, new_id
from orchestrator.kernel.paging import Page, PageRequest, fetch_page
from orchestrator.kernel.secrets import digest
from orchestrator.kernel.unit import Unit
from orchestrator.memory import trait_groups
from orchestrator.memory.stores import Store
from orchestrator.memory.trait_definitions import Definitions
from orchestrator.memory.traits import first_letter_small
from orchestrator.tables.memory import profile_imports

LARGEST_FILE = 100 * 1024 * 1024
"""Bytes."""
MOST_COLUMNS = 100
UPLOAD_WITHIN = timedelta(minutes=30)
"""How long the upload URL is good for."""
UPLOADS = "/uploads/"
"""Where files are put. Not below `/v1`: the URL itself is the permission."""

Mappings = Sequence[Mapping[str, str]]
"""Which column goes to which trait, in the API's JSON form."""

_TABLE = profile_imports.c


@dataclass(frozen=True, slots=True)
class Announced:
    """An import that waits for its file."""

    id: str
    token: str
    """The secret of the upload URL; only its hash is kept."""

    def url(self, origin: str) -> str:
        """Where to put the file."""
        return f"{origin}{UPLOADS}{self.id}?token={self.token}"


async def create_import(unit: Unit, store: Store, *, filename: str, file_size: int, mappings: Mappings) -> Announced:
    """Announce a file of `file_size` bytes. Raises BadRequest for a mapping that the store cannot follow."""
    _check_mappings(await trait_groups.definitions(unit, store), mappings)
    announced = Announced(new_id(IMPORT), secrets.token_urlsafe(32))
    await unit.connection.execute(
        insert(profile_imports).values(
            account_id=store.account_id,
            store_id=store.id,
            id=announced.id,
            status="PENDING",
            filename=filename,
            file_size=file_size,
            column_mappings=[dict(mapping) for mapping in mappings],
            upload_token_hash=digest(announced.token),
            upload_expires_at=unit.now + UPLOAD_WITHIN,
            created_at=unit.now,
            updated_at=unit.now,
        )
    )
    return announced


async def find_import(unit: Unit, store: Store, import_id: str) -> Row[Any]:
    """The import. Raises NotFound."""
    found: Row[Any] | None = None
    if is_id(import_id, IMPORT):
        found = (await unit.connection.execute(_select(store).where(_TABLE.id == import_id))).first()
    if found is None:
        raise NotFound(f"there is no import {import_id} in this store")
    return found


async def list_imports(unit: Unit, store: Store, page: PageRequest, *, descending: bool) -> Page[Row[Any]]:
    """The store's imports, by the time they were announced."""
    return await fetch_page(unit, _select(store), page, order=[_TABLE.id], descending=descending)


def trait_of(mapping: Mapping[str, str]) -> tuple[str, str]:
    """The trait that a column goes to, by group and name."""
    return mapping["traitGroup"], first_letter_small(mapping["traitName"])


def _select(store: Store) -> Select[Any]:
    return select(profile_imports).where(_TABLE.account_id == store.account_id, _TABLE.store_id == store.id)


def _check_mappings(definitions: Definitions, mappings: Mappings) -> None:
    """Raise BadRequest unless every mapping leads to another trait, and one of these tells who somebody is."""
    columns: set[str] = set()
    mapped: set[tuple[str, str]] = set()
    for number, mapping in enumerate(mappings):
        pointer = f"/columnMappings/{number}"
        (group, trait), column = trait_of(mapping), mapping["columnName"]
        if group not in definitions:
            raise refused(f"{pointer}/traitGroup", f"the store has no trait group {group}", group)
        if trait not in definitions[group]:
            raise refused(f"{pointer}/traitName", f"the store has no trait {group}.{trait}", mapping["traitName"])
        if column in columns:
            raise refused(f"{pointer}/columnName", "this column is mapped already", column)
        if (group, trait) in mapped:
            raise refused(f"{pointer}/traitName", f"the trait {group}.{trait} has a column already", trait)
        columns.add(column)
        mapped.add((group, trait))
    if not any(definitions[group][trait].promotes_to for group, trait in mapped):
        names = ", ".join(name for name, _ in trait_groups.promotions(definitions))
        raise refused("/columnMappings", f"a profile is recognised by its identifiers: map a column to one of {names}")
