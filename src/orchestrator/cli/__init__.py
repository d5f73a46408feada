"""The command `orchestrator`: starts the composition roots, administers accounts, plays scenarios and proof.

Every command imports what it needs when it runs, so that none pays for another.
"""

import typer

from orchestrator import __version__
from orchestrator.cli import administer, rotation, strictness
from orchestrator.cli.clock import clock
from orchestrator.cli.conversations import conversations
from orchestrator.cli.deliveries import deliveries, redeliver
from orchestrator.cli.demo import demo
from orchestrator.cli.doctor import doctor
from orchestrator.cli.errors import OneLineErrors
from orchestrator.cli.explain import explain
from orchestrator.cli.openapi import openapi
from orchestrator.cli.prove import prove
from orchestrator.cli.proxy import proxy
from orchestrator.cli.regrouping import migrate_configuration
from orchestrator.cli.scenarios.command import run
from orchestrator.cli.send import send
from orchestrator.cli.serve import serve
from orchestrator.cli.settings import settings
from orchestrator.cli.tail import tail
from orchestrator.cli.uncaptured import uncaptured
from orchestrator.cli.worker import worker

__all__ = ["app"]

app = typer.Typer(
    name="orchestrator",
    cls=OneLineErrors,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they show local variables, and with them auth tokens
    help="A self-hosted service that Twilio clients take for Twilio's Conversation Orchestrator.",
)
app.command()(serve)
app.command()(worker)
app.command()(administer.migrate)
app.command()(send)
app.command()(explain)
app.command()(tail)
app.command()(conversations)
app.command()(uncaptured)
app.command()(deliveries)
app.command()(redeliver)
app.command()(demo)
app.command()(run)
app.command()(prove)
app.command()(doctor)
app.command("migrate-configuration")(migrate_configuration)
app.command(context_settings={"allow_interspersed_args": False})(proxy)  # options after the command are its own
app.command()(settings)
app.command()(openapi)
rotation.add_to(administer.accounts)
strictness.add_to(administer.accounts)
app.add_typer(clock, name="clock")
app.add_typer(administer.accounts, name="accounts")
app.add_typer(administer.keys, name="keys")


@app.command()
def version() -> None:
    """Show the version."""
    typer.echo(f"orchestrator {__version__}")
