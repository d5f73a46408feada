"""One API process on a free port, which it prints; settings come from the environment."""

import asyncio
import socket
import sys

import uvicorn

from orchestrator.app import create_app
from orchestrator.kernel.telemetry import configure_logs
from orchestrator.settings import Settings


async def main() -> None:
    configure_logs(json=False, level="warning")
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(Settings()), access_log=False, log_config=None, timeout_keep_alive=75)
    sys.stdout.write(f"{listening.getsockname()[1]}\n")
    sys.stdout.flush()
    await uvicorn.Server(config).serve(sockets=[listening])


if __name__ == "__main__":
    asyncio.run(main())
