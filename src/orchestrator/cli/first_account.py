"""The account that the service starts with, its memory store, and the file in the data folder that remembers both."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.cli.errors import CommandFailed

if TYPE_CHECKING:
    from orchestrator.accounts.service import Account
    from orchestrator.kernel.secrets import SecretBox
    from orchestrator.kernel.unit import Unit
    from orchestrator.settings import Settings

STORE_NAME = "default"


@dataclass(frozen=True, slots=True)
class FirstAccount:
    """Credentials, and the memory store that a first configuration can use."""

    account_id: str
    auth_token: str
    memory_store_id: str
    is_new: bool = False

    def __repr__(self) -> str:
        return f"FirstAccount({self.account_id})"


def credentials_file(data_dir: Path) -> Path:
    """Where the embedded store's credentials are kept."""
    return data_dir / "credentials.json"


def kept_credentials(data_dir: Path) -> tuple[str, str] | None:
    """Account SID and auth token from the file; None where there is none."""
    file = credentials_file(data_dir)
    try:
        kept: Any = json.loads(file.read_text())
        return str(kept["accountSid"]), str(kept["authToken"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CommandFailed(f"{file} cannot be read ({error}): repair or remove it") from error


async def settle(unit: "Unit", box: "SecretBox", settings: "Settings", *, embedded: bool) -> FirstAccount | None:
    """Find or make the account that the settings name, or else that of the embedded store; None without either.

    The auth token in the settings wins: it replaces the one that is stored, unless that has been rotated. A start must
    not bring back a token that somebody had reason to replace.
    """
    kept = kept_credentials(settings.data_dir) if embedded else None
    token = settings.auth_token.get_secret_value() if settings.auth_token else None
    account_id = settings.account_sid or (kept[0] if kept else None)
    if kept and account_id == kept[0]:
        token = token or kept[1]
    if account_id is None:
        if not embedded:
            return None
        account_id = await _oldest(unit, box)  # the file was lost
    first = await _settle(unit, box, account_id, token, embedded=embedded)
    if embedded:
        _keep(settings.data_dir, first)
    return first


async def _settle(
    unit: "Unit", box: "SecretBox", account_id: str | None, token: str | None, *, embedded: bool
) -> FirstAccount:
    from orchestrator.accounts import service as accounts

    account = await accounts.find_account(unit, box, account_id) if account_id else None
    is_new = account is None
    if account is None and token is None and not embedded:
        raise CommandFailed(f"there is no account {account_id} yet: set ORCHESTRATOR_AUTH_TOKEN too, and it is made")
    if account is not None and account.previous_until is not None and token not in {None, account.auth_token}:
        _warn_of_an_old_token(account)
    elif account is None or token not in {None, account.auth_token}:
        name = account.name if account else STORE_NAME
        account = await accounts.create_account(unit, box, name=name, account_id=account_id, auth_token=token)
    return FirstAccount(account.account_id, account.auth_token, await _store(unit, account), is_new)


def _warn_of_an_old_token(account: "Account") -> None:
    import structlog

    structlog.get_logger(__name__).warning(
        "the auth token of the settings or of credentials.json is not used: the account's has been rotated since",
        account=account.account_id,
    )


async def _oldest(unit: "Unit", box: "SecretBox") -> str | None:
    from orchestrator.accounts import service as accounts

    found = await accounts.list_accounts(unit, box)
    return found[0].account_id if found else None


async def _store(unit: "Unit", account: "Account") -> str:
    """The store named `default`, or the oldest one, or a new one."""
    from orchestrator.kernel.paging import PageRequest
    from orchestrator.memory import stores

    page = await stores.list_stores(unit, account.account_id, PageRequest(), descending=False)
    found = [await stores.find_store(unit, account.account_id, row.id) for row in page.items]
    named = [store for store in found if store.display_name == STORE_NAME]
    if found:
        return (named or found)[0].id
    return (await stores.create_store(unit, account.account_id, display_name=STORE_NAME, description=None)).id


def keep_new_token(data_dir: Path, account_id: str, auth_token: str) -> None:
    """Write a rotated token into the file, if there is one and it is of that account."""
    kept = kept_credentials(data_dir)
    if kept is not None and kept[0] == account_id:
        store_id = json.loads(credentials_file(data_dir).read_text()).get("memoryStoreId", "")
        _keep(data_dir, FirstAccount(account_id, auth_token, store_id))


def _keep(data_dir: Path, first: FirstAccount) -> None:
    """Write the file for its owner's eyes only; a reader never sees half of it."""
    kept = {
        "accountSid": first.account_id,
        "authToken": first.auth_token,
        "basicAuth": f"{first.account_id}:{first.auth_token}",
        "memoryStoreId": first.memory_store_id,
    }
    file = credentials_file(data_dir)
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as written:
        written.write(json.dumps(kept, indent=2) + "\n")
    draft.replace(file)
