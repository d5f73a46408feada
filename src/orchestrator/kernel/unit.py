"""A unit of work: one transaction, one moment, the account it acts for. The only place that begins and commits.

Nothing waits for the network while a unit is open.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import asyncpg
import sqlalchemy.exc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from orchestrator.kernel.clock import Clock, SharedClock


class Driver(Protocol):
    """What set-based statements need of asyncpg's connection."""

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]: ...

    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record | None: ...

    async def fetchval(self, query: str, *args: Any) -> Any: ...

    async def execute(self, query: str, *args: Any) -> str: ...


_TRANSIENT = (
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # raised when the server goes away in the middle of an answer
    sqlalchemy.exc.TimeoutError,  # every connection of the pool is busy
    OSError,  # lost connections, timeouts, and a socket that is gone while the server restarts
)


def is_transient(error: BaseException) -> bool:
    """Whether a unit that failed so may succeed when it is done again: the database was in the way, not the request.

    The unit changed nothing, unless the connection was lost while it committed; then nobody knows.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _TRANSIENT):
            return True
        cause = getattr(cause, "orig", None) or cause.__cause__
    return False


Listener = Callable[["Unit", Any], Awaitable[Any]]
"""Does, in the same unit, what follows from something that happened in a layer below it; returns what that needs."""


@dataclass(slots=True)
class Unit:
    """An open transaction."""

    connection: AsyncConnection
    """For ordinary statements, built with SQLAlchemy."""
    driver: Driver
    """The same connection and transaction, for set-based statements in SQL."""
    now: datetime
    """The moment of everything that happens in this unit."""
    wake_delivery: Callable[[], None]
    """Tells the delivery loop of this process, if there is one, that there is something to do."""
    before_commit: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """Called last of all in the transaction: for locks that must be held for no longer than it takes to commit."""
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    """Called once the transaction is durable."""
    listeners: Mapping[type, Listener] = field(default_factory=dict)

    async def tell(self, happening: object) -> Any:
        """Let a layer above do what follows from a happening. It is an error if none listens to its kind."""
        return await self.listeners[type(happening)](self, happening)

    @asynccontextmanager
    async def trying(self, *, keep: bool = True) -> AsyncIterator[None]:
        """A block that leaves nothing behind when it raises: no row, no lock, nothing to be called at the end.

        Not to be kept, it leaves nothing in any case: a dry run.
        """
        before, after = len(self.before_commit), len(self.after_commit)
        kept = False
        await self.driver.execute("savepoint trying")
        try:
            yield
            kept = keep
        finally:
            if not kept:
                await self.driver.execute("rollback to savepoint trying")
                del self.before_commit[before:], self.after_commit[after:]
            await self.driver.execute("release savepoint trying")


class Units:
    """Opens units of work."""

    def __init__(self, engine: AsyncEngine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock
        self.wake_delivery: Callable[[], None] = lambda: None
        self.listeners: dict[type, Listener] = {}
        """By the kind of what happens; the composition root connects them."""

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Unit]:
        """A transaction that commits when the block ends and rolls back when it raises."""
        async with self.engine.connect() as connection:
            raw = await connection.get_raw_connection()
            driver: Any = raw.driver_connection
            try:
                unit = Unit(connection, driver, await self._now(driver), self.wake_delivery, listeners=self.listeners)
                async with driver.transaction():
                    yield unit
                    for step in unit.before_commit:
                        await step()
            except asyncio.CancelledError:
                # Cut off in the middle, perhaps of BEGIN itself: nobody knows what the server still has open.
                await connection.invalidate()
                raise
        for callback in unit.after_commit:
            callback()

    async def _now(self, driver: Driver) -> datetime:
        if isinstance(self.clock, SharedClock):
            await self.clock.read(driver.fetchrow)
        return self.clock.now()
