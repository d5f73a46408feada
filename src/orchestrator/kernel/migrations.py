"""Brings the database's schema up to date; safe when several processes start at once.

Alembic is imported only where it has work to do: it takes a quarter of a second, and most starts need no migration.
"""

from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

_LOCK = 0x6F726368  # any number that no other program uses; spells "orch"


def script_location() -> Path:
    """The migrations: beside the sources in a checkout, inside the package when installed from a wheel."""
    installed = Path(__file__).parents[1] / "_migrations"
    return installed if installed.is_dir() else Path(__file__).parents[3] / "migrations"


def head() -> str | None:
    """The newest revision."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(script_location())).get_current_head()


async def current(engine: AsyncEngine) -> str | None:
    """The database's revision, or None for an empty database."""
    async with engine.connect() as connection:
        if await connection.scalar(text("select to_regclass('alembic_version')")) is None:
            return None
        revision: str | None = await connection.scalar(text("select version_num from alembic_version"))
        return revision


def newest_file() -> str:
    """The revision of the last migration by file name; files are numbered, so it is the head, without Alembic."""
    return max(file.name.partition("_")[0] for file in (script_location() / "versions").glob("[0-9]*_*.py"))


async def migrate(engine: AsyncEngine) -> None:
    """Upgrade to the newest revision, in one transaction. A second process waits and then finds nothing to do."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="READ COMMITTED")
        async with connection.begin():
            await connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(script_location()))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
