"""Owns the bond between this process and a server it starts: the server is told to shut down when this process dies.

Linux does it by itself (`PR_SET_PDEATHSIG`), also after kill -9. Elsewhere a watchdog, a one-line shell, waits for the
end of a pipe whose other end dies with this process.
"""

# ruff: noqa: S603 - every command is put together here; nothing that a client sent is part of one

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import IO

from orchestrator.kernel.postgres_account import Account

KERNEL_TELLS_CHILDREN = sys.platform == "linux"

_PR_SET_PDEATHSIG = 1
_WATCHDOG = 'read -r _; kill -INT "$0"'
_libc = ctypes.CDLL(None, use_errno=True)
_log = logging.getLogger(__name__)


def told_of_our_death(order: signal.Signals = signal.SIGINT) -> Callable[[], None]:
    """Return what a new child runs before its program, so that it gets the signal when this process dies.

    It has to run after the child has changed its user, which clears the setting; `subprocess` keeps that order.
    """
    parent = os.getpid()

    def ask() -> None:
        if KERNEL_TELLS_CHILDREN and _libc.prctl(_PR_SET_PDEATHSIG, int(order), 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
        if os.getppid() != parent:  # it died before we asked: no signal will come
            os._exit(1)

    return ask


class BoundProcess:
    """A server process that does not outlive this one.

    Linux sends the signal when the *thread* that started the child ends. The thread of the caller may be a short-lived
    one (`asyncio.to_thread`), so the child is started by a thread of its own, which stays until the child has ended.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        account: Account,
        environment: Mapping[str, str],
        output: IO[bytes],
        inherited: int,
    ) -> None:
        def start() -> "subprocess.Popen[bytes]":
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                pass_fds=[inherited],
                # Ctrl-C in a terminal goes to every process of the session: the server must not hear it before we
                # have finished with it.
                start_new_session=True,
                # Beside other threads it is safe to call two system functions between fork and exec.
                preexec_fn=told_of_our_death(),  # noqa: PLW1509
                **account.run_as(),
            )

        self._ending = False
        started: Future[subprocess.Popen[bytes]] = Future()
        self._keeper = threading.Thread(target=self._keep, args=(start, started), name="postgres-keeper", daemon=True)
        self._keeper.start()
        self.process = started.result()
        self._watchdog = None if KERNEL_TELLS_CHILDREN else _watchdog(self.process.pid)

    @property
    def is_running(self) -> bool:
        """Whether the process is alive."""
        return self.process.poll() is None

    def end(self, orders: Sequence[tuple[signal.Signals, float]]) -> None:
        """Send each signal in turn and give it its seconds, until the process is gone; at last kill it."""
        self._ending = True
        for order, seconds in orders:
            self.process.send_signal(order)  # does nothing where the process has ended
            self._keeper.join(seconds)
            if not self._keeper.is_alive():
                break
        else:
            self.process.kill()
            self._keeper.join()
        if self._watchdog is not None:
            self._watchdog.kill()
            self._watchdog.communicate()

    def _keep(self, start: Callable[[], "subprocess.Popen[bytes]"], started: "Future[subprocess.Popen[bytes]]") -> None:
        try:
            process = start()
        except BaseException as error:  # whatever it is, the caller waits for it
            started.set_exception(error)
            return
        started.set_result(process)
        status = process.wait()
        if not self._ending:
            _log.error("the server process %d ended by itself with exit status %d", process.pid, status)


def _watchdog(pid: int) -> "subprocess.Popen[bytes]":
    # In a session of its own, like the server: Ctrl-C must not end it first.
    command = ["/bin/sh", "-c", _WATCHDOG, str(pid)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
