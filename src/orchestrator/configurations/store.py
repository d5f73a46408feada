"""Statements on configurations and their versions."""

from collections.abc import Collection, Sequence
from typing import Any

import asyncpg
from sqlalchemy import Row, Select, Text, cast, func, insert, select, text, update

from orchestrator.configurations.model import Configuration
from orchestrator.kernel.paging import Page, PageRequest, fetch_page
from orchestrator.kernel.unit import Unit
from orchestrator.tables.account import accounts
from orchestrator.tables.configuration import configuration_versions, configurations
from orchestrator.tables.conversation import conversations

_SETTINGS = configuration_versions.c.settings


async def lock_account(unit: Unit, account_id: str) -> None:
    """Let the account's configurations be changed by one unit at a time: counts then see every change before."""
    statement = select(accounts.c.account_id).where(accounts.c.account_id == account_id)
    await unit.connection.execute(statement.with_for_update(key_share=True))


async def count(unit: Unit, account_id: str) -> int:
    """How many configurations the account has."""
    statement = select(func.count()).select_from(configurations)
    live = statement.where(configurations.c.account_id == account_id, configurations.c.deleted_at.is_(None))
    return (await unit.connection.execute(live)).scalar_one()


async def find(unit: Unit, account_id: str, configuration_id: str) -> Row[Any] | None:
    """The current version, if the configuration exists and is not deleted."""
    statement = _current(account_id).where(configurations.c.id == configuration_id)
    found: Row[Any] | None = (await unit.connection.execute(statement)).first()
    return found


async def page(unit: Unit, account_id: str, request: PageRequest) -> Page[Row[Any]]:
    """Current versions, newest configuration first; filter `memoryStoreId`."""
    statement = _current(account_id)
    if (store_id := request.filters.get("memoryStoreId")) is not None:
        statement = statement.where(_SETTINGS["memoryStoreId"].astext == store_id)
    order = [configurations.c.created_at, configurations.c.id]
    return await fetch_page(unit, statement, request, order=order, descending=True)


async def bridged(unit: Unit, account_id: str, service_id: str) -> str | None:
    """The configuration that bridges this service of Conversations (classic)."""
    service = _SETTINGS["conversationsV1Bridge"]["serviceId"].astext
    found: str | None = await unit.connection.scalar(
        _current(account_id).where(service == service_id).with_only_columns(configurations.c.id)
    )
    return found


async def insert_configuration(unit: Unit, configuration: Configuration) -> None:
    """Write a new configuration with its first version."""
    await unit.connection.execute(
        insert(configurations).values(
            account_id=configuration.account_id,
            id=configuration.id,
            version=configuration.version,
            created_at=configuration.created_at,
            updated_at=configuration.updated_at,
        )
    )
    await _insert_version(unit, configuration)


async def advance(unit: Unit, configuration: Configuration) -> None:
    """Write a further version and make it the current one."""
    await _insert_version(unit, configuration)
    await unit.connection.execute(
        update(configurations)
        .where(configurations.c.account_id == configuration.account_id, configurations.c.id == configuration.id)
        .values(version=configuration.version, updated_at=configuration.updated_at)
    )


async def lock_against_opening(unit: Unit, account_id: str, configuration_id: str) -> None:
    """Wait for units that are opening conversations of the configuration, and make later ones wait."""
    statement = select(configurations.c.id).where(
        configurations.c.account_id == account_id, configurations.c.id == configuration_id
    )
    await unit.connection.execute(statement.with_for_update())


async def open_conversation(unit: Unit, account_id: str, configuration_id: str) -> str | None:
    """One of the configuration's conversations that is not closed."""
    found: str | None = await unit.connection.scalar(
        select(conversations.c.id)
        .where(
            conversations.c.account_id == account_id,
            conversations.c.configuration_id == configuration_id,
            text("status <> 'CLOSED'"),  # literally as the partial index has it
        )
        .limit(1)
    )
    return found


async def count_open(unit: Unit, account_id: str, configuration_id: str) -> dict[int, int]:
    """How many of the configuration's conversations are not closed, by the version that they keep."""
    rows = await unit.connection.execute(
        select(conversations.c.configuration_version, func.count())
        .where(
            conversations.c.account_id == account_id,
            conversations.c.configuration_id == configuration_id,
            text("status <> 'CLOSED'"),  # literally as the partial index has it
        )
        .group_by(conversations.c.configuration_version)
    )
    return dict(rows.all())


async def page_of_versions(unit: Unit, account_id: str, configuration_id: str, request: PageRequest) -> Page[Row[Any]]:
    """Versions, newest first, each with the settings of the one before."""
    # Page tokens hold texts: this one sorts as the number does.
    place = func.lpad(cast(configuration_versions.c.version, Text), 10, "0").label("place")
    statement = _versions(account_id, configuration_id).add_columns(place)
    return await fetch_page(unit, statement, request, order=[place], descending=True)


async def find_version(unit: Unit, account_id: str, configuration_id: str, version: int) -> Row[Any] | None:
    """A version with the settings of the one before."""
    statement = _versions(account_id, configuration_id).where(configuration_versions.c.version == version)
    found: Row[Any] | None = (await unit.connection.execute(statement)).first()
    return found


async def mark_deleted(unit: Unit, account_id: str, configuration_id: str) -> None:
    """Delete a configuration; its versions stay, because closed conversations show theirs."""
    await unit.connection.execute(
        update(configurations)
        .where(configurations.c.account_id == account_id, configurations.c.id == configuration_id)
        .values(deleted_at=unit.now)
    )


async def heads(unit: Unit, account_ids: Collection[str]) -> list[asyncpg.Record]:
    """All configurations of these accounts, without their settings, per account in creation order."""
    return await unit.driver.fetch(
        """
        select account_id, id, version, created_at, updated_at from configurations
        where account_id = any($1::text[]) and deleted_at is null
        order by account_id, created_at, id
        """,
        list(account_ids),
    )


async def bodies(unit: Unit, versions: Sequence[tuple[str, str, int]]) -> dict[tuple[str, str, int], str]:
    """The JSON of these versions."""
    rows = await unit.driver.fetch(
        """
        select account_id, configuration_id, version, settings::text from configuration_versions
        where (account_id, configuration_id, version) in (select * from unnest($1::text[], $2::text[], $3::int[]))
        """,
        [account_id for account_id, _, _ in versions],
        [configuration_id for _, configuration_id, _ in versions],
        [version for _, _, version in versions],
    )
    return {(row["account_id"], row["configuration_id"], row["version"]): row["settings"] for row in rows}


async def lock_for_opening(unit: Unit, wanted: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Keep these (account, configuration) from being deleted; returns those that exist. Locks in sorted order."""
    rows = await unit.driver.fetch(
        """
        select account_id, id from configurations
        where (account_id, id) in (select * from unnest($1::text[], $2::text[])) and deleted_at is null
        order by account_id, id
        for key share
        """,
        [account_id for account_id, _ in wanted],
        [configuration_id for _, configuration_id in wanted],
    )
    return {(row["account_id"], row["id"]) for row in rows}


def _current(account_id: str) -> Select[Any]:
    version = configuration_versions
    return (
        select(configurations, _SETTINGS)
        .join(
            version,
            (version.c.account_id == configurations.c.account_id)
            & (version.c.configuration_id == configurations.c.id)
            & (version.c.version == configurations.c.version),
        )
        .where(configurations.c.account_id == account_id, configurations.c.deleted_at.is_(None))
    )


def _versions(account_id: str, configuration_id: str) -> Select[Any]:
    version, before = configuration_versions.c, configuration_versions.alias("before")
    return (
        select(version.version, version.settings, version.created_at, before.c.settings.label("previous"))
        .outerjoin(
            before,
            (before.c.account_id == version.account_id)
            & (before.c.configuration_id == version.configuration_id)
            & (before.c.version == version.version - 1),
        )
        .where(version.account_id == account_id, version.configuration_id == configuration_id)
    )


async def _insert_version(unit: Unit, configuration: Configuration) -> None:
    await unit.connection.execute(
        insert(configuration_versions).values(
            account_id=configuration.account_id,
            configuration_id=configuration.id,
            version=configuration.version,
            settings=configuration.body,
            created_at=configuration.updated_at,
        )
    )
