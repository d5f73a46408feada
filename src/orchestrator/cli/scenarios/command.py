"""The command: reads scenarios, finds or starts an instance, plays them, tells how it went."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.errors import FAILED, WrongUsage
from orchestrator.cli.settings import AsJson

if TYPE_CHECKING:
    from orchestrator.cli.api import Api
    from orchestrator.cli.scenarios.play import Played
    from orchestrator.cli.scenarios.reading import Story

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME|FILE]...", help="Scenarios that come with it, or files of yours.")
]
Url = Annotated[str | None, typer.Option(help="A running instance. Default: a temporary one of its own.")]
List = Annotated[bool, typer.Option("--list", help="Show the scenarios that come with it.")]
All = Annotated[bool, typer.Option("--all", help="Play all of them.")]
Keep = Annotated[bool, typer.Option("--keep", help="Do not remove what was made; only with --url.")]
Yes = Annotated[bool, typer.Option("--yes", help="Turn the clock of the instance at --url, for everybody.")]


def run(
    names: Names = None,
    *,
    url: Url = None,
    as_json: AsJson = False,
    listing: List = False,
    everything: All = False,
    keep: Keep = False,
    yes: Yes = False,
) -> None:
    """Play scenarios: messages, calls, requests, time that passes, and what must come of it."""
    from orchestrator.cli.scenarios import reading, report

    if listing:
        (report.print_list_json if as_json else report.print_list)(reading.shipped())
        return
    stories = (reading.shipped() if everything else []) + [reading.find(name) for name in names or []]
    if not stories:
        raise WrongUsage("which scenario? `orchestrator run --list` shows them, --all plays all")
    if keep and url is None:
        raise WrongUsage("--keep needs --url: nothing is left of a temporary instance")
    with contextlib.suppress(asyncio.CancelledError):
        where, played = asyncio.run(_run(stories, url, keep=keep, yes=yes))
        if as_json:
            report.print_json(where, played)
        else:
            for one in played:
                report.print_played(one)
            report.print_summary(where, played)
        if all(one.succeeded for one in played):
            return
    raise typer.Exit(FAILED)


async def _run(stories: "list[Story]", url: str | None, *, keep: bool, yes: bool) -> "tuple[str, list[Played]]":
    from orchestrator.cli.temporary import instance_at

    ourselves = asyncio.current_task()
    assert ourselves is not None
    # Stopped in good order too: what the scenario made is removed.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ourselves.cancel)
    with _progress() as tell:
        tell("Starting …")
        async with instance_at(url, "run") as instance:
            from orchestrator.cli.api import Api
            from orchestrator.cli.receiver import receiving
            from orchestrator.cli.scenarios.play import Manner, play

            def on_step(story: "Story", number: int) -> None:
                tell(f"{story.name}: step {number} of {len(story.scenario.steps)} …")

            manner = Manner(shared=url is not None, keep=keep, on_step=on_step)
            async with Api(instance, patience=_PATIENCE) as api, receiving(instance.auth_token) as receiver:
                if url is not None:
                    await _check_clock(api, stories, yes=yes)
                return instance.url, [await play(api, receiver, story, manner) for story in stories]


_PATIENCE = 60.0
"""Seconds for one request: turning the clock waits until everything that was due is done."""


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        yield status.update


async def _check_clock(api: "Api", stories: "list[Story]", *, yes: bool) -> None:
    """Whether the clock may be turned, if any of them does. Raises WrongUsage."""
    turning = [story for story in stories if story.scenario.advances]
    if not turning:
        return
    by = ", ".join(turn for story in turning for turn in story.scenario.advances)
    if not (await api.get("/orchestrator/v1/Clock"))["canTurn"]:
        raise WrongUsage(f"{turning[0].name} turns the clock ({by}), and only a service in dev mode lets it be turned")
    if not yes:
        raise WrongUsage(
            f"{turning[0].name} turns the clock of {api.instance.url} ahead ({by}), for everybody, and it stays there: "
            "say --yes"
        )
