"""`orchestrator serve`: the whole service as one tree of processes that leaves nothing behind."""

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.errors import CommandFailed
from orchestrator.cli.settings import read_settings
from orchestrator.cli.signals import Stopping

if TYPE_CHECKING:
    from orchestrator.settings import Settings

Host = Annotated[str | None, typer.Option(help="Address to listen on [ORCHESTRATOR_HOST].")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one [ORCHESTRATOR_PORT].")]
Count = Annotated[int, typer.Option(min=1, max=64, help="Serving processes.")]
NoWorker = Annotated[bool, typer.Option("--no-worker", help="Leave callbacks and timers to `orchestrator worker`.")]


def serve(*, host: Host = None, port: Port = None, processes: Count = 1, no_worker: NoWorker = False) -> None:
    """Serve the API, with an embedded Postgres unless ORCHESTRATOR_DATABASE_URL names another."""
    from orchestrator.kernel.telemetry import configure_logs

    stopping = Stopping()
    settings = read_settings(host=host, port=port, worker=False if no_worker else None)
    configure_logs(json=settings.writes_json_logs, level=settings.log_level)
    with _listen(settings) as listener:
        settings = settings.model_copy(update={"port": listener.getsockname()[1]})
        if processes == 1:
            _serve_here(settings, listener, stopping)
        else:
            _serve_in_processes(settings, listener, stopping, processes)


def _serve_here(settings: "Settings", listener: socket.socket, stopping: Stopping) -> None:
    from orchestrator.cli.server import build_server, load
    from orchestrator.serving import database

    with database(settings, meanwhile=load) as ready:
        stopping.check()
        on_ready = _prepare(ready, embedded=settings.database_url is None)
        server = build_server(ready, on_ready)
        stopping.hand_over(server)
        server.run(sockets=[listener])


def _serve_in_processes(settings: "Settings", listener: socket.socket, stopping: Stopping, count: int) -> None:
    from orchestrator.cli.processes import Processes
    from orchestrator.serving import database

    serving = Processes(count, listener)  # they load the program while the database starts
    # Named twice: they end before the database does, and also when it does not even start.
    with serving, database(settings) as ready, serving:
        stopping.check()
        on_ready = _prepare(ready, embedded=settings.database_url is None)
        serving.serve(ready)
        serving.run(on_ready, stopping)


def _prepare(settings: "Settings", *, embedded: bool) -> Callable[[], None]:
    """Make what a first start makes; returns what to do once the service is ready."""
    from orchestrator.cli.banner import Banner
    from orchestrator.cli.first_account import FirstAccount, settle
    from orchestrator.serving import refuse_turned_clock, secret_box, units

    async def prepare() -> FirstAccount | None:
        async with units(settings) as opened, opened.begin() as unit:
            await refuse_turned_clock(unit, settings)
            return await settle(unit, secret_box(settings), settings, embedded=embedded)

    return Banner(settings, local_url(settings), embedded, asyncio.run(prepare())).show


def _listen(settings: "Settings") -> socket.socket:
    from orchestrator.cli.server import listen

    place = f"port {settings.port} of {settings.host}"
    try:
        return listen(settings.host, settings.port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandFailed(f"{place} is taken: choose another with --port, 0 takes a free one") from error
        reason = str(error.strerror or error).partition(" (while")[0]
        raise CommandFailed(f"cannot listen on {place}: {reason}") from error


def local_url(settings: "Settings") -> str:
    """Where somebody on this machine finds the service."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(settings.host, settings.host)  # noqa: S104
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
