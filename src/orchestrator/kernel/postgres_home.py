"""Owns the files around one embedded PostgreSQL server: its folder, its two locks, its log and the socket's folder.

The folder is the data folder itself. Only where root's stand-in account cannot enter that one (a clone below a private
home folder) it lies in `SHARED`, and a note in the data folder says so. Permissions and owners outside these two are
never changed.

What keeps two servers apart is never `postmaster.pid`, which outlives crashes and may name any process:

* `owner.lock` is held by the process that starts the server: a second one is turned away at once;
* `server.lock` is inherited by PostgreSQL and all its workers: whoever gets it knows that none of them is left, also
  when the process that started them was killed and they are still writing their last checkpoint;
* PostgreSQL's own check of its shared memory turns us away from a server that somebody started by hand.
"""

import fcntl
import hashlib
import logging
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from orchestrator.kernel.postgres_account import Account, PostgresUnavailable, account_for

SHARED = Path("/var/lib/orchestrator")
"""Where root keeps what the data folder cannot hold; every account may enter it."""

NOTE = "WHERE"
"""The file in the data folder whose first line names the folder that is used in its place."""

CLUSTER = "cluster"
"""PostgreSQL's own data folder, inside the server's."""

_SOCKET = ".s.PGSQL.5432"
_LONGEST_SOCKET_PATH = 103  # bytes on macOS; Linux allows 107
_TAIL = 2000  # bytes
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Home:
    """The folder of one server, and the account that runs it."""

    path: Path
    account: Account

    @property
    def cluster(self) -> Path:
        """PostgreSQL's own data folder."""
        return self.path / CLUSTER

    @property
    def log(self) -> Path:
        """What the server writes since its last start."""
        return self.path / "postgres.log"

    def own(self) -> int:
        """Take the folder for this process; return the lock's file descriptor. Raises PostgresUnavailable."""
        lock = self.path / "owner.lock"
        descriptor = _lock(lock)
        if descriptor is None:
            raise PostgresUnavailable(
                f"{self.path} is in use by process {lock.read_text().strip()}: "
                "stop that one, or choose another data folder"
            )
        os.ftruncate(descriptor, 0)
        os.write(descriptor, b"%d\n" % os.getpid())
        return descriptor

    def wait_until_vacant(self, seconds: float) -> int:
        """Wait until no process of an earlier server is left; return the lock, which the next server is to inherit."""
        give_up = time.monotonic() + seconds
        while (descriptor := _lock(self.path / "server.lock")) is None:
            if time.monotonic() > give_up:
                raise PostgresUnavailable(
                    f"a server of an earlier process is still shutting down in {self.path} after {seconds:.0f} s: "
                    f"try again later; {self.log} tells what it is doing"
                )
            time.sleep(0.02)
        return descriptor

    def fresh_sockets(self) -> Path:
        """Return the socket's folder, private and empty; to be called with both locks in hand."""
        folder = self.account.private_folder(socket_folder(self.path))
        for leftover in folder.iterdir():  # of a killed server: a socket nobody listens to, and its pid file
            leftover.unlink()
        return folder

    def fresh_log(self) -> IO[bytes]:
        """Open an empty log, private because it quotes failed statements; the previous one is kept as `.log.1`."""
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        return os.fdopen(os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600), "wb")

    def log_tail(self) -> str:
        """Return the end of the log, for messages."""
        return self.log.read_bytes()[-_TAIL:].decode(errors="replace").strip()

    def stale_pid(self) -> str | None:
        """Return the process id in `postmaster.pid`; to be called with both locks in hand, which make it stale.

        It is passed to PostgreSQL, which removes the file by itself after a look at the shared memory named in it. A
        file without a number was cut short by a power failure and would stop PostgreSQL for ever, so it is removed.
        """
        file = self.cluster / "postmaster.pid"
        if not file.exists():
            return None
        first = file.read_text(errors="replace").partition("\n")[0].strip()
        if re.fullmatch(r"[0-9]{1,9}", first):
            return first
        file.unlink()
        return None


def home_of(data_dir: Path) -> Path:
    """Return the folder in which the server of this data folder lives; reads the note, changes nothing."""
    note = data_dir / NOTE
    elsewhere = note.read_text().partition("\n")[0] if note.exists() else ""
    return Path(elsewhere) if elsewhere else data_dir.resolve()


def settle(data_dir: Path) -> Home:
    """Return the server's folder and account, creating both where they are missing. Raises PostgresUnavailable."""
    _create(data_dir)
    path = home_of(data_dir)
    if not path.is_dir():
        note = data_dir / NOTE
        raise PostgresUnavailable(f"{note} names {path}, which is missing: restore it, or remove {note} to start empty")
    exists = (path / CLUSTER).exists()
    account = account_for(path / CLUSTER if exists else None)
    if account.reaches(path):
        return Home(path, account)
    if exists:
        raise PostgresUnavailable(
            f"{path / CLUSTER} belongs to the user {account.name}, who may not enter {path}: "
            "let that user pass (chmod o+x on the folders above) or move the data folder"
        )
    return Home(_elsewhere(data_dir, account), account)


def share(folder: Path) -> Path:
    """Create a folder that every account may enter; one that exists already is left as it is."""
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # whatever the umask says
    return folder


def socket_folder(home: Path) -> Path:
    """Return the folder of the server's socket, the same for every process that asks.

    It lies in the server's home, or in /tmp where that path is too long for a socket or has a character that means
    something in a list of hosts or folders (a comma, a blank).
    """
    folder = home / "socket"
    plain = re.fullmatch(r"[A-Za-z0-9._/+-]+", str(folder))
    if plain and len(str(folder / _SOCKET)) <= _LONGEST_SOCKET_PATH:
        return folder
    # Not TMPDIR, which differs between users and sessions. Whoever took the name first is found out by private_folder.
    return Path("/tmp", f"orchestrator-{_digest(home)}")  # noqa: S108


def _create(data_dir: Path) -> None:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = data_dir.stat()
    # Root's stand-in account must pass through to its cluster. Only a folder of root's that is still empty is opened
    # for it: any other may hold what somebody wants to keep private.
    if os.geteuid() == found.st_uid == 0 and not any(data_dir.iterdir()):
        data_dir.chmod(found.st_mode | 0o011)


def _elsewhere(data_dir: Path, account: Account) -> Path:
    """Create the server's folder in `SHARED` and leave the note."""
    origin = data_dir.resolve()
    slug = re.sub(r"[^a-z0-9]+", "-", origin.name.lower()).strip("-")[:24] or "data"
    home = share(share(SHARED) / f"{slug}-{_digest(origin)}")
    if not account.reaches(home):
        places = f"neither {origin} nor {home}"
        raise PostgresUnavailable(f"the user {account.name} may enter {places}: move the data folder")
    reason = f"The database lives there because the user {account.name} may not enter this folder."
    (data_dir / NOTE).write_text(f"{home}\n\n{reason}\n")
    _log.warning("the user %s may not enter %s: the database lives in %s", account.name, origin, home)
    return home


def _digest(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


def _lock(path: Path) -> int | None:
    """Lock the file without waiting; return its descriptor, or None where another process has the lock."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
