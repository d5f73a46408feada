"""A look into the database that the settings lead to. It is read only: nothing is started, migrated or written."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import text

from orchestrator.cli.doctor import clocks
from orchestrator.cli.doctor.findings import Finding
from orchestrator.cli.doctor.seen import LATE
from orchestrator.kernel.clock import Clock
from orchestrator.kernel.db import create_engine
from orchestrator.kernel.migrations import current, newest_file
from orchestrator.kernel.secrets import SecretBox, SecretKeyMismatch
from orchestrator.serving import without_password
from orchestrator.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

OLDEST_POSTGRES = 13
_PATIENCE = 5.0
"""Seconds until the first answer."""


@dataclass(frozen=True, slots=True)
class Database:
    """What there is to know of it."""

    server_version: int
    """As PostgreSQL numbers it: 150004 is 15.4."""
    skew: timedelta
    """How far its clock is ahead of this machine's."""
    revision: str | None
    """Of the schema; None for an empty database."""
    auth_tokens: tuple[bytes, ...] = ()
    """Encrypted, some of them."""
    overdue: int = 0
    """Conversations that should have become INACTIVE or CLOSED a minute ago."""


def address(settings: Settings) -> str:
    """The database's address: the one that is set, else the embedded server's, running or not."""
    if settings.database_url is not None:
        return settings.database_url
    from orchestrator.kernel.postgres import EmbeddedPostgres  # Unix only

    return EmbeddedPostgres(settings.data_dir).dsn()


async def look(settings: Settings) -> Database | Finding:
    """What is there, or why nothing can be told of it."""
    url = address(settings)
    try:
        engine = create_engine(url, pool_size=2)
        try:
            async with asyncio.timeout(_PATIENCE):
                revision = await current(engine)
                async with engine.connect() as connection:
                    return await _look(connection, settings, revision)
        finally:
            await engine.dispose()
    except Exception as error:  # whatever it is, the database cannot be looked at
        return _unreachable(settings, url, error)


def _unreachable(settings: Settings, url: str, error: Exception) -> Finding:
    if settings.database_url is None and isinstance(error, FileNotFoundError | ConnectionRefusedError):
        return Finding(
            "database-stopped",
            f"data folder {settings.data_dir}",
            "The embedded PostgreSQL of this data folder does not run, so it was not looked at.",
            "It runs as long as `orchestrator serve`. If the service runs elsewhere, set ORCHESTRATOR_DATA_DIR or "
            "ORCHESTRATOR_DATABASE_URL as for the service.",
        )
    error = getattr(error, "orig", None) or error
    reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
    return Finding(
        "database-unreachable",
        without_password(url),
        f"The database cannot be used: {reason}.",
        "Check that the server runs, and host, user, password and name in ORCHESTRATOR_DATABASE_URL.",
    )


async def _look(connection: "AsyncConnection", settings: Settings, revision: str | None) -> Database:
    before = Clock().now()
    told = (
        await connection.execute(text("select current_setting('server_version_num')::int, clock_timestamp()"))
    ).one()
    now = Clock().now()
    skew = told[1] - (before + (now - before) / 2)
    if revision != newest_file():  # the tables may be others
        return Database(told[0], skew, revision)
    return Database(
        told[0],
        skew,
        revision,
        tuple(await connection.scalars(text("select auth_token from accounts limit 100"))),
        await _overdue(connection, await _service_time(connection, now), settings),
    )


async def _service_time(connection: "AsyncConnection", now: datetime) -> datetime:
    """The time by the clock that the database keeps for a service in dev mode."""
    row = (await connection.execute(text("select ahead, stands_at from clock"))).one_or_none()
    if row is None:
        return now
    stands_at: datetime | None = row.stands_at
    ahead: timedelta = row.ahead
    return stands_at or now + ahead


async def _overdue(connection: "AsyncConnection", now: datetime, settings: Settings) -> int:
    if settings.clock_start is not None:  # a minute is short by a fast clock
        return 0
    statement = text("select count(*) from conversations where status <> 'CLOSED' and next_transition_at < :due")
    return int(await connection.scalar(statement, {"due": now - LATE}) or 0)


def judge(database: Database, box: SecretBox | None) -> Iterator[Finding]:
    """All checks of what was seen."""
    yield from postgres_version(database.server_version)
    yield from clocks.database_skewed(database.skew)
    yield from schema(database.revision, newest_file())
    yield from timers(database.overdue)
    if box is not None:
        yield from secret_key(database.auth_tokens, box)


def postgres_version(number: int) -> Iterator[Finding]:
    """A server that is too old."""
    if number < OLDEST_POSTGRES * 10_000:
        yield Finding(
            "postgres-old",
            "database",
            f"PostgreSQL is {number // 10_000}.{number % 10_000}; the service needs {OLDEST_POSTGRES} or newer.",
            "Upgrade the server.",
        )


def schema(revision: str | None, newest: str) -> Iterator[Finding]:
    """A schema that is not the one of this program. Revisions are numbers of the same length."""
    if revision == newest:
        return
    if revision is None:
        yield Finding(
            "schema-missing",
            "database",
            "The database is empty: no service has been started on it.",
            "Check ORCHESTRATOR_DATABASE_URL; the first start, or `orchestrator migrate`, makes the tables.",
        )
    elif revision > newest:
        yield Finding(
            "schema-ahead",
            "database",
            f"The schema is at revision {revision}, this program knows {newest}: it would refuse to start.",
            "Install the version that the schema is of, or a newer one. Going back means restoring a backup.",
        )
    else:
        yield Finding(
            "schema-behind",
            "database",
            f"The schema is at revision {revision}, this program is at {newest}: what runs is an older version.",
            "Start the service anew, or run `orchestrator migrate`; both bring it up to date.",
        )


def timers(overdue: int) -> Iterator[Finding]:
    """Conversations that nobody has moved on."""
    if overdue:
        yield Finding(
            "timers-late",
            "database",
            f"{overdue} conversations should have become INACTIVE or CLOSED more than a minute ago.",
            "Run `orchestrator worker`, or `orchestrator serve` without --no-worker; else more workers.",
        )


def secret_key(auth_tokens: tuple[bytes, ...], box: SecretBox) -> Iterator[Finding]:
    """Auth tokens that the secret key does not decrypt."""
    try:
        for token in auth_tokens:
            box.decrypt(token)
    except SecretKeyMismatch:
        yield Finding(
            "secret-key-wrong",
            "database",
            "Stored auth tokens cannot be decrypted with the secret key of this environment.",
            "Set ORCHESTRATOR_SECRET_KEY (or ORCHESTRATOR_DATA_DIR, whose secret.key is used without it) as for the "
            "service. While the key is being changed, set ORCHESTRATOR_OLD_SECRET_KEY too.",
        )
