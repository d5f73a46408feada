"""How many rows of a CSV file per second the worker imports, and how much memory the process has meanwhile.

    python -m benchmarks.imports [--rows 10000,100000]

One embedded Postgres of its own, one process with its worker. Each file goes into an empty store over HTTP; its rows
have a phone number, a mail address, a name and a city. While it is imported, the process is asked `/healthz`. The
program fails unless every row is a profile in the end.
"""

import argparse
import base64
import json
import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks import servers
from benchmarks.servers import Api
from benchmarks.world import World, new_world, phone

_COLUMNS = {"phone": "phone", "mail": "email", "first": "firstName", "city": "city"}
_TICK = 0.02  # seconds between looks


@dataclass(frozen=True)
class Measured:
    """One import."""

    rows: int
    megabytes: float
    upload_seconds: float
    import_seconds: float
    memory_before: float
    """Mebibytes that the process had resident."""
    memory_peak: float
    slowest_answer: float
    """Milliseconds, of `/healthz`."""

    def line(self) -> str:
        return (
            f"{self.rows:>10,} {self.megabytes:>8.1f} {self.upload_seconds:>9.2f} {self.import_seconds:>9.1f} "
            f"{self.rows / self.import_seconds:>9,.0f} {self.memory_before:>11.0f} {self.memory_peak:>11.0f} "
            f"{self.slowest_answer:>12.0f}"
        )


_HEAD = "      rows       MB  upload s  import s    rows/s  MiB before    MiB peak  /healthz ms"


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, so that servers and files go
    arguments = _arguments()
    with (
        new_world(conversations=1, callbacks=0) as world,
        tempfile.TemporaryDirectory(prefix="orchestrator-imports-") as name,
        servers.running(world, Path(name), 1, worker=True) as apis,
    ):
        print(_HEAD, flush=True)
        for rows in arguments.rows:
            print(_measure(world, apis[0], Path(name, "profiles.csv"), rows).line(), flush=True)


def _measure(world: World, api: Api, file: Path, rows: int) -> Measured:
    _write(file, rows)
    size = file.stat().st_size
    made = _ask(world, api, "POST", "/v1/ControlPlane/Stores", {"displayName": f"import-{rows}-{time.monotonic_ns()}"})
    operation = _ask(world, api, "GET", urlsplit(made["statusUrl"]).path)
    imports = f"/v1/Stores/{operation['result']['id']}/Profiles/Imports"
    mappings = [
        {"columnName": column, "traitGroup": "Contact", "traitName": trait} for column, trait in _COLUMNS.items()
    ]
    body = {"filename": file.name, "fileSize": size, "columnMappings": mappings}
    created = _ask(world, api, "POST", imports, body)
    before = _memory(api, "VmRSS")
    Path(f"/proc/{api.process.pid}/clear_refs").write_text("5")  # the peak begins anew
    started = time.monotonic()
    _upload(api, created["url"], file, size)
    uploaded = time.monotonic()
    slowest = max(_answers_until(world, api, f"{imports}/{created['importId']}", rows))
    ended = time.monotonic()
    return Measured(
        rows, size / 1e6, uploaded - started, ended - uploaded, before, _memory(api, "VmHWM"), slowest * 1000
    )


def _write(file: Path, rows: int) -> None:
    with file.open("w") as lines:
        lines.write(",".join(_COLUMNS) + "\n")
        lines.writelines(
            f'{phone(row)},customer.{row}@example.com,"Ann ""{row}""",Springfield\n' for row in range(rows)
        )


def _upload(api: Api, url: str, file: Path, size: int) -> None:
    target = urlsplit(url)
    with file.open("rb") as content:
        there = f"http://127.0.0.1:{api.port}{target.path}?{target.query}"
        headers = {"Content-Length": str(size), "Content-Type": "text/csv"}
        request = urllib.request.Request(there, content, headers, method="PUT")
        urllib.request.urlopen(request, timeout=600).close()


def _answers_until(world: World, api: Api, path: str, rows: int) -> Iterator[float]:
    """How long each `/healthz` took, in seconds, until the import has ended."""
    while True:
        started = time.monotonic()
        urllib.request.urlopen(f"http://127.0.0.1:{api.port}/healthz", timeout=60).close()
        yield time.monotonic() - started
        found = _ask(world, api, "GET", path)
        if found["status"] in ("COMPLETED", "FAILED"):
            break
        time.sleep(_TICK)
    if (found["status"], found["rowsDone"], found["rowsFailed"]) != ("COMPLETED", rows, 0):
        raise SystemExit(f"not every row was imported: {found}\n{api.log_tail()}")


def _ask(world: World, api: Api, method: str, path: str, body: Any = None) -> Any:
    credentials = base64.b64encode(f"{world.account_id}:{world.auth_token}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{api.port}{path}", content, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def _memory(api: Api, name: str) -> float:
    """What the kernel says of the process: VmRSS is what it has resident, VmHWM the most that it had; in mebibytes."""
    status = Path(f"/proc/{api.process.pid}/status").read_text()
    return int(status.partition(f"{name}:")[2].split()[0]) / 1024


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.imports", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--rows",
        type=lambda text: [int(part) for part in text.split(",")],
        default=[10_000, 100_000],
        help="of each file (10000,100000)",
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
