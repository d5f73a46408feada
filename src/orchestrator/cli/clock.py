"""`orchestrator clock`: what time it is in a running service, and turning its clock in dev mode."""

import asyncio
import contextlib
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer

from orchestrator.cli.errors import FAILED, WrongUsage
from orchestrator.cli.instance import Url, find_instance
from orchestrator.cli.settings import AsJson

_PATH = "/orchestrator/v1/Clock"
_PATIENCE = 360.0
"""Seconds; the service itself waits no longer than five minutes for what becomes due."""

HowFar = Annotated[
    str, typer.Argument(metavar="TIME", help="How far: 90s, 10m, 1h30m, 3d, 1y; or to a time: 2027-02-03T09:15:00Z.")
]
Force = Annotated[bool, typer.Option("--force", help="Even if something was written at a time still to come.")]

clock = typer.Typer(help="The clock of a running service, which can be turned in dev mode.")


@clock.callback(invoke_without_command=True)
def show_unless_told(ctx: typer.Context) -> None:
    """The clock of a running service, which can be turned in dev mode. Alone, this shows it."""
    if ctx.invoked_subcommand is None:
        _show(None, as_json=False)


@clock.command("show")
def show(*, url: Url = None, as_json: AsJson = False) -> None:
    """Show the time, and what it brings next to a conversation."""
    _show(url, as_json=as_json)


@clock.command("freeze")
def freeze(*, url: Url = None, as_json: AsJson = False) -> None:
    """Let the clock stand still."""
    _turn(url, {"action": "FREEZE"}, as_json=as_json)


@clock.command("run")
def run(*, url: Url = None, as_json: AsJson = False) -> None:
    """Let the clock run on from where it stands still."""
    _turn(url, {"action": "RUN"}, as_json=as_json)


@clock.command("advance")
def advance(how_far: HowFar, *, url: Url = None, as_json: AsJson = False) -> None:
    """Turn the clock forward. What becomes due on the way happens at its own time, and is told."""
    _turn(url, {"action": "ADVANCE", **_goal(how_far)}, as_json=as_json)


@clock.command("to-next-deadline")
def to_next_deadline(*, url: Url = None, as_json: AsJson = False) -> None:
    """Turn the clock to the next time at which a conversation becomes INACTIVE or CLOSED."""
    _turn(url, {"action": "NEXT_DEADLINE"}, as_json=as_json)


@clock.command("reset")
def reset(*, force: Force = False, url: Url = None, as_json: AsJson = False) -> None:
    """Put the clock back to this machine's time."""
    _turn(url, {"action": "RESET", "force": force}, as_json=as_json)


def _goal(how_far: str) -> dict[str, str]:
    """What the request says of it. Raises WrongUsage."""
    from orchestrator.domain.durations import parse_duration

    if re.match(r"\d{4}-", how_far):
        return {"to": how_far}
    try:
        parse_duration(how_far)
    except ValueError as error:
        raise WrongUsage(f"{how_far}: {error}; or a time to go to, such as 2027-02-03T09:15:00Z") from error
    return {"by": how_far}


def _show(url: str | None, *, as_json: bool) -> None:
    shown = asyncio.run(_ask(url, None))
    if as_json:
        typer.echo(json.dumps(shown, indent=2))
    else:
        _print_clock(shown)


def _turn(url: str | None, body: dict[str, Any], *, as_json: bool) -> None:
    from rich.console import Console

    with Console(stderr=True).status("The clock turns, and what becomes due is done …"), _told_if_left_alone():
        turned = asyncio.run(_ask(url, body))
    if as_json:
        typer.echo(json.dumps(turned, indent=2))
    else:
        _print_moved(turned)
        _print_callbacks(turned)
        _print_clock(turned)
    if not turned["isSettled"]:
        left = ", ".join(f"{count} {name}" for name, count in turned["left"].items() if count)
        typer.echo(f"orchestrator: not everything that became due is done: {left} left", err=True)
        raise typer.Exit(FAILED)


@contextlib.contextmanager
def _told_if_left_alone() -> Iterator[None]:
    """Say on Ctrl-C what it does not do."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("orchestrator: the service goes on turning; `orchestrator clock` shows how far it is", err=True)
        raise


async def _ask(url: str | None, body: dict[str, Any] | None) -> Any:
    from orchestrator.cli.api import Api

    async with Api(find_instance(url), patience=_PATIENCE) as api:
        return await api.get(_PATH) if body is None else await api.post(_PATH, body)


def _print_clock(shown: dict[str, Any]) -> None:
    from orchestrator.domain.durations import write_duration

    ahead = round(shown["aheadSeconds"])
    apart = write_duration(timedelta(seconds=ahead))
    told = f", {apart} {'ahead of' if ahead > 0 else 'behind'} the system's clock" if ahead else ""
    how = "stands still" if shown["isFrozen"] else "runs"
    fixed = "" if shown["canTurn"] else "; it can be turned only in dev mode"
    typer.echo(f"{_time(shown['now'])} UTC; the clock {how}{told}{fixed}")
    if deadline := shown["nextDeadline"]:
        until = write_duration(_moment(deadline["at"]) - _moment(shown["now"]))
        typer.echo(f"next: {deadline['conversationId']} {deadline['to']} at {_time(deadline['at'])}, in {until}")


def _print_moved(turned: dict[str, Any]) -> None:
    from orchestrator.cli.tables import print_table

    rows = [(_time(one["at"]), one["conversationId"], one["from"], one["to"]) for one in turned["transitions"]]
    if rows:
        print_table(("time", "conversation", "was", "is"), rows, light=True)
    if turned["moreTransitions"]:
        typer.echo(f"… and {turned['moreTransitions']:,} more transitions")


def _print_callbacks(turned: dict[str, Any]) -> None:
    from orchestrator.cli.tables import print_table

    rows = [
        (_time(one["at"]), one["eventType"], one["conversationId"], one["url"], _outcome(one))
        for one in turned["deliveries"]
    ]
    if rows:
        print_table(("time", "event", "conversation", "callback", "outcome"), rows, light=True)
    if turned["moreDeliveries"]:
        typer.echo(f"… and {turned['moreDeliveries']:,} more callbacks")


def _outcome(one: dict[str, Any]) -> str:
    times = f" at attempt {one['attempts']}" if one["attempts"] > 1 else ""
    answer = one["responseStatus"] or one["error"] or "not tried yet"
    return f"{one['status']}{times} ({answer})"


def _time(text: str | None) -> str:
    return "" if text is None else f"{_moment(text):%Y-%m-%d %H:%M:%S}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
