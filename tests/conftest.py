"""One Postgres per test run, one database per test process, one fresh account per test.

The server is ORCHESTRATOR_TEST_DATABASE_URL, else a container where `ORCHESTRATOR_TEST_POSTGRES=container` asks for
one, else the embedded server.
"""

import os
from collections.abc import AsyncIterator

import pytest
from hypothesis import settings

from tests.support.app import Running, Service, running_application
from tests.support.database import TestServer, worker_database
from tests.support.processes import end_kept

# A deadline per example would judge the machine, not the code. The same examples every time, so that a change is
# judged by itself; `HYPOTHESIS_PROFILE=explore` looks for new ones.
settings.register_profile("orchestrator", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "orchestrator"))


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        TestServer.start()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        TestServer.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest test goes first: at the end, one worker would be busy with it and the other one idle."""
    items.sort(key=lambda item: "test_schemathesis" not in item.nodeid)


@pytest.fixture(scope="session")
async def database_url() -> AsyncIterator[str]:
    """A migrated database of this test process."""
    async with worker_database() as url:
        yield url
        await end_kept()


@pytest.fixture(scope="session")
async def application(database_url: str) -> AsyncIterator[Running]:
    """The application of this test process; to start one takes longer than most tests do."""
    async with running_application(database_url) as running:
        yield running


@pytest.fixture
async def service(application: Running) -> AsyncIterator[Service]:
    """The application in this process, with a fresh account and a clock that tests may turn."""
    async with application.service() as running:
        yield running
