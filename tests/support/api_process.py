"""One API process on a free port, which it prints; settings come from the environment."""

import asyncio
import os
import socket
import sys
from datetime import datetime

import uvicorn

from orchestrator.app import create_app
from orchestrator.kernel.clock import Clock
from orchestrator.kernel.telemetry import configure_logs
from orchestrator.settings import Settings


class FastClock(Clock):
    """Runs faster than time by a whole factor, alike in every process: all count from the same moment."""

    def __init__(self, start: datetime, speed: int) -> None:
        self._start = start
        self._speed = speed

    def now(self) -> datetime:
        return self._start + (super().now() - self._start) * self._speed


def clock() -> Clock:
    start, speed = os.environ["TEST_CLOCK"].split()
    return FastClock(datetime.fromisoformat(start), int(speed))


async def main() -> None:
    configure_logs(json=False, level="warning")
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        create_app(Settings(), clock=clock()),
        access_log=False,
        log_config=None,
        timeout_keep_alive=75,
    )
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    await uvicorn.Server(config).serve(sockets=[listening])


if __name__ == "__main__":
    asyncio.run(main())
