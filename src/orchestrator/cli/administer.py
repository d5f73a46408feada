"""Commands that work on the database itself: migrate, accounts, keys."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from orchestrator.cli.errors import WrongUsage
from orchestrator.cli.settings import AsJson, read_settings

if TYPE_CHECKING:
    from orchestrator.accounts.service import Account, ApiKey
    from orchestrator.kernel.secrets import SecretBox
    from orchestrator.kernel.unit import Unit
    from orchestrator.settings import Settings

Result = TypeVar("Result")

AccountSid = Annotated[str, typer.Argument(metavar="ACCOUNT", help="The account's SID, AC….")]
KeySid = Annotated[str, typer.Argument(metavar="KEY", help="The key's SID, SK….")]
Name = Annotated[str, typer.Option(help="A name for people.")]

STRICTNESS = {True: "on", False: "off", None: "default"}
"""How an account's setting for strict writes is called."""

accounts = typer.Typer(no_args_is_help=True, help="The accounts of this service.")
keys = typer.Typer(no_args_is_help=True, help="The API keys of an account.")


def migrate(*, as_json: AsJson = False) -> None:
    """Bring the database's schema up to date."""
    from orchestrator.kernel.migrations import newest_file

    async def nothing(unit: "Unit", box: "SecretBox") -> None:
        """Opening the database has migrated it."""

    in_database(nothing)
    revision = newest_file()
    print_row({"revision": revision}, f"The schema is at revision {revision}.", as_json=as_json)


@accounts.command("list")
def list_accounts(*, as_json: AsJson = False) -> None:
    """List accounts, oldest first; auth tokens are not shown."""
    from orchestrator.accounts import service

    found = in_database(service.list_accounts)
    _print_all(
        ("account SID", "name", "created", "strict writes"), [account_row(one) for one in found], as_json=as_json
    )


@accounts.command("create")
def create_account(*, name: Name = "account", as_json: AsJson = False) -> None:
    """Make an account; its auth token is shown this once."""
    from orchestrator.accounts import service

    made = in_database(lambda unit, box: service.create_account(unit, box, name=name))
    row = account_row(made) | {"authToken": made.auth_token}
    print_row(row, f"Account SID  {made.account_id}\nAuth token   {made.auth_token}", as_json=as_json)


@keys.command("list")
def list_keys(account: AccountSid, *, as_json: AsJson = False) -> None:
    """List an account's API keys, oldest first."""
    from orchestrator.accounts import service

    async def keys_of_account(unit: "Unit", box: "SecretBox") -> list["ApiKey"]:
        await service.existing_account(unit, box, account)
        return await service.list_keys(unit, account)

    found = in_database(keys_of_account)
    _print_all(("key SID", "name", "created"), [_key_row(one) for one in found], as_json=as_json)


@keys.command("create")
def create_key(account: AccountSid, *, name: Name = "key", as_json: AsJson = False) -> None:
    """Make an API key; its secret is shown this once."""
    from orchestrator.accounts import service

    made = in_database(lambda unit, box: service.create_key(unit, account, name=name))
    row = _key_row(made) | {"secret": made.secret}
    print_row(row, f"Key SID  {made.sid}\nSecret   {made.secret}", as_json=as_json)


@keys.command("delete")
def delete_key(account: AccountSid, key: KeySid, *, as_json: AsJson = False) -> None:
    """Revoke an API key."""
    from orchestrator.accounts import service

    in_database(lambda unit, box: service.delete_key(unit, account, key))
    print_row({"deleted": key}, f"{key} is revoked.", as_json=as_json)


def in_database(work: Callable[["Unit", "SecretBox"], Awaitable[Result]]) -> Result:
    """Do the work in one unit on the database: the one in the settings, else the embedded one, running or not.

    Raises WrongUsage where there is none: only `serve` makes one, so that a wrong folder is not taken for an empty one.
    """
    from orchestrator.serving import database, secret_box, units

    with database(_with_data(read_settings()), join=True) as settings:

        async def run() -> Result:
            async with units(settings) as opened, opened.begin() as unit:
                return await work(unit, secret_box(settings))

        return asyncio.run(run())


def _with_data(settings: "Settings") -> "Settings":
    if settings.database_url is None:
        from orchestrator.kernel.postgres import EmbeddedPostgres

        if not EmbeddedPostgres(settings.data_dir).has_data:
            raise WrongUsage(
                f"there is no database in {settings.data_dir}: `orchestrator serve` makes one; or set "
                "ORCHESTRATOR_DATA_DIR to the folder of the service, or ORCHESTRATOR_DATABASE_URL"
            )
    return settings


def account_row(account: "Account") -> dict[str, Any]:
    """What is shown of an account, which is no secret."""
    from orchestrator.kernel.clock import rest_time

    return {
        "accountSid": account.account_id,
        "name": account.name,
        "createdAt": rest_time(account.created_at),
        "strictWrites": STRICTNESS[account.strict_put],
    }


def _key_row(key: "ApiKey") -> dict[str, Any]:
    from orchestrator.kernel.clock import rest_time

    return {"sid": key.sid, "name": key.name, "createdAt": rest_time(key.created_at)}


def print_row(row: dict[str, Any], text: str, *, as_json: bool) -> None:
    """The row as JSON, or the text."""
    typer.echo(json.dumps(row) if as_json else text)


def _print_all(headings: tuple[str, ...], rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(rows))
        return
    from orchestrator.cli.tables import print_table

    print_table(headings, [tuple(row.values()) for row in rows])
