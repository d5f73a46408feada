"""The proxy in this process; or `orchestrator proxy` in one of its own, and programs that it is between."""

import os
import shlex
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import httpx

from orchestrator.accounts.service import Account
from orchestrator.cli.proxy.authority import Authority, make_authority
from orchestrator.cli.proxy.hosts import Hosts
from orchestrator.cli.proxy.server import Proxy
from orchestrator.cli.proxy.service import service_at
from orchestrator.kernel.clock import Clock

ORCHESTRATOR = [sys.executable, "-m", "orchestrator"]
LAST = "NODE_USE_ENV_PROXY"
"""The variable that is printed last."""


@dataclass
class Near:
    """The proxy in this process."""

    port: int
    authority: Authority
    told: list[str]
    """What a person at the terminal would read."""

    def client(self, trusted: Authority | None = None) -> httpx.AsyncClient:
        """It is told what others read from their environment."""
        context = ssl.create_default_context(cadata=(trusted or self.authority).pem.decode())
        return httpx.AsyncClient(proxy=f"http://127.0.0.1:{self.port}", verify=context, trust_env=False)


@asynccontextmanager
async def near(url: str, *allowed: str) -> AsyncIterator[Near]:
    """Serve it."""
    told: list[str] = []
    authority = make_authority(Clock().now())
    async with Proxy(authority, Hosts(allowed), service_at(url), told.append).listening(0) as port:
        yield Near(port, authority, told)


@dataclass
class Proxying:
    """A running `orchestrator proxy --print-env`."""

    process: "subprocess.Popen[str]"
    variables: dict[str, str]

    def run(self, *command: str, account: Account | None = None, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run a program to its end with the printed variables, and the account's credentials."""
        own = {} if account is None else {"ACCOUNT_SID": account.account_id, "AUTH_TOKEN": account.auth_token}
        environment = {**os.environ, **self.variables, **own, **more}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def proxying(url: str, *options: str, **environment: str) -> Iterator[Proxying]:
    """Start one, and end it as a service manager would."""
    command = [*ORCHESTRATOR, "proxy", "--print-env", "--url", url, *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    ) as process:
        try:
            yield Proxying(process, _read(process))
            process.terminate()
            assert process.wait(20) == 0
        finally:
            process.kill()


def _read(process: "subprocess.Popen[str]") -> dict[str, str]:
    assert process.stdout is not None
    found: dict[str, str] = {}
    while LAST not in found:
        line = process.stdout.readline()
        assert line, "the proxy has ended"
        export, assignment = shlex.split(line)
        assert export == "export"
        name, _, value = assignment.partition("=")
        found[name] = value
    return found
