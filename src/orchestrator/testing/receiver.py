"""The web server that status callbacks come to: one for all tests of a process, which tells them apart by the path."""

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from orchestrator.testing.callbacks import Callbacks

_LOOK_EVERY = 0.02
"""Seconds between looks whether it is to end."""


class Receiver:
    """Hands out addresses. What comes for a test that is over is taken and forgotten, so that nothing is sent again."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self._open: dict[str, Callbacks] = {}

    @contextmanager
    def listening(self, auth_token: str, situation: Callable[[], list[str]]) -> Iterator[Callbacks]:
        """An address of its own in the block."""
        path = f"/{secrets.token_hex(4)}"
        self._open[path] = Callbacks(self.origin + path, auth_token, situation)
        try:
            yield self._open[path]
        finally:
            del self._open[path]

    def take(self, target: str, headers: Any, body: bytes) -> int:
        """A request came; returns the HTTP status to answer with."""
        callbacks = self._open.get("/" + target.lstrip("/").partition("?")[0].partition("/")[0])
        return 204 if callbacks is None else callbacks.take(self.origin + target, dict(headers), body)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Listen on a free port of this machine, in a thread."""
    with _Server(("127.0.0.1", 0), _Requests) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": _LOOK_EVERY}, daemon=True)
        thread.start()
        try:
            yield server.receiver
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.receiver = Receiver(f"http://127.0.0.1:{self.server_port}")


class _Requests(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, _Server)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(self.server.receiver.take(self.path, self.headers, body))
        self.end_headers()

    do_GET = do_POST  # noqa: N815 - likewise

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - likewise
        """Say nothing: the test has the callbacks."""
