"""Runs migrations. The connection comes from `orchestrator.kernel.migrations`, or from ORCHESTRATOR_DATABASE_URL."""

import asyncio

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from orchestrator.kernel.db import asyncpg_url
from orchestrator.settings import Settings
from orchestrator.tables import metadata


def run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


async def connect_and_run() -> None:
    url = Settings().database_url
    if url is None:
        raise SystemExit("set ORCHESTRATOR_DATABASE_URL, or use `orchestrator migrate` for the embedded store")
    engine = create_async_engine(asyncpg_url(url))
    async with engine.begin() as connection:
        await connection.run_sync(run)
    await engine.dispose()


if (given := context.config.attributes.get("connection")) is not None:
    run(given)
else:
    asyncio.run(connect_and_run())
