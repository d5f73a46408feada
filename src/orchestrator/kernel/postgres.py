"""Owns the embedded PostgreSQL server: started with this process, stopped with it, never left behind.

What keeps two servers apart is never `postmaster.pid`, which outlives crashes and may name any process:

* `owner.lock` is held by this process: a second one is turned away at once;
* `server.lock` is inherited by PostgreSQL and all its workers: whoever gets it knows that none of them is left, also
  after this process was killed and the server is still shutting down;
* PostgreSQL's own shared memory check turns away a server that somebody started by hand.

Unix only; import it only where no other database is configured.
"""

import ctypes
import fcntl
import hashlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from orchestrator.kernel.postgres_account import CLUSTER, Account, PostgresUnavailable, home_of, settle
from orchestrator.kernel.postgres_binaries import Binaries, binaries_for

__all__ = ["EmbeddedPostgres", "PostgresUnavailable"]

ROLE = "orchestrator"
READY_WITHIN = 120.0
"""Seconds: recovery after a crash replays up to 1 GB of log (`max_wal_size`)."""
GONE_WITHIN = 60.0
"""Seconds for a fast shutdown, which writes a checkpoint."""

_DEFAULTS = {
    "shared_buffers": "128MB",
    "max_connections": "100",
    "jit": "off",  # compiling costs more than our short statements take
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_LONGEST_SOCKET_PATH = 103  # bytes; macOS allows 103, Linux 107
_KERNEL_TIES_CHILDREN = sys.platform == "linux"
_PR_SET_PDEATHSIG = 1
_log = logging.getLogger(__name__)


class EmbeddedPostgres:
    """One PostgreSQL server that belongs to this process and dies with it.

    `settings` are server settings by their PostgreSQL names (`{"work_mem": "16MB"}`); those that make the server
    private (no TCP, the socket's folder) cannot be changed.
    """

    def __init__(self, data_dir: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self._settings = dict(settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: threading.Thread | None = None
        self._owner_lock: int | None = None

    @property
    def process(self) -> "subprocess.Popen[bytes] | None":
        """The server's main process, a direct child; None before `start` and after `stop`."""
        return self._process

    @property
    def pid(self) -> int | None:
        """The number of the server's main process."""
        return self._process.pid if self._process else None

    @property
    def is_running(self) -> bool:
        """Whether the server's main process is alive."""
        return self._process is not None and self._process.poll() is None

    def dsn(self, database: str = ROLE) -> str:
        """Return the address of a database; needs no running server, so another process may ask for it too."""
        return f"postgresql://{ROLE}@/{quote(database, safe='')}?host={quote(str(_socket_folder(self._home)))}"

    def start(self) -> None:
        """Start the server and wait until it answers; does nothing while it runs.

        May be called from any thread. Raises PostgresUnavailable.
        """
        if self.is_running:
            return
        self.stop()  # forget a server that died by itself
        try:
            self._start()
        except (OSError, subprocess.SubprocessError) as error:
            self.stop()
            raise PostgresUnavailable(
                f"cannot run PostgreSQL in {self.data_dir}: {error}. Choose another data folder, "
                "or set ORCHESTRATOR_DATABASE_URL to a PostgreSQL server of your own"
            ) from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End all sessions, write everything to disk and wait until the server is gone; does nothing without one."""
        process, self._process = self._process, None
        if process is not None and self._keeper is not None:
            for order, patience in ((signal.SIGINT, GONE_WITHIN), (signal.SIGQUIT, 10.0), (signal.SIGKILL, None)):
                process.send_signal(order)
                self._keeper.join(patience)
                if process.poll() is not None:
                    break
        if self._owner_lock is not None:
            os.close(self._owner_lock)
            self._owner_lock = None

    def ensure_database(self, name: str = ROLE) -> None:
        """Create the database unless it exists. Raises PostgresUnavailable."""
        # psql quotes both uses of the name itself.
        script = (
            "SELECT format('CREATE DATABASE %I', :'name') "
            "WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \\gexec\n"
        )
        where = ["-h", str(_socket_folder(self._home)), "-U", ROLE, "-d", "postgres"]
        command = [self._binaries["psql"], "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", f"name={name}", *where]
        done = subprocess.run(command, input=script, capture_output=True, text=True, env=_environment())
        if done.returncode != 0:
            raise PostgresUnavailable(f"cannot create the database {name}: {done.stderr.strip()}")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
