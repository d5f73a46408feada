"""Commands that talk to a running service, run in this process."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from typer.testing import CliRunner

from orchestrator.accounts.service import Account
from orchestrator.cli import app
from orchestrator.cli.api import Api
from orchestrator.cli.instance import Instance
from tests.support.app import Service


@dataclass(frozen=True)
class Shown:
    """What a command printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def typed(*arguments: str, **environment: str) -> Shown:
    """Run a command to its end."""
    with _quiet():
        done = CliRunner().invoke(app, list(arguments), env=environment, catch_exceptions=False)
    return Shown(done.exit_code, done.stdout, done.stderr)


@contextmanager
def _quiet() -> Iterator[None]:
    """The service logs to what the command takes for its standard output, as long as both are one process."""
    before = structlog.get_config()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    try:
        yield
    finally:
        structlog.configure(**before)


@dataclass(frozen=True)
class Terminal:
    """Somebody who types commands, with an account of the service."""

    url: str
    account: Account
    service: Service
    """In this process, on the same database; its `api` is the account's."""

    @property
    def environment(self) -> dict[str, str]:
        return {
            "ORCHESTRATOR_PUBLIC_URL": self.url,
            "ORCHESTRATOR_ACCOUNT_SID": self.account.account_id,
            "ORCHESTRATOR_AUTH_TOKEN": self.account.auth_token,
            "COLUMNS": "200",
        }

    def type(self, *arguments: str) -> Shown:
        """Run a command to its end."""
        return typed(*arguments, **self.environment)

    async def typed(self, *arguments: str) -> Shown:
        """The same beside the test's own tasks."""
        return await asyncio.to_thread(self.type, *arguments)

    def api(self) -> Api:
        """The account's API, as commands use it."""
        return Api(Instance(self.url, self.account.account_id, self.account.auth_token))
