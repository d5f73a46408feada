"""Opens the database that the settings lead to: it runs, it can be reached, its schema is up to date.

Below the command line and beside the other composition roots; whoever serves or administers starts here.
"""

import contextlib
import re
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import structlog

from orchestrator.settings import Settings

if TYPE_CHECKING:  # what these bring along takes longer to import than Postgres takes to start
    from orchestrator.kernel.postgres import EmbeddedPostgres
    from orchestrator.kernel.secrets import SecretBox
    from orchestrator.kernel.unit import Unit, Units

log = structlog.get_logger(__name__)

_LOOK_EVERY = 1.0
"""Seconds between looks whether the embedded server still runs."""


class DatabaseUnavailable(RuntimeError):
    """The database cannot be used; the message says which and why, and holds no password."""


class ClockTurned(DatabaseUnavailable):
    """The database cannot be served in production mode: its clock was turned in dev mode."""


@contextmanager
def database(
    settings: Settings, *, join: bool = False, meanwhile: Callable[[], None] = lambda: None
) -> Iterator[Settings]:
    """The settings with `database_url` set: the one given, else that of the embedded server, which runs in the block.

    With `join`, a server that another process already runs on the data folder is used rather than refused. `meanwhile`
    is called while the embedded server starts. Raises PostgresUnavailable.
    """
    if settings.database_url is not None:
        meanwhile()
        yield settings
        return
    from orchestrator.kernel.postgres import EmbeddedPostgres  # Unix only

    postgres = EmbeddedPostgres(settings.data_dir)
    taken = _answers(postgres)
    if taken and join:
        yield _located(settings, postgres)
        return
    try:
        with ThreadPoolExecutor(1) as starter:
            started = starter.submit(postgres.start)
            if not taken:  # else it is refused in a moment
                meanwhile()
            started.result()
        postgres.ensure_database()
        with _revived(postgres):
            yield _located(settings, postgres)
    finally:
        postgres.stop()


def _located(settings: Settings, postgres: "EmbeddedPostgres") -> Settings:
    # The mode has to be fixed here: without one, a database URL means production.
    mode = "dev" if settings.is_dev else "production"
    return settings.model_copy(update={"database_url": postgres.dsn(), "mode": mode})


def _answers(postgres: "EmbeddedPostgres") -> bool:
    """Whether somebody listens where the embedded server of this data folder would."""
    (folder,) = parse_qs(urlsplit(postgres.dsn()).query)["host"]
    with socket.socket(socket.AF_UNIX) as asking, contextlib.suppress(OSError):
        asking.connect(f"{folder}/.s.PGSQL.5432")
        return True
    return False


@contextmanager
def _revived(postgres: "EmbeddedPostgres") -> Iterator[None]:
    """In the block the server is started again when it ends by itself: killed by hand, or for lack of memory."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK_EVERY):
            if not postgres.is_running:
                try:
                    postgres.start()
                    log.warning("the embedded PostgreSQL ended and was started again")
                except Exception as error:  # whatever it is, the next look may succeed
                    log.error("the embedded PostgreSQL ended and does not start", error=str(error))

    watching = threading.Thread(target=watch, name="postgres-watch", daemon=True)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()


@asynccontextmanager
async def units(settings: Settings, *, pool_size: int = 2) -> AsyncIterator["Units"]:
    """Units of work on the database, whose schema is up to date. Raises DatabaseUnavailable."""
    from orchestrator.kernel.clock import clock_of
    from orchestrator.kernel.db import create_engine
    from orchestrator.kernel.migrations import current, migrate, newest_file
    from orchestrator.kernel.unit import Units

    assert settings.database_url is not None
    try:
        engine = create_engine(settings.database_url, pool_size=pool_size)
    except Exception as error:
        raise _unavailable(settings.database_url, error) from error
    try:
        try:
            if await current(engine) != newest_file():
                await migrate(engine)
        except Exception as error:  # whatever it is, the database cannot be used
            raise _unavailable(settings.database_url, error) from error
        clock = clock_of(start=settings.clock_start, speed=settings.clock_speed, shared=settings.is_dev)
        yield Units(engine, clock)
    finally:
        await engine.dispose()


async def refuse_turned_clock(unit: "Unit", settings: Settings) -> None:
    """Raise ClockTurned in production mode, which goes by the system's time, where the database's clock does not.

    What was written by the turned clock may lie in the future: its timers would wait for it, with nobody told why.
    """
    from orchestrator.kernel.clock import Clock, SharedClock

    if settings.is_dev:
        return
    clock = SharedClock(Clock())
    await clock.read(unit.driver.fetchrow)
    if not clock.turned.shows_its_base:
        shows = "stands still at" if clock.turned.stands_at else "shows"
        raise ClockTurned(
            f"dev mode has turned the clock of this database: it {shows} {clock.now():%Y-%m-%d %H:%M:%S} UTC, and "
            "production mode goes by the system's time. Take a new database or data folder, or start with "
            "ORCHESTRATOR_MODE=dev and use `orchestrator clock reset`"
        )


def secret_box(settings: Settings) -> "SecretBox":
    """What encrypts and decrypts auth tokens."""
    from orchestrator.kernel.secrets import SecretBox, secret_key_from

    given, old = settings.secret_key, settings.old_secret_key
    return SecretBox(
        given.get_secret_value() if given else secret_key_from(settings.data_dir),
        old.get_secret_value() if old else None,
    )


def _unavailable(url: str, error: Exception) -> DatabaseUnavailable:
    error = getattr(error, "orig", None) or error  # the driver's own words, without SQLAlchemy's
    reason = next(iter(str(error).strip().splitlines()), "")
    return DatabaseUnavailable(f"cannot use the database {without_password(url)}: {reason or type(error).__name__}")


def without_password(url: str) -> str:
    """A database URL for people to read."""
    shown = re.sub(r"(?<=://)([^/@:]*):[^/]*@", r"\1:***@", url)
    return re.sub(r"(?i)([?&](?:ssl)?password=)[^&]*", r"\1***", shown)
