"""`orchestrator accounts strict`: whether an account's writes of configurations lose nothing by accident."""

from typing import Annotated, Literal

import typer

from orchestrator.cli.administer import STRICTNESS, AccountSid, account_row, in_database, print_row
from orchestrator.cli.settings import AsJson, read_settings

Choice = Annotated[
    Literal["on", "off", "default"],
    typer.Argument(metavar="on|off|default", help="`default` leaves it to ORCHESTRATOR_STRICT_PUT."),
]


def add_to(accounts: typer.Typer) -> None:
    """Put the command beside the others on accounts."""
    accounts.command("strict")(strict)


def strict(account: AccountSid, choice: Choice, *, as_json: AsJson = False) -> None:
    """Refuse PUT and PATCH of an account's configurations that would delete what they do not name.

    The header Orchestrator-Strict of a request says otherwise for that one.
    """
    from orchestrator.accounts import strictness

    wanted = next(value for value, name in STRICTNESS.items() if name == choice)
    changed = in_database(lambda unit, box: strictness.make_strict(unit, box, account, strict=wanted))
    print_row(account_row(changed), _told(account, wanted), as_json=as_json)


def _told(account: str, wanted: bool | None) -> str:  # noqa: FBT001 - it is what was chosen
    if wanted is None:
        here = "strict" if read_settings().strict_put else "not strict"
        return f"{account} follows ORCHESTRATOR_STRICT_PUT, which makes writes {here} in this environment."
    return f"Writes of configurations of {account} are {'strict' if wanted else 'not strict'} from the next request on."
