"""Checks of this machine: the settings, the data folder, the versions of Python and of packages."""

import re
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from orchestrator.cli.doctor.findings import Finding
from orchestrator.cli.first_account import credentials_file
from orchestrator.kernel.secrets import SecretBox
from orchestrator.settings import Settings

OLDEST_PYTHON = (3, 11)
_SHORTEST_KEY = 16
_KNOWN_KEYS = {"change-me", "changeme", "password", "secret", "secret-key", "test", "default"}
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*>=\s*([0-9.]+)\s*(;.*)?")


def of_settings(settings: Settings) -> Iterator[Finding]:
    """What the settings allow that they should not."""
    yield from _signatures(settings)
    yield from _secret_key(settings)
    if not settings.worker:
        yield Finding(
            "worker-elsewhere",
            "ORCHESTRATOR_WORKER",
            "With these settings `orchestrator serve` sends no callbacks and moves no conversation on.",
            "See that `orchestrator worker` runs somewhere.",
        )
    if not settings.is_dev:
        yield from _production(settings)


def _signatures(settings: Settings) -> Iterator[Finding]:
    if not settings.verify_signatures:
        yield Finding(
            "signatures-off-in-dev" if settings.is_dev else "signatures-off",
            "ORCHESTRATOR_VERIFY_SIGNATURES",
            "Provider traffic is believed without its signature: whoever reaches /ingest can invent messages.",
            "Leave ORCHESTRATOR_VERIFY_SIGNATURES away wherever others reach the service.",
        )


def _secret_key(settings: Settings) -> Iterator[Finding]:
    key = settings.secret_key.get_secret_value() if settings.secret_key else None
    if key is not None and (len(key) < _SHORTEST_KEY or key.lower() in _KNOWN_KEYS):
        yield Finding(
            "secret-key-weak",
            "ORCHESTRATOR_SECRET_KEY",
            f"The key that encrypts auth tokens is easy to guess (fewer than {_SHORTEST_KEY} characters, or known).",
            "Change it: `openssl rand -hex 32`, then as docs/operations.md says under Changing secrets.",
        )


def _production(settings: Settings) -> Iterator[Finding]:
    if settings.public_url is None:
        yield Finding(
            "public-url-missing",
            "ORCHESTRATOR_PUBLIC_URL",
            "Signatures are checked against the address that a request came in on, which behind a proxy is not the "
            "one that the provider signed: its traffic would be refused with 403.",
            "Set it to the origin that the provider uses, such as https://orchestrator.example.com.",
        )
    elif settings.public_url.lower().startswith("http://"):
        yield Finding(
            "public-url-http",
            f"ORCHESTRATOR_PUBLIC_URL={settings.public_url}",
            "Clients and providers send credentials and messages unencrypted.",
            "Put TLS in front of the service, and name the https origin.",
        )
    if settings.admits_insecure_callbacks:
        yield Finding(
            "insecure-callbacks",
            "ORCHESTRATOR_ALLOW_INSECURE_CALLBACKS",
            "Callbacks may go to http and to private hosts: whoever can write a configuration reaches your network.",
            "Leave it away unless the receivers are in there and all accounts are yours.",
        )
    if settings.sender == "loopback":
        yield Finding(
            "sends-nothing",
            "ORCHESTRATOR_SENDER=loopback",
            "Actions and the Messages API send nothing: messages are captured and count as delivered.",
            "Set ORCHESTRATOR_SENDER=twilio if customers are to get them.",
        )


def of_data_folder(folder: Path) -> Iterator[Finding]:
    """Who else may write in the data folder, or read the secrets in it."""
    if not folder.is_dir():
        return
    if folder.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield Finding(
            "data-folder-writable",
            str(folder),
            "Other users of this machine may change the data folder.",
            f"chmod go-w {folder}",
        )
    for file in (folder / "secret.key", credentials_file(folder)):
        if file.is_file() and file.stat().st_mode & 0o077:
            yield Finding("secret-readable", str(file), "Other users of this machine may read it.", f"chmod 600 {file}")


def box(settings: Settings) -> SecretBox | None:
    """What decrypts stored tokens; None where this machine has no key. Makes none."""
    given, old = settings.secret_key, settings.old_secret_key
    file = settings.data_dir / "secret.key"
    try:
        key = given.get_secret_value() if given else file.read_text().strip()
    except OSError:
        return None
    return SecretBox(key, old.get_secret_value() if old else None)


def of_versions() -> Iterator[Finding]:
    """What is installed here, and too old."""
    yield from python_version(sys.version_info[:2])
    installed = {one.metadata["Name"].lower().replace("_", "-"): one.version for one in metadata.distributions()}
    try:
        required = metadata.requires("orchestrator") or []
    except metadata.PackageNotFoundError:  # run from its sources
        return
    yield from package_versions(required, installed)


def python_version(found: tuple[int, ...]) -> Iterator[Finding]:
    """A Python that is too old."""
    if found < OLDEST_PYTHON:
        shown = ".".join(map(str, found))
        yield Finding(
            "python-old", "Python", f"Python is {shown}; the service needs 3.11.", "Install Python 3.11 or newer."
        )


def package_versions(required: Sequence[str], installed: Mapping[str, str]) -> Iterator[Finding]:
    """Packages below the least version that the program was made for. Extras, and what has conditions, may miss."""
    for requirement in required:
        match = _REQUIREMENT.fullmatch(requirement.strip())
        if match is None:
            continue
        name, least, condition = match[1].lower().replace("_", "-"), match[2], match[3]
        found = installed.get(name)
        if found is None and condition:
            continue
        if found is None or _numbers(found) < _numbers(least):
            yield Finding(
                "package-old",
                f"package {name}",
                f"{f'Version {found} is installed' if found else 'It is not installed'}, {least} or newer is needed.",
                "Install what the lock says: `make run` in a checkout, or requirements/run.txt.",
            )


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers that a version begins with; of 2.1.9rc1 these are 2, 1 and 9."""
    match = re.match(r"[0-9]+(\.[0-9]+)*", version)
    numbers = tuple(int(part) for part in match[0].split(".")) if match else ()
    while numbers and numbers[-1] == 0:
        numbers = numbers[:-1]
    return numbers
