"""The command: finds or starts an instance, plays the example for each grouping type, tells how it went."""

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.errors import FAILED
from orchestrator.cli.instance import Instance
from orchestrator.cli.settings import AsJson

if TYPE_CHECKING:
    from orchestrator.cli.demo.play import Played

Url = Annotated[
    str | None,
    typer.Option(help="A running instance, in dev mode on this machine. Default: a temporary one of its own."),
]


def demo(*, url: Url = None, as_json: AsJson = False) -> None:
    """Play Kiran's four contacts, for each of the three grouping types: they become 4, 2 and 1 conversations."""
    from rich.console import Console

    from orchestrator.cli.demo import report

    with contextlib.suppress(asyncio.CancelledError):
        with Console(stderr=True).status("Kiran is in touch …"):
            where, played = asyncio.run(_demonstrate(url))
        if as_json:
            report.print_json(where.url, played)
        else:
            report.print_tables(where.url, played)
        if all(one.succeeded for one in played):
            return
    raise typer.Exit(FAILED)


async def _demonstrate(url: str | None) -> "tuple[Instance, list[Played]]":
    from orchestrator.cli.temporary import instance_at

    ourselves = asyncio.current_task()
    assert ourselves is not None
    # Stopped in good order too: what the demonstration made is removed.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ourselves.cancel)
    async with instance_at(url, "demo") as instance:
        from orchestrator.cli.api import Api
        from orchestrator.cli.demo.play import EXPECTED, play
        from orchestrator.cli.receiver import receiving

        async with Api(instance) as api, receiving(instance.auth_token) as receiver:
            return instance, [await play(api, receiver, grouping) for grouping in EXPECTED]
