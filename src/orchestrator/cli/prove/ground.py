"""Where the proof takes place: a database, the service on it, and the account that it is played in."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from orchestrator.cli.errors import WrongUsage
from orchestrator.cli.prove import counts
from orchestrator.cli.prove.instance import Service, fast_clock_settings, reserved_port
from orchestrator.cli.settings import read_settings
from orchestrator.cli.temporary_folder import temporary_folder
from orchestrator.kernel.telemetry import configure_logs
from orchestrator.serving import database
from orchestrator.settings import Settings


@dataclass(frozen=True, slots=True)
class Ground:
    """A database that can be used, and a service that can be started on it."""

    database_url: str
    service: Service
    account_id: str
    auth_token: str = field(repr=False)


@contextmanager
def proving_ground(*, processes: int, on_database: bool, force: bool) -> Iterator[Ground]:
    """A temporary database, or the one in the settings. Raises WrongUsage where that is somebody's."""
    configure_logs(json=False, level="warning")
    given = _given_database(force=force) if on_database else None
    with (
        temporary_folder("prove") as folder,
        reserved_port() as port,
        # Constructed, not read: the environment may name somebody's production database.
        database(given or Settings.model_construct(data_dir=folder, mode="dev")) as ready,
    ):
        assert ready.database_url is not None
        settings = fast_clock_settings() | {"DATABASE_URL": ready.database_url, "DATA_DIR": str(ready.data_dir)}
        if ready.secret_key is not None:
            settings["SECRET_KEY"] = ready.secret_key.get_secret_value()
        service = Service(port, ["--processes", str(processes)], settings, folder / "service.log")
        try:
            yield Ground(ready.database_url, service, settings["ACCOUNT_SID"], settings["AUTH_TOKEN"])
        finally:
            service.stop()


def _given_database(*, force: bool) -> Settings:
    settings = read_settings()
    if settings.database_url is None:
        raise WrongUsage("--on-database needs ORCHESTRATOR_DATABASE_URL")
    if not force and (found := asyncio.run(_accounts(settings.database_url))):
        raise WrongUsage(
            f"the database in ORCHESTRATOR_DATABASE_URL has {found} account{'s' if found > 1 else ''}: "
            "use an empty one, or say --force if the load and the rows that stay do not matter"
        )
    return settings


async def _accounts(database_url: str) -> int:
    async with counts.asking(database_url) as driver:
        return await counts.accounts(driver)
