"""What SIGTERM and SIGINT mean to a command that runs until it is told to stop."""

import signal
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import uvicorn

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopping:
    """The first signal ends the command in good order, with exit code 0; later ones do not disturb that.

    A server that runs in this process is asked to finish; before there is one, and where there is none, the main
    thread is interrupted by SystemExit, which unwinds whatever it has begun.
    """

    def __init__(self) -> None:
        self._server: uvicorn.Server | None = None
        self._asked = False
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)

    def hand_over(self, server: "uvicorn.Server") -> None:
        """From now on this server is asked."""
        self._server = server
        if self._asked:  # and the interruption was lost, as it is in a finaliser
            server.should_exit = True

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._server is not None:
            self._server.handle_exit(number, frame)  # a second Ctrl-C no longer waits for requests
        elif not self._asked:
            self._asked = True
            raise SystemExit(0)
