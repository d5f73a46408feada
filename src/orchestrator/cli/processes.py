"""Several serving processes that share one socket and do not outlive the process that started them."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

import structlog

from orchestrator.cli.errors import CommandFailed
from orchestrator.cli.signals import Stopping
from orchestrator.kernel.postgres_process import told_of_our_death
from orchestrator.settings import Settings

log = structlog.get_logger(__name__)

_STOPPED_WITHIN = 40.0
"""Seconds for requests and callbacks in flight; the longest callback takes 20."""
_LOOK_EVERY = 0.05
"""Seconds between looks whether they answer, live, and are still wanted."""
_REPLACE_AFTER = 1.0
"""Seconds before a process that ended by itself is replaced, so that a broken one does not keep the machine busy."""


class Processes:
    """Serving processes: started early, told where the database is once it runs, replaced when they end."""

    def __init__(self, count: int, listener: socket.socket) -> None:
        self._listener = listener
        self._settings: Settings | None = None
        self._running = [self._start() for _ in range(count)]

    def serve(self, settings: Settings) -> None:
        """Let them serve: the database is ready."""
        self._settings = settings
        for process in self._running:
            self._tell(process)

    def run(self, on_ready: Callable[[], None], stopping: Stopping) -> None:
        """Keep them running until the command is asked to stop. `on_ready` is called once they answer."""
        while not self._answer():
            stopping.check()
            if any(process.poll() is not None for process in self._running):
                raise CommandFailed("a serving process ended before it could serve; its own words are above")
            time.sleep(_LOOK_EVERY)
        on_ready()
        while not stopping.asked:
            time.sleep(_LOOK_EVERY)
            for place, process in enumerate(self._running):
                if process.poll() is not None:
                    self._running[place] = self._replacement(process)

    def _replacement(self, ended: "subprocess.Popen[bytes]") -> "subprocess.Popen[bytes]":
        log.error("a serving process ended by itself and is replaced", status=ended.returncode)
        ended.communicate()  # closes our end of its pipe
        time.sleep(_REPLACE_AFTER)
        process = self._start()
        self._tell(process)
        return process

    def stop(self) -> None:
        """Let them finish what they are doing, and wait until they are gone."""
        for process in self._running:
            process.terminate()
        give_up = time.monotonic() + _STOPPED_WITHIN
        for process in self._running:
            try:
                process.wait(max(0.0, give_up - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
            process.communicate()  # closes our end of its pipe, which would have ended it at once

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-P", "-m", "orchestrator.cli.process", str(self._listener.fileno())],
            stdin=subprocess.PIPE,
            pass_fds=[self._listener.fileno()],
            # Ctrl-C in a terminal is for us alone: we tell them when it is their turn.
            start_new_session=True,
            # Before this child runs its program there is one system call to make, which is safe beside other threads.
            preexec_fn=told_of_our_death(signal.SIGKILL),  # noqa: PLW1509
        )

    def _tell(self, process: "subprocess.Popen[bytes]") -> None:
        """Send the settings that it cannot know; its standard input stays open and ends when we do."""
        assert self._settings is not None
        assert process.stdin is not None
        found = {
            "DATABASE_URL": self._settings.database_url,
            "MODE": "dev" if self._settings.is_dev else "production",
            "WORKER": str(self._settings.worker),
            "HOST": self._settings.host,
            "PORT": str(self._settings.port),
        }
        line = json.dumps({f"ORCHESTRATOR_{name}": value for name, value in found.items()})
        try:
            process.stdin.write(line.encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:  # it has ended already, which `run` finds out
            log.debug("a serving process ended early", pid=process.pid)

    def _answer(self) -> bool:
        host, port = self._listener.getsockname()[:2]
        asking = http.client.HTTPConnection({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port, timeout=0.5)  # noqa: S104
        try:
            asking.request("GET", "/readyz")
            return asking.getresponse().status == 200
        except OSError:
            return False
        finally:
            asking.close()


def lifeline() -> dict[str, str]:
    """In a serving process: wait for the settings. From then on it ends as soon as its parent does.

    Linux kills it by itself; this also works elsewhere, because the end of the pipe is everywhere the same.
    """
    with os.fdopen(os.dup(0), "rb") as standard_input:
        line = standard_input.readline()
    if not line:
        os._exit(1)

    def watch() -> None:
        while os.read(0, 1):  # not sys.stdin, whose lock a waiting reader would hold while the interpreter ends
            pass
        os._exit(1)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()
    told: dict[str, str] = json.loads(line)
    return told
