"""One of several serving processes: `python -m orchestrator.cli.process <listening socket's descriptor>`."""

import os
import socket
import sys

from orchestrator.cli.processes import lifeline
from orchestrator.cli.server import build_server, load
from orchestrator.cli.signals import Stopping


def main() -> None:
    """Load the program, wait until the database is ready, serve until told to stop."""
    load()
    os.environ.update(lifeline())
    stopping = Stopping()  # a signal before this ends the process at once, which is as good
    from orchestrator.kernel.telemetry import configure_logs
    from orchestrator.settings import Settings

    settings = Settings()
    configure_logs(json=settings.writes_json_logs, level=settings.log_level)
    server = build_server(settings)
    stopping.hand_over(server)
    server.run(sockets=[socket.socket(fileno=int(sys.argv[1]))])


if __name__ == "__main__":
    main()
