"""Data folders of commands, and one service for the tests that only ask it questions."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from orchestrator.app import create_app
from tests.cli.running import Serving, serving
from tests.cli.terminal import Terminal
from tests.support.app import Service, running_service, share_routes
from tests.support.server import serving_app


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that Postgres' account may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="orchestrator-test-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Shared by the tests of a module: the first start on it takes longer than the later ones."""
    with open_folder() as found:
        yield found


@pytest.fixture(scope="module")
def first(folder: Path) -> Iterator[Serving]:
    """A service that was started on an empty data folder."""
    with serving(folder) as service:
        yield service


@pytest.fixture(scope="session")
async def live(database_url: str) -> AsyncIterator[tuple[Service, str]]:
    """A service behind a socket, for commands that talk to one, and its twin in this process."""
    async with running_service(database_url, public_url=None) as service:
        app = create_app(service.settings)
        share_routes(app)
        with serving_app(app) as url:
            yield service, url


@pytest.fixture
async def terminal(live: tuple[Service, str]) -> AsyncIterator[Terminal]:
    """Somebody at a terminal, with an account of their own."""
    service, url = live
    account = await service.new_account()
    async with httpx.AsyncClient(base_url=url, auth=(account.account_id, account.auth_token)) as api:
        yield Terminal(url, account, replace(service, account=account, api=api))
