"""`orchestrator serve` on the embedded store: what a first start makes, what later ones keep, what is left behind."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.cli.running import Serving, descendants, run, run_json, serving, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that Postgres' account may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="orchestrator-test-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture(scope="module")
def first(folder: Path) -> Iterator[Serving]:
    """The first start on an empty data folder; it is asked to stop afterwards, and does."""
    with serving(folder) as service:
        yield service
        assert service.stop() == 0
        assert not service.survivors()


def test_a_first_start_prints_credentials_that_work_and_keeps_them(first: Serving, folder: Path) -> None:
    assert first.get("/v2/Conversations").status_code == 200
    file = folder / "data" / "credentials.json"
    assert file.stat().st_mode & 0o777 == 0o600
    kept = json.loads(file.read_text())
    assert (kept["accountSid"], kept["authToken"]) == first.auth
    store = first.get(f"/v1/ControlPlane/Stores/{kept['memoryStoreId']}").json()
    assert store["displayName"] == "default"
    assert kept["memoryStoreId"] in first.output


def test_the_printed_curl_creates_a_configuration(first: Serving) -> None:
    done = subprocess.run(["sh", "-c", first.curl], capture_output=True, text=True, check=True)
    made = json.loads(done.stdout)["related"]["configurationId"]
    assert made in first.configurations()


def test_it_is_ready_and_keeps_to_itself_what_it_is_made_of(first: Serving) -> None:
    response = httpx.get(f"{first.url}/readyz")
    assert response.status_code == 200
    assert "server" not in response.headers


def test_headers_of_a_proxy_on_this_machine_count(first: Serving) -> None:
    body = {"displayName": "proxied"}
    headers = {"X-Forwarded-Proto": "https", "Host": "api.example.com"}
    response = httpx.post(f"{first.url}/v1/ControlPlane/Stores", json=body, headers=headers, auth=first.auth)
    assert response.json()["statusUrl"].startswith("https://api.example.com/")


def test_a_taken_port_is_told_in_one_line_and_starts_nothing(first: Serving, folder: Path) -> None:
    port = first.url.rpartition(":")[2]
    done = run("serve", "--port", port, data_dir=folder / "other")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"orchestrator: port {port} of 127.0.0.1 is taken: choose another with --port, 0 takes a free one\n"
    assert not (folder / "other").exists()


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_second_service_on_the_same_data_is_refused_in_one_line(first: Serving, folder: Path, processes: str) -> None:
    done = run("serve", "--port", "0", "--processes", processes, data_dir=folder / "data")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"orchestrator: {folder / 'data'} is in use by process {first.process.pid}: ")
    assert done.stderr.count("\n") == 1
    assert first.get("/readyz").status_code == 200


def test_accounts_and_keys_are_made_beside_the_running_service(first: Serving, folder: Path) -> None:
    here = {"data_dir": folder / "data"}
    account = run_json("accounts", "create", "--name", "another", **here)
    sids = [one["accountSid"] for one in run_json("accounts", "list", **here)]
    assert sids == [first.auth[0], account["accountSid"]]
    key = run_json("keys", "create", account["accountSid"], "--name", "laptop", **here)
    as_key = (key["sid"], key["secret"])
    assert first.get("/v2/Conversations", (account["accountSid"], account["authToken"])).status_code == 200
    assert first.get("/v2/Conversations", as_key).status_code == 200
    assert [one["sid"] for one in run_json("keys", "list", account["accountSid"], **here)] == [key["sid"]]
    assert run("keys", "delete", account["accountSid"], key["sid"], **here).returncode == 0
    assert first.get("/v2/Conversations", as_key).status_code == 401
    again = run("keys", "delete", account["accountSid"], key["sid"], **here)
    assert again.returncode == 1
    assert again.stderr == f"orchestrator: account {account['accountSid']} has no key {key['sid']}\n"


def test_the_demonstration_on_a_running_instance_leaves_nothing_there(first: Serving, folder: Path) -> None:
    before = first.configurations(), first.get("/v1/ControlPlane/Stores").json()["stores"]
    shown = run_json("demo", "--url", first.url, data_dir=folder / "data")
    assert shown["succeeded"]
    assert (first.configurations(), first.get("/v1/ControlPlane/Stores").json()["stores"]) == before
    open_ones = first.get("/v2/Conversations?status=ACTIVE,INACTIVE").json()["conversations"]
    assert open_ones == []


def test_a_later_start_keeps_the_data_and_kill_9_leaves_nothing_behind(first: Serving, folder: Path) -> None:
    auth, configurations = first.auth, first.configurations()
    assert first.stop() == 0
    assert not first.survivors()
    with serving(folder) as again:
        assert (again.auth, again.configurations()) == (auth, configurations)
        assert again.family
        assert again.stop(signal.SIGKILL) == -signal.SIGKILL
        wait_until(lambda: not again.survivors())


def test_several_processes_serve_and_stop_in_good_order(first: Serving, folder: Path) -> None:
    first.stop()
    with serving(folder, "--processes", "2") as several:
        python = [pid for pid in several.family if b"orchestrator.cli.process" in _command(pid)]
        assert len(python) == 2
        os.kill(python[0], signal.SIGKILL)
        assert several.get("/v2/Conversations").status_code == 200
        wait_until(lambda: len(_processes(several)) == 2 and python[0] not in _processes(several))
        several.family |= set(descendants(several.process.pid))
        assert several.stop(signal.SIGINT) == 0
        assert not several.survivors()


def test_kill_9_ends_several_processes_too(first: Serving, folder: Path) -> None:
    first.stop()
    with serving(folder, "--processes", "2", "--no-worker") as several:
        several.stop(signal.SIGKILL)
        wait_until(lambda: not several.survivors())


def test_told_to_stop_while_it_starts_it_stops(first: Serving, folder: Path) -> None:
    first.stop()
    for after in (0.5, 1.0):
        command = [sys.executable, "-m", "orchestrator", "serve", "--port", "0"]
        settings = os.environ | {"ORCHESTRATOR_DATA_DIR": str(folder / "data")}
        with subprocess.Popen(command, env=settings, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            time.sleep(after)
            family = set(descendants(process.pid))
            process.terminate()
            _, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, b"")
        assert not [pid for pid in family if _command(pid)]


def _processes(service: Serving) -> list[int]:
    return [pid for pid in descendants(service.process.pid) if b"orchestrator.cli.process" in _command(pid)]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
