"""What `orchestrator proxy` lets through, and how: refusals, streams, certificates, its command and its end."""

import asyncio
import json
import os
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs12
from typer.testing import CliRunner

from orchestrator.accounts.service import Account
from orchestrator.cli import app
from orchestrator.cli.proxy.authority import kept_authority, make_authority
from orchestrator.cli.proxy.environment import variables, write_certificates
from orchestrator.cli.proxy.hosts import Hosts
from orchestrator.kernel.clock import Clock
from tests.support.app import Service
from tests.support.factories import make_configuration
from tests.support.proxy import ORCHESTRATOR, Near, near
from tests.support.sdk import communication_body, conversation_body

CONVERSATIONS = "https://conversations.twilio.com"
EVENTS = f"{CONVERSATIONS}/orchestrator/v1/Events"
EXAMPLE = "example.com"
_TAKE_TERMINAL = "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
ON_A_TERMINAL = [sys.executable, "-c", _TAKE_TERMINAL + "os.execv(sys.argv[1], sys.argv[1:])"]
"""Runs a command whose standard input is a terminal of its own."""


@pytest.fixture
async def proxy(origin: str) -> AsyncIterator[Near]:
    """With another host that may be reached: the one that the service is on, by another name."""
    async with near(origin, "LOCALHOST.") as running:
        yield running


@pytest.fixture
async def client(proxy: Near, account: Account) -> AsyncIterator[httpx.AsyncClient]:
    async with proxy.client() as running:
        running.auth = httpx.BasicAuth(account.account_id, account.auth_token)
        yield running


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("conversations.twilio.com", True),
        ("Memory.Twilio.com.", True),
        ("memory.us1.twilio.com", True),
        ("conversations.dublin.ie1.twilio.com", True),
        ("a.b.c.memory.twilio.com", False),
        ("memory.a.b.c.twilio.com", False),
        ("conversations.twilio.com.example.com", False),
        ("evilconversations.twilio.com", False),
        ("video.twilio.com", False),
        ("twilio.com", False),
        ("api.twilio.com", False),
    ],
)
def test_the_hosts_of_the_products_lead_here_unless_allowed_by_name(host: str, here: bool) -> None:
    hosts = Hosts(["api.twilio.com"])
    assert (hosts.leads_here(host), hosts.leads_away(host)) == (here, host == "api.twilio.com")


async def test_urls_in_answers_name_the_host_that_was_called(
    client: httpx.AsyncClient, service: Service, account: Account
) -> None:
    configuration_id = await make_configuration(service)
    accepted = await client.delete(f"{CONVERSATIONS}/v2/ControlPlane/Configurations/{configuration_id}")
    status_url = accepted.json()["statusUrl"]
    assert status_url.startswith(f"{CONVERSATIONS}/v2/ControlPlane/Operations/")
    assert (await client.get(status_url)).json()["status"] == "COMPLETED"


async def test_bodies_in_chunks_and_many_requests_on_one_connection(
    client: httpx.AsyncClient, service: Service
) -> None:
    body = json.dumps(conversation_body(await make_configuration(service))).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 50):
            yield body[start : start + 50]

    headers = {"Content-Type": "application/json"}
    made = await client.post(f"{CONVERSATIONS}/v2/Conversations", content=pieces(), headers=headers)
    assert made.status_code == 201
    again = await client.get(f"{CONVERSATIONS}/v2/Conversations/{made.json()['id']}")
    assert again.status_code == 200
    streams = [answer.extensions["network_stream"].get_extra_info("client_addr") for answer in (made, again)]
    assert streams[0] == streams[1]
    large = await client.post(f"{CONVERSATIONS}/v2/Conversations", content=b" " * 11_000_000, headers=headers)
    assert large.status_code == 413


async def test_events_arrive_as_they_happen(client: httpx.AsyncClient, service: Service) -> None:
    configuration_id = await make_configuration(service)
    async with client.stream("GET", EVENTS, headers={"Accept": "text/event-stream"}) as answer:
        lines = answer.aiter_lines()
        body = conversation_body(configuration_id)
        made = await client.post(f"{CONVERSATIONS}/v2/Conversations", json=body)  # while the stream is open
        path = f"{CONVERSATIONS}/v2/Conversations/{made.json()['id']}/Communications"
        assert (await client.post(path, json=communication_body("hello"))).status_code == 201
        async with asyncio.timeout(20):
            async for line in lines:
                if line == "event: COMMUNICATION_CREATED":
                    break


@pytest.mark.parametrize("url", [f"https://{EXAMPLE}/", f"{CONVERSATIONS}:8443/", f"http://{EXAMPLE}/"])
async def test_other_hosts_ports_and_plain_http_are_refused(proxy: Near, client: httpx.AsyncClient, url: str) -> None:
    if url.startswith("https"):
        for _ in range(2):
            with pytest.raises(httpx.ProxyError, match="403 Forbidden"):
                await client.get(url)
        assert len(proxy.told) == 1
        way_out = "port 443 alone" if url.startswith(CONVERSATIONS) else f"`--allow {EXAMPLE}`"
        assert way_out in proxy.told[0]
        return
    refused = await client.get(url)
    assert (refused.status_code, refused.json()["status"], refused.json()["code"]) == (403, 403, 20403)


async def test_allowed_hosts_are_reached_as_they_are(proxy: Near, origin: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    port = origin.rpartition(":")[2]
    writer.write(f"CONNECT localhost:{port} HTTP/1.1\r\n\r\n".encode())
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    writer.transport.abort()


@pytest.mark.parametrize(
    "sent",
    [b"nonsense\r\n\r\n", b"CONNECT nowhere HTTP/1.1\r\n\r\n", b"CONNECT a:1 HTTP/1.1\r\nx: " + b"y" * 70_000],
    ids=["nonsense", "no port", "no end"],
)
async def test_what_is_not_http_is_refused(proxy: Near, sent: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(sent)
    writer.write_eof()
    assert (await reader.read()).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    writer.transport.abort()


@pytest.mark.parametrize(
    "fields",
    ["Content-Length: 5\r\nTransfer-Encoding: chunked", "Content-Length: 5\r\nContent-Length: 6", "Content-Length: +5"],
    ids=["both", "two", "signed"],
)
async def test_a_body_whose_end_is_unclear_ends_the_connection(proxy: Near, fields: str) -> None:
    trusted = ssl.create_default_context(cadata=proxy.authority.pem.decode())
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"CONNECT memory.twilio.com:443 HTTP/1.1\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    await writer.start_tls(trusted, server_hostname="memory.twilio.com")
    writer.write(f"POST /v1/x HTTP/1.1\r\nHost: memory.twilio.com\r\n{fields}\r\n\r\n12345".encode())
    async with asyncio.timeout(10):
        assert b"HTTP/1.1 2" not in await reader.read()
    writer.transport.abort()


async def test_without_a_service_the_answer_is_a_502_in_the_form_of_twilio() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        async with near(url) as running, running.client() as client:
            answer = await client.post(f"{CONVERSATIONS}/v2/Conversations", content=b" " * 300_000)
    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (502, 20502, 502)
    assert answer.json()["message"].startswith(f"no service at {url}: ")


async def test_another_authority_is_noticed(proxy: Near) -> None:
    async with proxy.client(trusted=make_authority(Clock().now())) as client:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await client.get(CONVERSATIONS)


def test_the_authority_vouches_for_one_domain_alone() -> None:
    constraints = make_authority(Clock().now()).certificate.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert constraints.value.permitted_subtrees == [x509.DNSName("twilio.com")]


def test_a_kept_authority_is_used_again_until_its_time_is_nearly_over(tmp_path: Path) -> None:
    folder, now = tmp_path / "data" / "proxy", Clock().now()
    first = kept_authority(folder, now)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {
        "ca-with-key.pem": 0o600,
        "ca.pem": 0o600,
    }
    assert (folder / "ca.pem").read_bytes() == first.pem
    assert kept_authority(folder, now).pem == first.pem
    later = first.certificate.not_valid_after_utc
    assert kept_authority(folder, later).pem != first.pem


@pytest.mark.filterwarnings("ignore:Parsed a serial number")  # of an old public authority
def test_java_is_told_by_options_and_a_trust_store(tmp_path: Path) -> None:
    authority = make_authority(Clock().now())
    written = write_certificates(tmp_path, authority.pem)
    trusted = pkcs12.load_pkcs12(written.trust_store.read_bytes(), None).additional_certs
    assert authority.certificate == trusted[0].certificate
    assert len(trusted) > 10, "the public ones are there too"
    told = variables(8899, written, {"JAVA_TOOL_OPTIONS": "-Dof.their=own"})["JAVA_TOOL_OPTIONS"].split()
    assert told[0] == "-Dof.their=own"
    assert {"-Dhttps.proxyPort=8899", f"-Djavax.net.ssl.trustStore={tmp_path}/ca-bundle.p12"} < set(told)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_curl_comes_here_and_is_told_what_it_may_not_reach(origin: str) -> None:
    script = f"""
        ls -ld "${{SSL_CERT_FILE%/*}}"; ! grep -rl PRIVATE "${{SSL_CERT_FILE%/*}}"
        curl -sS -o /dev/null https://{EXAMPLE}/ && exit 1
        curl -sS https://conversations.us1.twilio.com/readyz
        kill -9 $$
    """
    done = orchestrator_proxy("--url", origin, "sh", "-c", script)
    assert done.returncode == 128 + signal.SIGKILL
    folder, ready = done.stdout.splitlines()
    assert folder.startswith("drwx------")
    assert not Path(folder.split()[-1]).exists()
    assert ready == '{"status":"ready"}'
    assert f"orchestrator proxy: {EXAMPLE}:443 is not reached" in done.stderr


def test_a_command_that_cannot_be_run_has_the_exit_code_of_a_shell(tmp_path: Path) -> None:
    (tmp_path / "program").write_text("not executable")
    assert orchestrator_proxy(str(tmp_path / "program")).returncode == 126
    done = orchestrator_proxy("no-such-program")
    assert (done.returncode, done.stderr) == (127, "orchestrator: no-such-program: no such command\n")


def test_signals_are_passed_on_and_nothing_is_left(origin: str, tmp_path: Path) -> None:
    program = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(9))\n"
        "print(os.getpid(), os.environ['SSL_CERT_FILE'], flush=True)\n"
        "time.sleep(60)\n"
    )
    command = [*ORCHESTRATOR, "proxy", "--url", origin, "--keep-ca", "--", sys.executable, "-c", program]
    environment = {**os.environ, "ORCHESTRATOR_DATA_DIR": str(tmp_path), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        pid, bundle = process.stdout.readline().split()
        assert Path(bundle).is_relative_to(tmp_path)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 9
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)
    assert [path.name for path in tmp_path.iterdir()] == ["proxy"]


def test_a_key_of_the_terminal_reaches_the_command_once(origin: str) -> None:
    program = (
        "import signal, sys\n"
        "seen = []\n"
        "signal.signal(signal.SIGINT, lambda *_: seen.append(1) or print('interrupted', flush=True))\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(len(seen)))\n"
        "print('ready', flush=True)\n"
        "while True: signal.pause()\n"
    )
    command = [*ORCHESTRATOR, "proxy", "--url", origin, sys.executable, "-c", program]
    keyboard, terminal = os.openpty()
    with subprocess.Popen([*ON_A_TERMINAL, *command], stdin=terminal, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.write(keyboard, b"\x03")
        assert process.stdout.readline() == "interrupted\n"
        process.terminate()  # passed on in order: after whatever the proxy has made of the key
        assert process.wait(20) == 1
    os.close(keyboard)
    os.close(terminal)


def test_wrong_usage_is_told_in_one_line() -> None:
    for wrong in (
        "",
        "--print-env ls",
        "--url ftp://a ls",
        "--url http://a/b ls",
        "--url http://a:b ls",
        "--allow a:1 ls",
    ):
        arguments = wrong.split()
        done = CliRunner().invoke(app, ["proxy", *arguments])
        assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (2, "", 1), arguments


def orchestrator_proxy(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [*ORCHESTRATOR, "proxy", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
