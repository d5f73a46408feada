"""What has been taken: for each conversation the number of its last event, kept where the effects are kept.

Events are taken in order, so that one number tells of all that came before. It moves in the transaction of the event's
effect: both are there afterwards, or neither.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

Connection = TypeVar("Connection")

_TABLE = """
create table if not exists orchestrator_inbox (
  conversation_id text primary key,
  sequence bigint not null
)
"""
_LAST = "select sequence from orchestrator_inbox where conversation_id = ?"
_ADVANCE = """
insert into orchestrator_inbox (conversation_id, sequence) values (?, ?)
on conflict (conversation_id) do update set sequence = excluded.sequence where orchestrator_inbox.sequence = ?
"""


class Inbox(Protocol[Connection]):
    """An application's memory of what it has taken, in its own database. Used by several threads at once."""

    def begin(self) -> AbstractContextManager[Connection]:
        """A transaction: committed at the end of the block, rolled back when an exception leaves it."""

    def last(self, conversation_id: str) -> int:
        """The last event that was taken; 0 before the first."""

    def advance(self, connection: Connection, conversation_id: str, *, after: int, to: int) -> bool:
        """Move from one number to another in a transaction; False, and nothing is changed, if it is elsewhere by now.

        Who comes second waits for the transaction of the first.
        """


class SqliteInbox:
    """An inbox in an SQLite file, which it makes if need be; every transaction has a connection of its own.

    `patience` is how many seconds a transaction waits for another.
    """

    def __init__(self, path: str | Path, *, patience: float = 30.0) -> None:
        self._path = path
        self._patience = patience
        with self._open() as connection:
            connection.execute("pragma journal_mode = wal")  # readers do not wait for the writer
            connection.execute(_TABLE)

    @contextmanager
    def begin(self) -> Iterator[sqlite3.Connection]:
        with self._open() as connection:
            connection.execute("begin immediate")
            try:
                yield connection
            except BaseException:
                connection.execute("rollback")
                raise
            connection.execute("commit")

    def last(self, conversation_id: str) -> int:
        with self._open() as connection:
            row = connection.execute(_LAST, (conversation_id,)).fetchone()
        return int(row[0]) if row else 0

    def advance(self, connection: sqlite3.Connection, conversation_id: str, *, after: int, to: int) -> bool:
        return connection.execute(_ADVANCE, (conversation_id, to, after)).rowcount == 1

    def _open(self) -> "closing[sqlite3.Connection]":
        # Transactions begin and end where we say so, not where the module guesses.
        return closing(sqlite3.connect(self._path, timeout=self._patience, isolation_level=None))
