"""One Postgres per test run, one database per test process, one fresh account per test.

The server is ORCHESTRATOR_TEST_DATABASE_URL, else a container where `ORCHESTRATOR_TEST_POSTGRES=container` asks for
one, else the embedded server.
"""

from collections.abc import AsyncIterator

import pytest
from hypothesis import settings

from tests.support.app import Service, running_service
from tests.support.database import TestServer, worker_database

# A deadline per example would judge the machine, not the code.
settings.register_profile("orchestrator", deadline=None)
settings.load_profile("orchestrator")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        TestServer.start()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        TestServer.stop()


@pytest.fixture(scope="session")
async def database_url() -> AsyncIterator[str]:
    """A migrated database of this test process."""
    async with worker_database() as url:
        yield url


@pytest.fixture
async def service(database_url: str) -> AsyncIterator[Service]:
    """The application in this process, with a fresh account and a clock that tests may turn."""
    async with running_service(database_url) as running:
        yield running
