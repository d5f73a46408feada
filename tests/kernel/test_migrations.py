"""The migrations make the schema that the tables describe."""

import asyncio

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from orchestrator.kernel.db import create_engine
from orchestrator.kernel.migrations import current, migrate, newest_file
from orchestrator.tables import metadata
from tests.support.database import fresh_database


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_an_empty_database_becomes_what_the_tables_say() -> None:
    async with fresh_database("orchestrator_test_migrations") as url:
        engine = create_engine(url, pool_size=2)
        assert await current(engine) is None
        await migrate(engine)
        assert await current(engine) == newest_file()
        async with engine.connect() as connection:
            assert await connection.run_sync(differences) == []
        await engine.dispose()


async def test_two_processes_may_migrate_at_once() -> None:
    async with fresh_database("orchestrator_test_migrations_twice") as url:
        engines = [create_engine(url, pool_size=2) for _ in range(2)]
        await asyncio.gather(*(migrate(engine) for engine in engines))
        assert await current(engines[0]) == newest_file()
        for engine in engines:
            await engine.dispose()
