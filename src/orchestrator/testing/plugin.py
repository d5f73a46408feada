"""The pytest plugin: fixtures with a running service, and what the service knows in the report of a failed test.

pytest imports this wherever the package is installed, so it imports nothing of ours before a fixture is used.
"""

from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from orchestrator.testing.instance import Instance
    from orchestrator.testing.orchestrator import Orchestrator
    from orchestrator.testing.report import Watched

_WATCHED: "pytest.StashKey[Watched]" = pytest.StashKey()


@pytest.fixture(scope="session")
def orchestrator_settings() -> Mapping[str, str]:
    """Settings of the instance without their prefix; a conftest.py that wants others has a fixture of this name."""
    return {}


@pytest.fixture(scope="session")
def orchestrator_instance(orchestrator_settings: Mapping[str, str]) -> "Iterator[Instance]":
    """A running service; one for each process of pytest-xdist, since tests turn its clock."""
    from orchestrator.testing.instance import running_instance

    with running_instance(orchestrator_settings) as instance:
        yield instance


@pytest.fixture
def orchestrator(request: pytest.FixtureRequest, orchestrator_instance: "Instance") -> "Iterator[Orchestrator]":
    """A fresh account of the service, for this test alone."""
    from orchestrator.testing.report import Watched

    with orchestrator_instance.orchestrator() as one:
        request.node.stash[_WATCHED] = Watched(one, orchestrator_instance.log)
        yield one


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: "pytest.CallInfo[None]"
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say what the service knows, while it still can be asked."""
    report = yield
    watched = item.stash.get(_WATCHED, None)
    if watched is not None and report.failed and call.when != "teardown":
        report.sections += watched.sections()
    return report
