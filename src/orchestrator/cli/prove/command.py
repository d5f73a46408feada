"""The command: finds a ground, plays, tells what was found."""

import asyncio
import random
import signal
from typing import Annotated

import typer

from orchestrator.cli.errors import FAILED
from orchestrator.cli.settings import AsJson

Messages = Annotated[int, typer.Option(min=1, max=10_000_000, help="Messages to be sent.")]
Count = Annotated[int, typer.Option(min=1, max=64, help="Serving processes.")]
Seed = Annotated[int | None, typer.Option(help="Plays the same traffic again. Default: another one each time.")]
OnDatabase = Annotated[
    bool,
    typer.Option(
        "--on-database",
        help="Use the empty database in ORCHESTRATOR_DATABASE_URL. Default: a temporary one, gone afterwards.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="… even if it has accounts already.")]


def prove(
    *,
    messages: Messages = 2000,
    processes: Count = 2,
    seed: Seed = None,
    on_database: OnDatabase = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Prove on this machine that no message or callback is lost, doubled or misordered: play heavy traffic, count."""
    import uvloop
    from rich.console import Console

    from orchestrator.cli.prove import report
    from orchestrator.cli.prove.ground import proving_ground
    from orchestrator.cli.prove.proof import prove as find_out

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what was started ends, and nothing is left
    seed = random.randrange(10**9) if seed is None else seed  # noqa: S311
    with (
        Console(stderr=True).status("the database starts") as status,
        proving_ground(processes=processes, on_database=on_database, force=force) as ground,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        proof = runner.run(find_out(ground, messages=messages, seed=seed, tell=status.update))
    (report.print_json if as_json else report.print_proof)(proof, seed=seed)
    if not proof.holds:
        raise typer.Exit(FAILED)
