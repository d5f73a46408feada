"""API processes as they run in production: uvicorn, signatures verified, every event recorded; one port each.

One port per process stands for the load balancer in front of them: the load is shared evenly, and each process tells
its own metrics.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import ORIGIN, send
from benchmarks.usage import Usage, postgres_seconds, process_seconds
from benchmarks.world import SECRET_KEY, World
from orchestrator.kernel.postgres_process import told_of_our_death

_READY_WITHIN = 30.0
_SETTLED_WITHIN = 30.0
_TAIL = 2000  # bytes
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Api:
    """One API process."""

    port: int
    process: "subprocess.Popen[str]"
    log: Path

    def log_tail(self) -> str:
        """The last of what it said, for messages."""
        return self.log.read_bytes()[-_TAIL:].decode(errors="replace").strip()

    def metrics(self) -> dict[str, float]:
        """What `/metrics` tells; the labels are part of the names."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            text = answer.read().decode()
        return {f"{name}{{{labels}}}": float(value) for name, labels, value in _SAMPLE.findall(text)}


@contextmanager
def running(world: World, folder: Path, processes: int, *, worker: bool) -> Iterator[list[Api]]:
    """Start API processes; they end with the block, and with this process however it ends."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
    environment |= {
        "ORCHESTRATOR_DATABASE_URL": world.dsn,
        "ORCHESTRATOR_SECRET_KEY": SECRET_KEY,
        "ORCHESTRATOR_PUBLIC_URL": ORIGIN,
        "ORCHESTRATOR_WORKER": str(worker).lower(),
    }
    with contextlib.ExitStack() as stack:
        apis = []
        for number in range(processes):
            log = folder / f"api.{number}.log"
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.servers"],
                env=environment,
                cwd=Path(__file__).parents[1],
                stdout=subprocess.PIPE,
                stderr=stack.enter_context(log.open("wb")),
                text=True,
                preexec_fn=told_of_our_death(signal.SIGKILL),  # noqa: PLW1509 - safe: it calls two system functions
            )
            stack.callback(_end, process)
            assert process.stdout is not None
            apis.append(Api(int(process.stdout.readline() or 0), process, log))
        for api in apis:
            _wait_until_ready(api)
        yield apis


def measure(world: World, apis: list[Api], folder: Path, *, seconds: int, connections: int) -> Usage:
    """Send traffic to these processes for some seconds. Ends the program unless every message was answered 200."""
    metrics_before = _metrics(apis)
    api_before = sum(process_seconds(api.process.pid) for api in apis)
    postgres_before = postgres_seconds(world.postgres_pid)
    told = send(world, [api.port for api in apis], folder, seconds=seconds, connections=connections)
    metrics = _settled(apis, told.sent, metrics_before)
    api_spent = sum(process_seconds(api.process.pid) for api in apis) - api_before
    postgres_spent = postgres_seconds(world.postgres_pid) - postgres_before
    answered = _answers(metrics)
    if told.errors or told.answered != told.sent or answered != {"200": told.sent}:
        raise SystemExit(
            f"not every message was answered 200: {told.sent} sent, {told.answered} answered, {told.errors} errors, "
            f"by status {answered}\n{apis[0].log_tail()}"
        )
    batches = metrics["orchestrator_ingest_batch_messages_count{}"]
    return Usage(
        told.sent,
        # When the time was up every connection had one message in flight, which the clock does not cover.
        (told.sent - connections) / seconds,
        told.p50,
        told.p99,
        {"api": api_spent / seconds, "postgres": postgres_spent / seconds, "generator": told.cpu_seconds / seconds},
        metrics["orchestrator_ingest_batch_messages_sum{}"] / batches if batches else None,
    )


def _metrics(apis: list[Api]) -> dict[str, float]:
    total: dict[str, float] = {}
    for api in apis:
        for name, value in api.metrics().items():
            total[name] = total.get(name, 0) + value
    return total


def _settled(apis: list[Api], sent: int, before: Mapping[str, float]) -> dict[str, float]:
    """What the metrics have moved by, once every message that was sent is answered."""
    give_up = time.monotonic() + _SETTLED_WITHIN
    while True:
        moved = {name: value - before.get(name, 0) for name, value in _metrics(apis).items()}
        if sum(_answers(moved).values()) >= sent or time.monotonic() > give_up:
            return moved
        time.sleep(0.1)


def _answers(metrics: Mapping[str, float]) -> dict[str, int]:
    """Webhooks by the status of their answers."""
    found: dict[str, int] = {}
    for name, value in metrics.items():
        if name.startswith("orchestrator_requests_total{") and 'method="POST"' in name and value:
            status = name.partition('status="')[2].partition('"')[0]
            found[status] = found.get(status, 0) + int(value)
    return found


def _wait_until_ready(api: Api) -> None:
    give_up = time.monotonic() + _READY_WITHIN
    while time.monotonic() < give_up and api.process.poll() is None and api.port:
        with contextlib.suppress(OSError, urllib.error.URLError):
            urllib.request.urlopen(f"http://127.0.0.1:{api.port}/readyz", timeout=10).close()
            return
        time.sleep(0.05)
    raise SystemExit(f"an API process did not start: {api.log_tail()}")


def _end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def serve() -> None:
    """Be one API process on a free port, which is printed; settings come from the environment."""
    from orchestrator.cli.server import build_server, listen, load

    load()  # before anything else does: garbage collection is off meanwhile
    from orchestrator.kernel.telemetry import configure_logs
    from orchestrator.settings import Settings

    settings = Settings()
    configure_logs(json=settings.writes_json_logs, level=settings.log_level)
    listening = listen("127.0.0.1", 0)
    print(listening.getsockname()[1], flush=True)
    build_server(settings).run(sockets=[listening])


if __name__ == "__main__":
    serve()
