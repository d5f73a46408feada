"""The command in processes of its own, as people and service managers run it."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from typer.testing import CliRunner

from orchestrator.cli import app

_COMMAND = [sys.executable, "-m", "orchestrator"]
_PATIENCE = 60.0
"""Seconds; a machine that runs all tests at once is slow."""


def environment(**settings: object) -> dict[str, str]:
    """The environment without settings of ours, but for the given ones."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
    return kept | {f"ORCHESTRATOR_{name.upper()}": str(value) for name, value in settings.items()}


def run(*arguments: str, **settings: object) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    command = [*_COMMAND, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, env=environment(**settings), timeout=_PATIENCE, check=False
    )


def invoke(*arguments: str, **settings: object) -> str:
    """What a command prints that may run in this process, which is faster, and succeeds."""
    names = {name for name in os.environ | environment(**settings) if name.startswith("ORCHESTRATOR_")}
    given = {name: environment(**settings).get(name) for name in names}
    done = CliRunner().invoke(app, list(arguments), env=given, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def invoke_json(*arguments: str, **settings: object) -> Any:
    """The same of a command that prints JSON."""
    return json.loads(invoke(*arguments, "--json", **settings))


def run_json(*arguments: str, **settings: object) -> Any:
    """What a command that succeeds prints as JSON."""
    done = run(*arguments, "--json", **settings)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@dataclass
class Serving:
    """A running `orchestrator serve`."""

    process: "subprocess.Popen[str]"
    log: Path
    output: str = ""
    seconds: float = 0.0
    """From the start of the process until it said that it serves."""
    family: set[int] = field(default_factory=set)
    """Process ids of all its descendants, as they were when it began to serve."""

    @property
    def url(self) -> str:
        return self._found(r"serves at (\S+)")

    @property
    def auth(self) -> tuple[str, str]:
        return self._found(r"Account SID\s+(AC\w{32})"), self._found(r"Auth token\s+(\w{32})")

    def get(self, path: str, auth: tuple[str, str] | None = None) -> httpx.Response:
        return httpx.get(self.url + path, auth=auth or self.auth, timeout=_PATIENCE)

    def configurations(self, auth: tuple[str, str] | None = None) -> list[str]:
        found = self.get("/v2/ControlPlane/Configurations", auth).json()["configurations"]
        return [one["id"] for one in found]

    def run_curl(self, **settings: object) -> str:
        """Paste the printed command into a shell; returns the id of the configuration that it made."""
        curl = self._found(r"(?ms)^(curl .*?)\n\n")
        done = subprocess.run(
            ["sh", "-c", curl], capture_output=True, text=True, env=environment(**settings), check=True
        )
        return str(json.loads(done.stdout)["related"]["configurationId"])

    def run_send(self, **settings: object) -> str:
        """Paste the printed message into a shell; returns what is said of it."""
        send = self._found(r"(?m)^(.+ send sms .*)$")
        return subprocess.run(
            ["sh", "-c", send], capture_output=True, text=True, env=environment(**settings), check=True
        ).stdout

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(_PATIENCE)

    def children(self) -> set[int]:
        """Direct children, as of now."""
        return set(_children(self.process.pid))

    def running(self, program: str) -> list[int]:
        """Descendants that are this program, as of now."""
        return [pid for pid in descendants(self.process.pid) if program in command_line(pid)]

    def survivors(self) -> set[int]:
        """Descendants that still live."""
        return {pid for pid in self.family if _is_alive(pid)}

    def _found(self, pattern: str) -> str:
        match = re.search(pattern, self.output)
        assert match, self.output
        return match[1]


@contextmanager
def serving(folder: Path, *arguments: str, **settings: object) -> Iterator[Serving]:
    """Start `orchestrator serve` on a free port; it is killed if it still runs at the end of the block."""
    log = folder / "serve.log"
    command = [*_COMMAND, "serve", "--port", "0", *arguments]
    began = time.monotonic()
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment(data_dir=folder / "data", **settings),
        ) as process,
    ):
        try:
            yield _read_banner(Serving(process, log), began)
        finally:
            process.kill()


def _read_banner(service: Serving, began: float) -> Serving:
    assert service.process.stdout is not None
    for line in service.process.stdout:
        service.output += line
        if "serves at" in line:
            service.seconds = time.monotonic() - began
        if line.startswith("Next:"):
            service.family = set(descendants(service.process.pid))
            return service
    raise AssertionError(f"it did not serve: {service.output}\n{service.log.read_text()}")


def descendants(pid: int) -> Iterator[int]:
    """Process ids below a process, by what the kernel says (Linux)."""
    for child in _children(pid):
        yield child
        yield from descendants(child)


def _children(pid: int) -> list[int]:
    found: list[str] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += (task / "children").read_text().split()
    return [int(child) for child in found]


def _is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return status != "Z"


def command_line(pid: int) -> str:
    """What a process was started as; nothing when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def wait_until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.02)
