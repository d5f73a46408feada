"""One real server for all tests of official clients; each test has a fresh account."""

from collections.abc import Iterator

import pytest
from twilio.rest import Client

from orchestrator.accounts.service import Account
from tests.support.app import Service, test_settings
from tests.support.server import sdk_client, serving


@pytest.fixture(scope="package")
def origin(database_url: str) -> Iterator[str]:
    """Where the server is."""
    with serving(test_settings(database_url, public_url=None)) as running:
        yield running


@pytest.fixture
def account(service: Service) -> Account:
    return service.account


@pytest.fixture
def client(origin: str, account: Account) -> Iterator[Client]:
    """The official SDK with the account's credentials."""
    with sdk_client(origin, account.account_id, account.auth_token) as running:
        yield running
