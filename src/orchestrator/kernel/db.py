"""The connection to Postgres: one engine and one pool per process, used by SQLAlchemy and, on hot paths, by asyncpg.

The engine is in AUTOCOMMIT: `kernel.unit` begins and ends transactions itself on the driver's connection, so that
ordinary statements and set-based ones share one transaction.
"""

from typing import Any

import orjson
from sqlalchemy import event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


def asyncpg_url(database_url: str) -> str:
    """The URL with SQLAlchemy's name for asyncpg, from any postgres:// or postgresql:// form."""
    url = make_url(database_url.replace("postgres://", "postgresql://", 1))
    return url.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


def create_engine(database_url: str, *, pool_size: int = 10) -> AsyncEngine:
    """The process's engine. Connections are checked when they are taken, so that a restarted server goes unnoticed."""
    engine = create_async_engine(
        asyncpg_url(database_url),
        isolation_level="AUTOCOMMIT",
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=30,
        pool_reset_on_return=None,
        hide_parameters=True,  # errors are logged, and parameters are people's messages
        # On the driver's connection too: jsonb comes out as Python values and goes in as text.
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        connect_args={"server_settings": {"application_name": "orchestrator", "jit": "off"}},
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    return engine


def _refuse_closed(connection: Any, *_: object) -> None:
    """Have the pool connect anew where the server has hung up; asyncpg knows, so nothing has to be sent to find out."""
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError
