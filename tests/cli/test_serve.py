"""What a first start on the embedded store makes and prints, and what else may be done beside the running service."""

import json
import os
import signal
import sys
from pathlib import Path

import httpx
import pytest

from tests.cli.running import Serving, invoke_json, run, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes as Linux shows them")


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
    assert first.run_curl() in first.configurations()


def test_the_printed_message_lands_and_is_explained(first: Serving, folder: Path) -> None:
    first.run_curl()
    told = first.run_send(data_dir=folder / "data")
    assert "Captured by rule 1 of SMS (from * to +16505550199) in “Quickstart”." in told
    assert "It opened conversation conv_conversation_" in told or "It joined conversation conv_conversation_" in told


def test_it_is_ready_and_does_not_say_what_it_is_made_of(first: Serving) -> None:
    response = httpx.get(f"{first.url}/readyz")
    assert response.status_code == 200
    assert "server" not in response.headers


def test_headers_of_a_proxy_on_this_machine_count(first: Serving) -> None:
    headers = {"X-Forwarded-Proto": "https", "Host": "api.example.com"}
    body = {"displayName": "proxied"}
    response = httpx.post(f"{first.url}/v1/ControlPlane/Stores", json=body, headers=headers, auth=first.auth)
    assert response.json()["statusUrl"].startswith("https://api.example.com/")


def test_a_taken_port_is_told_in_one_line_and_nothing_is_started(first: Serving, folder: Path) -> None:
    port = first.url.rpartition(":")[2]
    done = run("serve", "--port", port, data_dir=folder / "other")
    advice = "choose another with --port, 0 takes a free one"
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"orchestrator: port {port} of 127.0.0.1 is taken: {advice}\n"
    assert not (folder / "other").exists()


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_second_service_on_the_same_data_is_refused_in_one_line(first: Serving, folder: Path, processes: str) -> None:
    wait_until(lambda: first.running("postgres") != [])
    done = run("serve", "--port", "0", "--processes", processes, data_dir=folder / "data")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"orchestrator: {folder / 'data'} is in use by process {first.process.pid}: ")
    assert done.stderr.count("\n") == 1
    assert first.get("/readyz").status_code == 200


def test_accounts_and_keys_are_made_beside_the_running_service(first: Serving, folder: Path) -> None:
    here = {"data_dir": folder / "data"}
    account = invoke_json("accounts", "create", "--name", "another", **here)
    sids = [one["accountSid"] for one in invoke_json("accounts", "list", **here)]
    assert sids == [first.auth[0], account["accountSid"]]
    key = invoke_json("keys", "create", account["accountSid"], "--name", "laptop", **here)
    as_key = (key["sid"], key["secret"])
    assert first.get("/v2/Conversations", (account["accountSid"], account["authToken"])).status_code == 200
    assert first.get("/v2/Conversations", as_key).status_code == 200
    assert [one["sid"] for one in invoke_json("keys", "list", account["accountSid"], **here)] == [key["sid"]]
    assert invoke_json("keys", "delete", account["accountSid"], key["sid"], **here) == {"deleted": key["sid"]}
    assert first.get("/v2/Conversations", as_key).status_code == 401
    again = run("keys", "delete", account["accountSid"], key["sid"], **here)
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == f"orchestrator: account {account['accountSid']} has no key {key['sid']}\n"


def test_a_postgres_that_is_killed_is_started_again(first: Serving) -> None:
    (postgres,) = (pid for pid in first.running("/bin/postgres") if pid in first.children())
    os.kill(postgres, signal.SIGKILL)
    wait_until(lambda: first.get("/readyz").status_code == 503)
    wait_until(lambda: first.get("/readyz").status_code == 200)
