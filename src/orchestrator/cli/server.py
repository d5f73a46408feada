"""uvicorn as this service runs it, in this process."""

import gc
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
import uvicorn

from orchestrator.cli.errors import CommandFailed
from orchestrator.settings import Settings

log = structlog.get_logger(__name__)

GRACE = 10
"""Seconds that requests in flight have to finish once the service is told to stop."""
_KEEP_ALIVE = 75
"""Seconds that an idle connection stays open: longer than the proxies in front of a service keep theirs."""


class Server(uvicorn.Server):
    """Tells when it is ready and when it stops, and leaves the signals to the command."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None], on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets=sockets)
        except SystemExit as error:
            raise CommandFailed("the service could not start; its own words are above") from error
        log.info("serving", process=os.getpid())
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        log.info("stopping", process=os.getpid())
        self._on_stop()  # or requests that wait for something to happen would be waited for
        await super().shutdown(sockets=sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:  # theirs would raise them again afterwards
        yield


def load() -> None:
    """Import the application, which takes longer than everything else at start.

    Without garbage collection: nearly all of what is made now stays, and looking through it takes a tenth of the time.
    """
    gc.disable()
    import orchestrator.app  # noqa: F401 - deferred to this moment, which the caller chooses


def build_server(settings: Settings, on_ready: Callable[[], None] = lambda: None) -> Server:
    """The server of the application; `settings.database_url` must be set and its schema up to date."""
    from orchestrator.app import create_app  # deferred like in `load`

    app = create_app(settings)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="info" if settings.log_level == "debug" else "warning",  # it tells of its start and end at length
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=["127.0.0.1", "::1"],
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )
    config.load()
    gc.freeze()  # what is there by now stays: no collection looks at it again, so requests do not wait for that
    gc.set_threshold(20_000, 20, 20)  # requests make little that has to be looked for, and much that has not
    gc.enable()
    return Server(config, on_ready, app.state.stopping.set)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    return socket.create_server(address[:2], family=family, backlog=2048)
