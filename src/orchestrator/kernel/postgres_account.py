"""Owns two answers: which OS account the embedded PostgreSQL runs as, and in which folder it lives.

PostgreSQL refuses to run as root, so root hands it to an account of its own. That account may be unable to reach the
data folder (a clone below a private home folder): the server then lives in `SHARED`, and the data folder keeps a note
that says where. Permissions and owners outside these two folders are never changed.
"""

import hashlib
import logging
import os
import pwd
import re
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHARED = Path("/var/lib/orchestrator")
"""Where root keeps what the data folder cannot hold; readable by every account."""

NOTE = "WHERE"
"""The file in the data folder whose first line names the folder that is used in its place."""

CLUSTER = "cluster"
"""The folder of PostgreSQL's own files, below the home folder."""

_SERVICE_ACCOUNTS = ("orchestrator", "postgres", "nobody")
_log = logging.getLogger(__name__)


class PostgresUnavailable(RuntimeError):
    """The embedded PostgreSQL cannot be used; the message says why and what to do about it."""


@dataclass(frozen=True)
class Account:
    """An OS account that may run PostgreSQL: never root."""

    uid: int
    gid: int
    name: str

    def run_as(self) -> dict[str, Any]:
        """Return the keyword arguments with which `subprocess` runs a command as this account."""
        # PostgreSQL and `sh` look up their working directory: ours may be one the account cannot read.
        place: dict[str, Any] = {"cwd": "/"}
        return place | ({"user": self.uid, "group": self.gid, "extra_groups": []} if os.geteuid() == 0 else {})

    def reaches(self, folder: Path) -> bool:
        """Say whether the account can enter the folder: tried, so access lists count as well as permission bits."""
        entered = subprocess.run(["/bin/sh", "-c", 'cd -- "$0"', folder], stderr=subprocess.DEVNULL, **self.run_as())
        return entered.returncode == 0

    def private_folder(self, path: Path) -> Path:
        """Create a folder that only this account (and root) may enter, or check that it is one."""
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            found = path.lstat()  # not stat(): below a shared folder somebody else may have put a link here
            mine = found.st_uid in {self.uid, os.geteuid()} and not found.st_mode & 0o077
            if not (stat.S_ISDIR(found.st_mode) and mine):
                raise PostgresUnavailable(f"{path} is not a private folder of the user {self.name}: remove it") from None
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)
        return path


def home_of(data_dir: Path) -> Path:
    """Return the folder in which the server of this data folder lives; reads the note, changes nothing."""
    note = data_dir / NOTE
    return Path(note.read_text().splitlines()[0]) if note.exists() else data_dir.resolve()


def settle(data_dir: Path) -> tuple[Account, Path]:
    """Return the account to run as and the home folder, creating both where they are missing."""
    _create(data_dir)
    home = home_of(data_dir)
    if not home.is_dir():
        note = data_dir / NOTE
        raise PostgresUnavailable(f"{note} names {home}, which is missing: restore it, or remove {note} to start empty")
    cluster = home / CLUSTER
    exists = cluster.exists()
    account = _account_for(cluster if exists else None)
    if account.reaches(home):
        return account, home
    if exists:
        raise PostgresUnavailable(
            f"{cluster} belongs to the user {account.name}, who cannot enter {home}: "
            "allow it (chmod o+x on the parent folders) or move the data folder"
        )
    return account, _relocated(data_dir, account)


def share(folder: Path) -> Path:
    """Create a folder that every account may enter; one that exists already is left as it is."""
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(0o755)  # whatever the umask says
    return folder


def _create(data_dir: Path) -> None:
    if data_dir.is_dir():
        return
    data_dir.mkdir(parents=True)
    # Another account than root's must pass through to the cluster; nobody needs to list it.
    data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)


def _account_for(cluster: Path | None) -> Account:
    """Return ourselves; for root the owner of the existing cluster, or for a new one the service account."""
    uid = os.geteuid()
    if cluster is not None:
        owner = cluster.stat()
        if uid == 0 and owner.st_uid != 0:
            # A volume that comes from another machine may belong to a number without a name here: the server does
            # not need one (only initdb does).
            return Account(owner.st_uid, owner.st_gid, _name_of(owner.st_uid))
        if uid not in {0, owner.st_uid}:
            raise PostgresUnavailable(
                f"{cluster} belongs to the user {_name_of(owner.st_uid)}: "
                f"run as that user or as root, or choose another data folder"
            )
    return _service_account() if uid == 0 else Account(uid, os.getegid(), _name_of(uid))


def _service_account() -> Account:
    for name in _SERVICE_ACCOUNTS:
        entry = _entry(name)
        if entry is None and name == _SERVICE_ACCOUNTS[0]:
            entry = _add(name)
        if entry is not None and entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid, name)
    raise PostgresUnavailable(
        f"PostgreSQL refuses to run as root and none of the users {', '.join(_SERVICE_ACCOUNTS)} exists: "
        "run as an ordinary user, or set ORCHESTRATOR_DATABASE_URL to a PostgreSQL server of your own"
    )


def _add(name: str) -> pwd.struct_passwd | None:
    useradd = shutil.which("useradd")
    if useradd is None:
        return None
    command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
    added = subprocess.run(command, capture_output=True, text=True)
    if added.returncode != 0:
        _log.info("could not add the user %s: %s", name, added.stderr.strip())
    return _entry(name)  # looked up even after a failure: another process may have added it at the same moment


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _relocated(data_dir: Path, account: Account) -> Path:
    origin = data_dir.resolve()
    slug = re.sub(r"[^a-z0-9]+", "-", origin.name.lower()).strip("-")[:24] or "data"
    home = SHARED / f"{slug}-{hashlib.sha256(os.fsencode(origin)).hexdigest()[:12]}"
    share(SHARED)
    share(home)
    if not account.reaches(home):
        raise PostgresUnavailable(f"the user {account.name} can enter neither {origin} nor {home}: move the data folder")
    reason = f"The database lives there because the user {account.name} may not enter this folder."
    (data_dir / NOTE).write_text(f"{home}\n\n{reason}\n")
    _log.warning("the user %s cannot enter %s: the database lives in %s", account.name, origin, home)
    return home
