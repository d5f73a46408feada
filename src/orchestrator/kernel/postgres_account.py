"""Owns the choice of the OS account that the embedded PostgreSQL runs as.

PostgreSQL refuses to run as root, so root hands it to an account of its own; everybody else runs it as themselves.
"""

# ruff: noqa: S603 - every command is put together here; nothing that a client sent is part of one

import logging
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
        # Programs look up their working directory, and ours may be one that the account cannot read.
        place: dict[str, Any] = {"cwd": "/"}
        return place | ({"user": self.uid, "group": self.gid, "extra_groups": []} if os.geteuid() == 0 else {})

    def reaches(self, folder: Path) -> bool:
        """Say whether the account can enter the folder: tried, so access lists count as well as permission bits."""
        entered = subprocess.run(
            ["/bin/sh", "-c", 'cd -- "$0"', folder], stderr=subprocess.DEVNULL, check=False, **self.run_as()
        )
        return entered.returncode == 0

    def private_folder(self, path: Path) -> Path:
        """Create a folder that only this account (and root) may enter, or check that it is one."""
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            found = path.lstat()  # not stat(): in /tmp somebody else may have put a link here
            private = found.st_uid in {self.uid, os.geteuid()} and not found.st_mode & 0o077
            if not (stat.S_ISDIR(found.st_mode) and private):
                trouble = f"{path} is not a private folder of the user {self.name}: remove it"
                raise PostgresUnavailable(trouble) from None
        if os.geteuid() == 0:
            os.chown(path, self.uid, self.gid)
        return path


def account_for(cluster: Path | None) -> Account:
    """Return ourselves; for root the owner of the existing cluster, or for a new one (None) the service account."""
    uid = os.geteuid()
    owner = cluster.stat() if cluster else None
    if owner and uid not in {0, owner.st_uid}:
        raise PostgresUnavailable(
            f"{cluster} belongs to the user {_name_of(owner.st_uid)}: "
            "run as that user or as root, or choose another data folder"
        )
    if uid != 0:
        return Account(uid, os.getegid(), _name_of(uid))
    if owner and owner.st_uid != 0:
        # In a volume from another machine this may be a number without a name; only initdb would need the name.
        return Account(owner.st_uid, owner.st_gid, _name_of(owner.st_uid))
    return _service_account()


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
    added = subprocess.run(command, capture_output=True, text=True, check=False)
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
