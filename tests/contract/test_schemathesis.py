"""Whatever is sent, the service answers what its OpenAPI file declares, and refuses what the file does not allow."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.app import create_app
from orchestrator.kernel.clock import Clock
from tests.support.app import Service, test_settings
from tests.support.schemathesis import judge
from tests.support.server import serving_app


@pytest.fixture
def trusting(database_url: str) -> Iterator[str]:
    """A server that takes provider traffic without a signature: nobody could sign what is made up.

    Its clock is given, and so cannot be turned: the database is that of other tests too.
    """
    settings = test_settings(database_url, public_url=None, verify_signatures=False)
    with serving_app(create_app(settings, clock=Clock())) as origin:
        yield origin


@pytest.mark.timeout(300)  # half a minute, unless the machine has other things to do
async def test_the_service_keeps_to_its_openapi_file(service: Service, trusting: str, tmp_path: Path) -> None:
    await judge(service, trusting, tmp_path, "--seed", "1", "--max-examples", "3")


@pytest.mark.soak
@pytest.mark.timeout(3_600)
async def test_the_service_keeps_to_it_for_long(service: Service, trusting: str, tmp_path: Path) -> None:
    await judge(service, trusting, tmp_path, "--seed", str(secrets.randbits(32)), "--max-examples", "700")
