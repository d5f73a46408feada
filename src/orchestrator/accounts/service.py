"""Accounts and API keys: made, listed, found by their credentials."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, select
from sqlalchemy.dialects.postgresql import insert

from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.ids import new_sid
from orchestrator.kernel.secrets import SecretBox, digest, same
from orchestrator.kernel.unit import Unit
from orchestrator.tables.account import accounts, api_keys


@dataclass(frozen=True, slots=True)
class Account:
    """One tenant. The auth token signs callbacks and verifies provider traffic; it is never logged."""

    account_id: str
    name: str
    auth_token: str
    created_at: datetime
    previous_token: str | None = None
    """The one before the last rotation, which is valid too until `previous_until`."""
    previous_until: datetime | None = None
    """Set once the token has been rotated, and kept when the time is over."""
    strict_put: bool | None = None
    """Whether writes of configurations are strict; None is as the service's setting says."""

    def tokens(self, now: datetime) -> tuple[str, ...]:
        """The auth tokens that are valid, first the one that signs."""
        if self.previous_token is None or self.previous_until is None or now >= self.previous_until:
            return (self.auth_token,)
        return (self.auth_token, self.previous_token)

    def __repr__(self) -> str:
        return f"Account({self.account_id})"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A pair of credentials; the secret is known only when it is made."""

    account_id: str
    sid: str
    name: str
    created_at: datetime
    secret: str | None = None


async def create_account(
    unit: Unit, box: SecretBox, *, name: str, account_id: str | None = None, auth_token: str | None = None
) -> Account:
    """Make an account; one that exists is given the token and keeps everything else."""
    account = Account(account_id or new_sid("AC"), name, auth_token or secrets.token_hex(16), unit.now)
    encrypted = box.encrypt(account.auth_token)
    statement = insert(accounts).values(
        account_id=account.account_id, name=name, auth_token=encrypted, created_at=unit.now
    )
    await unit.connection.execute(
        statement.on_conflict_do_update(index_elements=["account_id"], set_={"auth_token": encrypted})
    )
    return account


async def list_accounts(unit: Unit, box: SecretBox) -> list[Account]:
    """All accounts, oldest first."""
    rows = await unit.connection.execute(select(accounts).order_by(accounts.c.created_at, accounts.c.account_id))
    return [_account(row, box) for row in rows]


async def find_account(unit: Unit, box: SecretBox, account_id: str) -> Account | None:
    """The account of this SID."""
    row = (await unit.connection.execute(select(accounts).where(accounts.c.account_id == account_id))).first()
    return _account(row, box) if row else None


async def existing_account(unit: Unit, box: SecretBox, account_id: str) -> Account:
    """The same. Raises NotFound."""
    account = await find_account(unit, box, account_id)
    if account is None:
        raise NotFound(f"there is no account {account_id}")
    return account


def _account(row: Row[Any], box: SecretBox) -> Account:
    previous = row.previous_auth_token
    return Account(
        row.account_id,
        row.name,
        box.decrypt(row.auth_token),
        row.created_at,
        box.decrypt(previous) if previous is not None else None,
        row.previous_until,
        row.strict_put,
    )


async def create_key(unit: Unit, account_id: str, *, name: str) -> ApiKey:
    """Make an API key. Raises NotFound for an unknown account."""
    if await unit.connection.scalar(select(accounts.c.account_id).where(accounts.c.account_id == account_id)) is None:
        raise NotFound(f"there is no account {account_id}")
    secret = secrets.token_urlsafe(32)
    key = ApiKey(account_id, new_sid("SK"), name, unit.now, secret)
    await unit.connection.execute(
        insert(api_keys).values(
            account_id=account_id, sid=key.sid, name=name, secret_digest=digest(secret), created_at=unit.now
        )
    )
    return key


async def list_keys(unit: Unit, account_id: str) -> list[ApiKey]:
    """The account's API keys, without their secrets, oldest first."""
    statement = select(api_keys).where(api_keys.c.account_id == account_id).order_by(api_keys.c.created_at)
    return [
        ApiKey(row.account_id, row.sid, row.name, row.created_at) for row in await unit.connection.execute(statement)
    ]


async def delete_key(unit: Unit, account_id: str, sid: str) -> None:
    """Revoke an API key. Raises NotFound when the account has no such key."""
    statement = delete(api_keys).where(api_keys.c.account_id == account_id, api_keys.c.sid == sid)
    if (await unit.connection.execute(statement)).rowcount == 0:
        raise NotFound(f"account {account_id} has no key {sid}")


async def account_of_key(unit: Unit, sid: str, secret: str) -> str | None:
    """The account that an API key's SID and secret belong to."""
    for row in await unit.connection.execute(select(api_keys).where(api_keys.c.sid == sid)):
        if same(row.secret_digest, digest(secret)):
            return str(row.account_id)
    return None
