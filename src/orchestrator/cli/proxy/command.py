"""The command: where the service is, whose certificates, which program."""

import asyncio
import os
import shlex
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.errors import CommandFailed, WrongUsage
from orchestrator.cli.instance import Url, url_of_service
from orchestrator.cli.settings import read_settings

if TYPE_CHECKING:
    from orchestrator.cli.proxy.authority import Authority
    from orchestrator.cli.proxy.hosts import Hosts
    from orchestrator.cli.proxy.server import Proxy
    from orchestrator.cli.proxy.service import Service

Command = Annotated[list[str] | None, typer.Argument(metavar="COMMAND...", help="The program and its arguments.")]
Allow = Annotated[list[str] | None, typer.Option(metavar="HOST", help="Let this host be reached too; repeatable.")]
KeepCa = Annotated[bool, typer.Option("--keep-ca", help="Keep the private CA in the data folder, and use it again.")]
PrintEnv = Annotated[bool, typer.Option("--print-env", help="Run nothing: print the variables, and stay.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="The proxy's own port; 0 takes a free one.")]


def proxy(
    command: Command = None,
    *,
    url: Url = None,
    allow: Allow = None,
    keep_ca: KeepCa = False,
    print_env: PrintEnv = False,
    port: Port = 0,
) -> None:
    """Run a program whose requests to Twilio's Conversations and Memory come to this service, unchanged.

    Its environment names a proxy on this machine, and a private certificate authority. Other hosts are refused.
    """
    from orchestrator.cli.proxy.hosts import Hosts, is_name
    from orchestrator.cli.proxy.service import service_at

    if bool(command) == print_env:
        raise WrongUsage("give a command to run, as in `orchestrator proxy -- python app.py`, or --print-env")
    if wrong := [host for host in allow or () if not is_name(host)]:
        raise WrongUsage(f"--allow: give a host such as api.example.com, without scheme or port, not {wrong[0]}")
    settings = read_settings()
    service = service_at(url_of_service(url))
    hosts = Hosts([*(allow or ()), service.host])  # its answers may name it
    kept_in = settings.data_dir / "proxy" if keep_ca else None
    raise typer.Exit(asyncio.run(_run(command, service, hosts, kept_in, port)))


async def _run(command: list[str] | None, service: "Service", hosts: "Hosts", kept_in: Path | None, port: int) -> int:
    """Returns the exit code."""
    from orchestrator.cli.proxy.environment import environment, variables, write_certificates
    from orchestrator.cli.proxy.running import Signals
    from orchestrator.cli.proxy.server import Proxy

    signals = Signals()  # before there is a folder that has to go again
    with tempfile.TemporaryDirectory(prefix="orchestrator-proxy-") as folder:  # which is for nobody else to read
        authority = _authority(kept_in)
        certificates = write_certificates(Path(folder), authority.pem)
        async with _listening(Proxy(authority, hosts, service, _tell), port) as taken:
            added = variables(taken, certificates, os.environ)
            if command:
                return await signals.run(command, environment(os.environ, added))
            _print(added)
            await signals.until_ended()
            return 0


def _authority(kept_in: Path | None) -> "Authority":
    from orchestrator.cli.proxy.authority import kept_authority, make_authority
    from orchestrator.kernel.clock import Clock

    now = Clock().now()
    if kept_in is None:
        return make_authority(now)
    try:
        return kept_authority(kept_in, now)
    except (OSError, ValueError) as error:
        raise CommandFailed(f"no certificate authority can be kept in {kept_in}: {error}") from error


@asynccontextmanager
async def _listening(proxy: "Proxy", port: int) -> AsyncIterator[int]:
    async with AsyncExitStack() as stack:
        try:
            taken = await stack.enter_async_context(proxy.listening(port))
        except OSError as error:
            raise CommandFailed(f"cannot listen on port {port} of 127.0.0.1: {error.strerror}") from error
        yield taken


def _print(variables: dict[str, str]) -> None:
    """As a shell takes them."""
    for name, value in variables.items():
        typer.echo(f"export {name}={shlex.quote(value)}")
    sys.stdout.flush()


def _tell(message: str) -> None:
    typer.echo(f"orchestrator proxy: {message}", err=True)
