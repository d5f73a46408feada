"""Secrets are changed: an account's auth token, with a time in which both are valid, and the service's secret key."""

import secrets
from datetime import timedelta

from sqlalchemy import select, update

from orchestrator.accounts import service
from orchestrator.accounts.service import Account
from orchestrator.kernel.errors import BadRequest, Conflict
from orchestrator.kernel.secrets import SecretBox
from orchestrator.kernel.unit import Unit
from orchestrator.tables.account import accounts


async def rotate_token(
    unit: Unit, box: SecretBox, account_id: str, *, window: timedelta, auth_token: str | None = None
) -> Account:
    """Give an account another auth token, which signs from now on; the one before stays valid for the window.

    Without `auth_token` one is made. Raises NotFound; Conflict while an earlier rotation is open, because the token
    before that would be cut off; BadRequest for a token that the account has or had.
    """
    account = await _locked(unit, box, account_id)
    if len(account.tokens(unit.now)) > 1:
        raise Conflict(
            f"the token before the last rotation is valid until {account.previous_until}: end that rotation first"
        )
    new = secrets.token_hex(16) if auth_token is None else auth_token
    if new in {"", account.auth_token, account.previous_token}:
        raise BadRequest("the new auth token is empty or one that the account already had")
    await unit.connection.execute(
        update(accounts)
        .where(accounts.c.account_id == account_id)
        .values(
            auth_token=box.encrypt(new),
            previous_auth_token=box.encrypt(account.auth_token),
            previous_until=unit.now + window,
        )
    )
    return await _locked(unit, box, account_id)


async def end_rotation(unit: Unit, box: SecretBox, account_id: str) -> Account:
    """Only the current auth token is valid any more; nothing changes when that is so already. Raises NotFound."""
    account = await _locked(unit, box, account_id)
    if len(account.tokens(unit.now)) == 1:
        return account
    await unit.connection.execute(
        update(accounts)
        .where(accounts.c.account_id == account_id)
        .values(previous_auth_token=None, previous_until=unit.now)
    )
    return await _locked(unit, box, account_id)


async def rekey(unit: Unit, box: SecretBox) -> int:
    """Encrypt all tokens with the box's secret key, whichever of its keys they are under; how many accounts there are.

    Raises SecretKeyMismatch, and changes nothing, when neither key decrypts one of them.
    """
    rows = (
        await unit.connection.execute(
            select(accounts).order_by(accounts.c.account_id).with_for_update(key_share=True)  # for no key update
        )
    ).all()
    await unit.driver.execute(
        """
        update accounts set auth_token = new.auth_token, previous_auth_token = new.previous_auth_token
        from unnest($1::text[], $2::bytea[], $3::bytea[]) as new (account_id, auth_token, previous_auth_token)
        where accounts.account_id = new.account_id
        """,
        [row.account_id for row in rows],
        [_anew(row.auth_token, box) for row in rows],
        [row.previous_auth_token and _anew(row.previous_auth_token, box) for row in rows],
    )
    return len(rows)


def _anew(encrypted: bytes, box: SecretBox) -> bytes:
    return box.encrypt(box.decrypt(encrypted))


async def _locked(unit: Unit, box: SecretBox, account_id: str) -> Account:
    """The account, of whose token nobody else may decide meanwhile. Raises NotFound."""
    statement = select(accounts.c.account_id).where(accounts.c.account_id == account_id)
    await unit.connection.execute(statement.with_for_update(key_share=True))  # for no key update
    return await service.existing_account(unit, box, account_id)
