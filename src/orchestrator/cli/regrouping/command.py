"""The command: shows what it is going to do, asks, does it."""

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from orchestrator.cli.errors import WrongUsage
from orchestrator.cli.instance import Instance, Url, find_instance
from orchestrator.cli.settings import AsJson

if TYPE_CHECKING:
    import httpx

    from orchestrator.cli.api import Api
    from orchestrator.cli.regrouping.migration import Outcome
    from orchestrator.cli.regrouping.plan import Plan
    from orchestrator.cli.regrouping.state import State, Wish

OldId = Annotated[str, typer.Argument(metavar="CONFIGURATION", help="The configuration, conv_configuration_….")]
Grouping = Annotated[
    Literal["GROUP_BY_PROFILE", "GROUP_BY_PARTICIPANT_ADDRESSES", "GROUP_BY_PARTICIPANT_ADDRESSES_AND_CHANNEL_TYPE"],
    typer.Option(
        metavar="TYPE",
        case_sensitive=False,
        help="GROUP_BY_PROFILE, GROUP_BY_PARTICIPANT_ADDRESSES or GROUP_BY_PARTICIPANT_ADDRESSES_AND_CHANNEL_TYPE.",
    ),
]
Name = Annotated[str | None, typer.Option(help="Of the new configuration. Default: the old one's.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show every request, and make none that changes anything.")]
Close = Annotated[
    bool,
    typer.Option(
        "--close/--keep-open",
        help="Close the old one's open conversations, or leave them to their timers and it to them.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def migrate_configuration(  # noqa: PLR0913 - each is an option of the command line
    configuration: OldId,
    *,
    grouping: Grouping,
    name: Name = None,
    dry_run: DryRun = False,
    close: Close = True,
    yes: Yes = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Give what a configuration captures another grouping type: a new configuration takes the place of the old one.

    A run that broke off is taken up by the same command.
    """
    from orchestrator.cli.regrouping.state import Wish
    from orchestrator.domain.configuration import GroupingType

    if not (dry_run or yes) and (as_json or not sys.stdin.isatty()):
        raise WrongUsage("there is nobody to ask: add --yes, or --dry-run to see what would be done")
    wish = Wish(configuration, GroupingType(grouping), name, close)
    asyncio.run(run(find_instance(url), wish, dry_run=dry_run, asks=not yes, as_json=as_json))


async def run(
    instance: Instance,
    wish: "Wish",
    *,
    dry_run: bool = False,
    asks: bool = False,
    as_json: bool = False,
    transport: "httpx.AsyncBaseTransport | None" = None,
) -> None:
    """Look, show, ask, do."""
    from orchestrator.cli.api import Api
    from orchestrator.cli.regrouping import report
    from orchestrator.cli.regrouping.plan import plan
    from orchestrator.cli.regrouping.state import look

    async with Api(instance, transport=transport) as api:
        state = await look(api, wish)
        planned = plan(state, wish)
        if not as_json and (dry_run or asks):
            report.print_plan(state, wish, planned)
        if asks and not dry_run:
            typer.confirm("Do this?", abort=True)
        outcome = None if dry_run else await _carried_out(api, wish, state, planned)
        if as_json:
            report.print_json(wish, state, planned, outcome)
        elif outcome is not None:
            report.print_outcome(wish, outcome)


async def _carried_out(api: "Api", wish: "Wish", state: "State", planned: "Plan") -> "Outcome":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from orchestrator.cli.regrouping.migration import Migration

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("")

        def tell(what: str, done: int, of: int) -> None:
            progress.update(task, description=what, completed=done, total=of)

        return await Migration(api, wish, state, planned, tell).run()
