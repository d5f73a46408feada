"""Memory stores: made, adopted, found, listed, changed, deleted; ACTIVE from the start (contract: memory.md 2.3)."""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from orchestrator.kernel.conditions import IfMatch
from orchestrator.kernel.ids import MEMORY_STORE, MEMORY_STORE_PATTERN, new_id
from orchestrator.kernel.paging import Page, PageRequest, fetch_page
from orchestrator.kernel.unit import Unit
from orchestrator.memory import turns
from orchestrator.memory.errors import (
    MalformedStoreId,
    StoreLimitReached,
    StoreNameTaken,
    StoreNotActive,
    StoreNotFound,
)
from orchestrator.memory.versions import require_version, version_tag
from orchestrator.tables import metadata
from orchestrator.tables.account import accounts
from orchestrator.tables.memory import memory_stores

MOST_STORES = 15
"""Stores that one account may create."""


@dataclass(frozen=True, slots=True)
class Store:
    """One store of one account; nothing in it is visible from another."""

    account_id: str
    id: str
    display_name: str
    description: str | None
    status: str
    version: int


async def adopt_store(unit: Unit, account_id: str, store_id: str) -> None:
    """Make the store that a configuration names, unless the account has or had one of that id.

    Clients bring store ids of their own, because elsewhere the store is a separate product. A deleted store stays
    deleted, an adopted one counts towards the account's limit but is never refused by it.
    """
    name = "store-" + re.sub(r"[^a-zA-Z0-9]+", "-", store_id[-26:])
    for display_name in (name, f"{name[:37]}-{new_id('x')[2:]}"):
        if await _insert(unit, Store(account_id, store_id, display_name, None, "ACTIVE", 1)):
            return
        statement = select(memory_stores.c.id).where(*_is(account_id, store_id))
        if await unit.connection.scalar(statement) is not None:
            return
        # The id is free, so the name was taken: try once more with one that nobody has.


async def create_store(unit: Unit, account_id: str, *, display_name: str, description: str | None) -> Store:
    """Make a store. Raises StoreNameTaken, StoreLimitReached; both are certain under concurrency."""
    # One creation at a time per account: otherwise two requests would both see room for a fifteenth store.
    await unit.connection.execute(
        select(accounts.c.account_id).where(accounts.c.account_id == account_id).with_for_update(key_share=True)
    )
    store = Store(account_id, new_id(MEMORY_STORE), display_name, description, "ACTIVE", 1)
    if not await _insert(unit, store):
        raise _name_taken(display_name)
    count = select(func.count()).select_from(memory_stores)
    live = count.where(memory_stores.c.account_id == account_id, memory_stores.c.deleted_at.is_(None))
    if (await unit.connection.scalar(live) or 0) > MOST_STORES:
        raise StoreLimitReached(
            f"this account already has {MOST_STORES} memory stores, the most it may have",
            details={"limit": MOST_STORES},
        )
    return store


async def find_store(unit: Unit, account_id: str, store_id: str) -> Store:
    """The store. Raises MalformedStoreId, StoreNotFound."""
    _check_form(store_id)
    statement = select(memory_stores).where(*_is(account_id, store_id), memory_stores.c.deleted_at.is_(None))
    row = (await unit.connection.execute(statement)).first()
    if row is None:
        raise StoreNotFound(f"there is no memory store {store_id}")
    return _store(row)


async def serving_store(unit: Unit, account_id: str, store_id: str, *, writing: bool = False) -> Store:
    """The store, for use of its data. Raises StoreNotActive beside what `find_store` raises.

    Writers keep it from being deleted until they commit, so that nothing is written into a deleted store.
    """
    if writing:
        _check_form(store_id)
        lock = select(memory_stores.c.id).where(*_is(account_id, store_id)).with_for_update(read=True)
        await unit.connection.execute(lock)
    store = await find_store(unit, account_id, store_id)
    if store.status != "ACTIVE":
        raise StoreNotActive(f"memory store {store_id} is {store.status}, not ACTIVE", details={"status": store.status})
    return store


async def store_to_change(unit: Unit, account_id: str, store_id: str) -> Store:
    """The store, held until the unit ends, so that nobody else changes it or writes into it.

    Traffic does not wait: it depends on nothing that can be changed. Raises what `serving_store` raises.
    """
    _check_form(store_id)
    lock = select(memory_stores.c.id).where(*_is(account_id, store_id)).with_for_update(key_share=True)
    await unit.connection.execute(lock)
    return await serving_store(unit, account_id, store_id)


async def patch_store(
    unit: Unit, store: Store, *, display_name: str | None, description: str | None, if_match: IfMatch
) -> None:
    """Change a store that is held: what is None stays. Raises VersionConflict, StoreNameTaken."""
    require_version(if_match, version_tag(store.id, store.version))
    statement = update(memory_stores).where(*_is(store.account_id, store.id))
    try:
        await unit.connection.execute(
            statement.values(
                display_name=display_name or store.display_name,
                description=description or store.description,
                version=store.version + 1,
            )
        )
    except IntegrityError as error:  # nothing but the name can be in the way
        raise _name_taken(display_name or store.display_name) from error


async def list_stores(unit: Unit, account_id: str, page: PageRequest, *, descending: bool) -> Page[Row[Any]]:
    """The account's stores, by the time they were made."""
    statement = select(memory_stores.c.id, memory_stores.c.created_at).where(
        memory_stores.c.account_id == account_id, memory_stores.c.deleted_at.is_(None)
    )
    order = [memory_stores.c.created_at, memory_stores.c.id]
    return await fetch_page(unit, statement, page, order=order, descending=descending)


async def delete_store(unit: Unit, account_id: str, store_id: str) -> None:
    """Delete a store and everything in it. Raises MalformedStoreId, StoreNotFound.

    Whoever is recognising somebody in it finishes first; whoever comes later finds no store.

    The row stays, so that the id is never used again and no configuration adopts it anew; captured traffic that still
    names it lands without profiles.
    """
    store = await find_store(unit, account_id, store_id)
    statement = update(memory_stores).where(*_is(account_id, store_id), memory_stores.c.deleted_at.is_(None))
    if (await unit.connection.execute(statement.values(deleted_at=unit.now))).rowcount == 0:
        raise StoreNotFound(f"there is no memory store {store_id}")  # deleted by somebody else a moment ago
    await turns.have_alone(unit, store)
    for table in metadata.sorted_tables:
        if "store_id" in table.c:
            await unit.connection.execute(
                delete(table).where(table.c.account_id == account_id, table.c.store_id == store_id)
            )


async def _insert(unit: Unit, store: Store) -> bool:
    """Whether both the id and the name were free."""
    statement = insert(memory_stores).values(
        account_id=store.account_id,
        id=store.id,
        display_name=store.display_name,
        description=store.description,
        status=store.status,
        version=store.version,
        created_at=unit.now,
    )
    inserted = await unit.connection.execute(statement.on_conflict_do_nothing().returning(memory_stores.c.id))
    return inserted.first() is not None


def _name_taken(display_name: str) -> StoreNameTaken:
    return StoreNameTaken(
        f"this account already has a memory store named {display_name}",
        params={"field": "/displayName", "value": display_name},
    )


def _check_form(store_id: str) -> None:
    if not re.fullmatch(MEMORY_STORE_PATTERN, store_id):
        raise MalformedStoreId(
            "a memory store id is mem_store_ and 26 lower-case characters", params={"field": "storeId"}
        )


def _is(account_id: str, store_id: str) -> tuple[ColumnElement[bool], ...]:
    return (memory_stores.c.account_id == account_id, memory_stores.c.id == store_id)


def _store(row: Row[Any]) -> Store:
    return Store(row.account_id, row.id, row.display_name, row.description, row.status, row.version)
