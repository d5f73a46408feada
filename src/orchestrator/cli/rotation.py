"""Commands that change secrets: an account's auth token, and the key that encrypts all of them."""

import os
import re
from datetime import timedelta
from typing import Annotated

import typer

from orchestrator.cli.administer import AccountSid, account_row, in_database, print_row
from orchestrator.cli.errors import WrongUsage
from orchestrator.cli.settings import AsJson, read_settings

NEW_TOKEN = "ORCHESTRATOR_NEW_AUTH_TOKEN"  # noqa: S105 - the name of a variable

Window = Annotated[
    str, typer.Option(metavar="TIME", help="How long the old token is valid too: 90s, 30m, 24h, 7d; 0 for not at all.")
]

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def add_to(accounts: typer.Typer) -> None:
    """Put the commands beside the others on accounts."""
    accounts.command("rotate-token")(rotate_token)
    accounts.command("end-rotation")(end_rotation)
    accounts.command("signing-secrets")(signing_secrets)
    accounts.command("rekey")(rekey)


def rotate_token(account: AccountSid, *, window: Window = "24h", as_json: AsJson = False) -> None:
    """Give an account a new auth token, shown this once; the old one stays valid for a while.

    ORCHESTRATOR_NEW_AUTH_TOKEN is taken if it is set, so that receivers can be told before; else one is made.
    """
    from orchestrator.accounts import rotation
    from orchestrator.cli.first_account import keep_new_token
    from orchestrator.kernel.clock import rest_time

    duration, given = _duration(window), os.environ.get(NEW_TOKEN)
    rotated = in_database(
        lambda unit, box: rotation.rotate_token(unit, box, account, window=duration, auth_token=given)
    )
    assert rotated.previous_until is not None
    until = rest_time(rotated.previous_until)
    row = account_row(rotated) | {"authToken": rotated.auth_token, "previousValidUntil": until}
    shown = "as given" if given else rotated.auth_token
    print_row(row, f"Auth token   {shown}\nThe one before is valid until {until}.", as_json=as_json)
    keep_new_token(read_settings().data_dir, account, rotated.auth_token)  # last: the token has been shown


def end_rotation(account: AccountSid, *, as_json: AsJson = False) -> None:
    """From now on only the account's current auth token is valid."""
    from orchestrator.accounts import rotation

    ended = in_database(lambda unit, box: rotation.end_rotation(unit, box, account))
    print_row(account_row(ended), f"Only the current auth token of {account} is valid.", as_json=as_json)


def signing_secrets(account: AccountSid, *, as_json: AsJson = False) -> None:
    """Show what verifies an account's callbacks beside its auth token, and opens nothing."""
    from orchestrator.accounts import service
    from orchestrator.kernel.callback_signing import shared_key, standard_secret

    found = in_database(lambda unit, box: service.existing_account(unit, box, account))
    key = shared_key(found.auth_token)
    row = {"standardWebhooks": standard_secret(found.auth_token), "sharedKeyId": key.id, "sharedKey": key.secret}
    text = (
        f"Standard Webhooks secret  {row['standardWebhooks']}\nShared key id             {key.id}\n"
        f"Shared key                {key.secret}"
    )
    print_row(row, text, as_json=as_json)


def rekey(*, as_json: AsJson = False) -> None:
    """Encrypt all auth tokens with ORCHESTRATOR_SECRET_KEY that ORCHESTRATOR_OLD_SECRET_KEY still encrypts."""
    from orchestrator.accounts import rotation

    settings = read_settings()
    if settings.secret_key is None or settings.old_secret_key is None:
        raise WrongUsage("set ORCHESTRATOR_SECRET_KEY to the new key and ORCHESTRATOR_OLD_SECRET_KEY to the old one")
    count = in_database(rotation.rekey)
    print_row({"accounts": count}, f"The auth tokens of {count} accounts are under the new key.", as_json=as_json)


def _duration(text: str) -> timedelta:
    match = re.fullmatch(r"([0-9]{1,6})([smhd])|0", text.strip())
    if match is None:
        raise WrongUsage(f"--window: give a time such as 90s, 30m, 24h or 7d, not {text!r}")
    return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match[1] else timedelta()
