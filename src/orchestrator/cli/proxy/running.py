"""A command that runs while the proxy does: it is sent the signals, and its end is the proxy's."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence

from orchestrator.cli.errors import CommandFailed

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_FORWARDED = (*_ENDING, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH)
_FROM_KEYS = (signal.SIGINT, signal.SIGQUIT, signal.SIGWINCH)


class NotFound(CommandFailed):
    """There is no such program; the exit code is the shell's."""

    exit_code = 127


class NotExecutable(CommandFailed):
    """It is there, but cannot be run; the exit code is the shell's."""

    exit_code = 126


class Signals:
    """What this process is sent from now on, in order; nothing interrupts it any more."""

    def __init__(self) -> None:
        self._received: asyncio.Queue[signal.Signals] = asyncio.Queue()
        for number in _FORWARDED:
            asyncio.get_running_loop().add_signal_handler(number, self._received.put_nowait, number)

    async def until_ended(self) -> None:
        """Wait for a signal that ends programs."""
        while await self._received.get() not in _ENDING:
            pass

    async def run(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run a command to its end; its exit code, as a shell tells it: 128 and the signal that ended it."""
        try:
            process = await asyncio.create_subprocess_exec(*command, env=environment)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NotFound(f"{command[0]}: no such command") from error
        except OSError as error:
            raise NotExecutable(f"{command[0]}: {error.strerror}") from error
        forwarding = asyncio.create_task(self._forward(process))
        try:
            code = await process.wait()
        finally:
            forwarding.cancel()
        return code if code >= 0 else 128 - code

    async def _forward(self, process: asyncio.subprocess.Process) -> None:
        while True:
            number = await self._received.get()
            if not (number in _FROM_KEYS and _is_in_foreground()):
                process.send_signal(number)


def _is_in_foreground() -> bool:
    """Whether keys of the terminal, such as Ctrl-C, reach the command without us."""
    try:
        terminal = os.open(os.ctermid(), os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
