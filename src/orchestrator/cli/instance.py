"""The running service that a command talks to, and the account that it talks as."""

import contextlib
import os
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlsplit

import typer

from orchestrator.cli.errors import WrongUsage
from orchestrator.cli.first_account import credentials_file, kept_credentials
from orchestrator.cli.serve import local_url
from orchestrator.cli.settings import read_settings

Url = Annotated[
    str | None,
    typer.Option(help="The running service [ORCHESTRATOR_URL, else ORCHESTRATOR_PUBLIC_URL, else this machine's]."),
]


@dataclass(frozen=True, slots=True)
class Instance:
    """Where the service is, and an account of it."""

    url: str
    account_id: str
    auth_token: str = field(repr=False)


def find_instance(url: str | None = None) -> Instance:
    """The service at `url`, or else the one that the settings name; the account is theirs, or the data folder's.

    Raises WrongUsage where there are no credentials, or where nothing can be at the URL.
    """
    return Instance(checked(url_of_service(url)), *_credentials())


def url_of_service(url: str | None = None) -> str:
    """Where the service is: at `url`, or where the environment and the settings say."""
    settings = read_settings()
    return (url or os.environ.get("ORCHESTRATOR_URL") or settings.public_url or local_url(settings)).rstrip("/")


def checked(url: str) -> str:
    """The same. Raises WrongUsage where no service can be there."""
    with contextlib.suppress(ValueError):  # of brackets, and of ports
        parts = urlsplit(url)
        is_clean = url.isprintable() and not set(url) & set(" ?#")
        if is_clean and parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return url
    raise WrongUsage(f"the service's address must be one such as http://127.0.0.1:8080, not {url!r}")


def _credentials() -> tuple[str, str]:
    """Those in the environment, else those of the embedded store in the data folder."""
    settings = read_settings()
    if settings.account_sid and settings.auth_token:
        return settings.account_sid, settings.auth_token.get_secret_value()
    kept = kept_credentials(settings.data_dir)
    if settings.account_sid and (kept is None or kept[0] != settings.account_sid):
        raise WrongUsage(f"ORCHESTRATOR_ACCOUNT_SID is {settings.account_sid}: set its ORCHESTRATOR_AUTH_TOKEN too")
    if kept is None:
        raise WrongUsage(
            "no credentials: set ORCHESTRATOR_ACCOUNT_SID and ORCHESTRATOR_AUTH_TOKEN, or ORCHESTRATOR_DATA_DIR to "
            f"the folder of the running instance ({credentials_file(settings.data_dir)} is not there)"
        )
    return kept
