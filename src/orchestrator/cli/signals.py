"""What SIGTERM and SIGINT mean to a command that runs until it is told to stop."""

import signal
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import uvicorn

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopping:
    """The first signal ends the command in good order, with exit code 0; later ones do not disturb that.

    Nothing is interrupted, because what libraries do with an exception in the middle of their import is up to them: a
    server that runs in this process is asked to finish, everything else looks by itself where it can stop.
    """

    def __init__(self) -> None:
        self.asked = False
        self._server: uvicorn.Server | None = None
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)

    def check(self) -> None:
        """Raises SystemExit when the command has been asked to stop."""
        if self.asked:
            raise SystemExit(0)

    def hand_over(self, server: "uvicorn.Server") -> None:
        """From now on this server is asked."""
        self._server = server
        self.check()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        if self._server is not None:
            self._server.handle_exit(number, frame)  # a second Ctrl-C no longer waits for requests
