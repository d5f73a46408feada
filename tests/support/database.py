"""The test run's Postgres: one server, and a migrated database of its own for each test process."""

import os
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
from sqlalchemy.engine import make_url

from orchestrator.kernel.db import create_engine
from orchestrator.kernel.migrations import migrate
from orchestrator.kernel.postgres import EmbeddedPostgres

URL = "ORCHESTRATOR_TEST_DATABASE_URL"


class TestServer:
    """Started once by the process that runs pytest; its workers find it in the environment."""

    __test__ = False
    _stop: Callable[[], None] = staticmethod(lambda: None)

    @classmethod
    def start(cls) -> None:
        if URL in os.environ:
            return
        if os.environ.get("ORCHESTRATOR_TEST_POSTGRES") == "container":
            from testcontainers.postgres import PostgresContainer  # only where it is asked for: needs Docker

            container = PostgresContainer("postgres:18").start()
            cls._stop = container.stop
            os.environ[URL] = container.get_connection_url(driver=None)
            return
        directory = tempfile.TemporaryDirectory(prefix="orchestrator-tests-", ignore_cleanup_errors=True)
        postgres = EmbeddedPostgres(Path(directory.name))
        postgres.start()

        def stop() -> None:
            postgres.stop()
            directory.cleanup()

        cls._stop = stop
        os.environ[URL] = postgres.dsn("postgres")

    @classmethod
    def stop(cls) -> None:
        cls._stop()


def _database(name: str) -> str:
    return make_url(os.environ[URL]).set(database=name).render_as_string(hide_password=False)


@asynccontextmanager
async def fresh_database(name: str) -> AsyncIterator[str]:
    """A database that goes away again."""
    admin = await asyncpg.connect(os.environ[URL])
    await admin.execute(f'drop database if exists "{name}" with (force)')
    await admin.execute(f'create database "{name}"')
    try:
        yield _database(name)
    finally:
        await admin.execute(f'drop database if exists "{name}" with (force)')
        await admin.close()


@asynccontextmanager
async def worker_database(suffix: str = "") -> AsyncIterator[str]:
    """A migrated database of this process."""
    async with fresh_database(f"orchestrator_test_{os.getpid()}{suffix}") as url:
        engine = create_engine(url, pool_size=2)
        await migrate(engine)
        await engine.dispose()
        yield url
