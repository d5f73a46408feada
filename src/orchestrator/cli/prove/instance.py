"""`orchestrator serve` in a process of its own: started, waited for, ended in good order or not."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from orchestrator.cli.errors import CommandFailed
from orchestrator.cli.prove.play import SPEED
from orchestrator.kernel.clock import Clock
from orchestrator.kernel.ids import new_sid
from orchestrator.kernel.postgres_process import told_of_our_death

_READY_WITHIN = 60.0
_STOPPED_WITHIN = 60.0
_LOOK_EVERY = 0.05
"""Seconds."""
_TAIL = 2000
"""Bytes."""


class Process:
    """A command of ours that can be started again after it has ended."""

    def __init__(self, arguments: list[str], settings: Mapping[str, str], log: Path) -> None:
        self._command = [sys.executable, "-P", "-m", "orchestrator", *arguments]
        others = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
        self._environment = others | {f"ORCHESTRATOR_{name}": value for name, value in settings.items()}
        self._log = log
        self._running: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._running is not None
        return self._running.pid

    @property
    def is_running(self) -> bool:
        return self._running is not None and self._running.poll() is None

    def start(self) -> None:
        """Start it; it ends when we do."""
        with self._log.open("ab") as log:
            self._running = subprocess.Popen(  # noqa: S603 - our own program
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                start_new_session=True,  # Ctrl-C in a terminal is for us alone: it is told when it is its turn
                preexec_fn=told_of_our_death(signal.SIGTERM),  # noqa: PLW1509 - safe: it calls two system functions
            )

    def kill(self) -> None:
        """End it as a crash would, and wait until it is gone."""
        if self._running is not None:
            self._running.kill()
            self._running.wait()

    def stop(self) -> None:
        """Ask it to end, and wait."""
        if self._running is None:
            return
        self._running.terminate()
        try:
            self._running.wait(_STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()

    def log_tail(self) -> str:
        """The last of what it said, for messages."""
        return self._log.read_bytes()[-_TAIL:].decode(errors="replace").strip()


class Service(Process):
    """`orchestrator serve` on a port that stays the same."""

    def __init__(self, port: int, arguments: list[str], settings: Mapping[str, str], log: Path) -> None:
        super().__init__(["serve", "--host", "127.0.0.1", "--port", str(port), *arguments], settings, log)
        self.url = f"http://127.0.0.1:{port}"

    def wait_until_ready(self) -> None:
        """Return once it answers. Raises CommandFailed."""
        give_up = time.monotonic() + _READY_WITHIN
        while not self._is_ready():
            if not self.is_running or time.monotonic() > give_up:
                raise CommandFailed(f"the service did not start. The end of what it said:\n{self.log_tail()}")
            time.sleep(_LOOK_EVERY)

    def _is_ready(self) -> bool:
        with contextlib.suppress(OSError):  # a 503 too
            urllib.request.urlopen(f"{self.url}/readyz", timeout=10).close()  # noqa: S310 - our own URL
            return True
        return False


def fast_clock_settings() -> dict[str, str]:
    """Settings of a service in which a minute passes in a second, with an account of its own."""
    return {
        "MODE": "dev",
        "CLOCK_START": Clock().now().isoformat(),
        "CLOCK_SPEED": str(SPEED),
        "SWEEP_INTERVAL": "0.1",
        # How long a claim holds follows from it, by the same clock: this is less than two seconds.
        "CALLBACK_READ_TIMEOUT": "60",
        "ACCOUNT_SID": new_sid("AC"),
        "AUTH_TOKEN": os.urandom(16).hex(),
        "LOG_LEVEL": "warning",
    }


@contextmanager
def reserved_port() -> Iterator[int]:
    """A free port of this machine that nobody is given while the service restarts."""
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        if sys.platform == "linux":  # elsewhere nobody could listen there meanwhile
            yield port
            return
    yield port
