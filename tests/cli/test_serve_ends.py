"""How `orchestrator serve` ends: in good order when asked, without a trace when killed, and the data is still there."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.cli.running import Serving, command_line, descendants, environment, invoke, invoke_json, serving, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them")

_WORKING = "orchestrator.cli.process"


def test_data_outlives_a_stop_and_kill_9_leaves_nothing_behind(folder: Path) -> None:
    with serving(folder) as first:
        auth, made = first.auth, first.run_curl()
        assert first.family
        assert first.stop() == 0
        assert not first.survivors()
    with serving(folder, mode="production") as later:
        assert auth[1] not in later.output
        again = later.run_curl()  # reads the credentials from their file
        assert set(later.configurations(auth)) >= {made, again}
        assert later.stop(signal.SIGKILL) == -signal.SIGKILL
        wait_until(lambda: not later.survivors())


def test_a_request_in_flight_is_answered_before_it_ends(folder: Path) -> None:
    with serving(folder) as service, socket.create_connection(_place(service)) as slow:
        slow.sendall(b"POST /ingest/twilio/messages HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n")
        time.sleep(0.2)
        service.process.terminate()
        time.sleep(0.5)
        assert service.process.poll() is None
        slow.sendall(b"{}")
        assert slow.recv(1000).startswith(b"HTTP/1.1 415 ")
        assert service.process.wait(20) == 0
        assert not service.survivors()


def test_several_processes_serve_are_replaced_and_stop_in_good_order(folder: Path) -> None:
    with serving(folder, "--processes", "2", "--no-worker") as several:
        one, other = several.running(_WORKING)
        os.kill(one, signal.SIGKILL)
        assert several.get("/v2/Conversations").status_code == 200
        wait_until(lambda: len(several.running(_WORKING)) == 2)
        assert other in several.running(_WORKING)
        several.family |= set(descendants(several.process.pid))
        assert several.stop(signal.SIGINT) == 0
        assert not several.survivors()


def test_kill_9_ends_several_processes_too(folder: Path) -> None:
    with serving(folder, "--processes", "2") as several:
        stopped = several.running(_WORKING)[0]
        os.kill(stopped, signal.SIGSTOP)  # not even a process that does nothing any more is left
        several.stop(signal.SIGKILL)
        wait_until(lambda: not several.survivors())


@pytest.mark.parametrize(
    ("processes", "after"),
    [pytest.param("1", 0.0, marks=pytest.mark.soak), ("1", 0.5), pytest.param("2", 0.5, marks=pytest.mark.soak)],
)
def test_told_to_stop_while_it_starts_it_stops(folder: Path, processes: str, after: float) -> None:
    command = [sys.executable, "-m", "orchestrator", "serve", "--port", "0", "--processes", processes]
    settings = environment(data_dir=folder / "data", log_level="warning")
    with subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_until(lambda: next(descendants(process.pid), None) is not None)  # the database is being started
        time.sleep(after)
        family = set(descendants(process.pid))
        process.terminate()
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, b"")
    assert not [pid for pid in family if command_line(pid)]


def test_other_commands_start_the_database_for_themselves(folder: Path) -> None:
    here = {"data_dir": folder / "data"}
    made = invoke_json("accounts", "create", "--name", "[/a name that looks like markup]", **here)
    assert made["accountSid"] in [one["accountSid"] for one in invoke_json("accounts", "list", **here)]
    assert "[/a name that looks like markup]" in invoke("accounts", "list", **here)
    assert not [pid for pid in descendants(os.getpid()) if str(folder) in command_line(pid)]


def _place(service: Serving) -> tuple[str, int]:
    parts = urlsplit(service.url)
    assert parts.hostname
    assert parts.port
    return parts.hostname, parts.port
