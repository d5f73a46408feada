"""One real server for all tests of official clients; each test has a fresh account."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from twilio.rest import Client

from orchestrator.accounts.service import Account
from tests.support.app import Service, running_service, test_settings
from tests.support.delivery import forget_deliveries
from tests.support.node import Node, NodeClient, node_process
from tests.support.sdk_memory import Memories, create_store, new_name
from tests.support.server import sdk_client, serving


@pytest.fixture(scope="package")
def origin(database_url: str) -> Iterator[str]:
    """Where the server is."""
    with serving(test_settings(database_url, public_url=None)) as running:
        yield running


@pytest.fixture
async def delivering(service: Service, database_url: str) -> AsyncIterator[str]:
    """A server with its worker, which finds nothing to deliver that other tests have left."""
    await forget_deliveries(service)
    with serving(test_settings(database_url, public_url=None, worker=True, deliver_interval=0.05)) as running:
        yield running


@pytest.fixture
def account(service: Service) -> Account:
    return service.account


@pytest.fixture
def client(origin: str, account: Account) -> Iterator[Client]:
    """The official SDK with the account's credentials."""
    with sdk_client(origin, account.account_id, account.auth_token) as running:
        yield running


@asynccontextmanager
async def memories_of_an_account(database_url: str, origin: str) -> AsyncIterator[Memories]:
    """A fresh account with a store."""
    async with running_service(database_url) as service:
        account = service.account
    with sdk_client(origin, account.account_id, account.auth_token) as client:
        yield Memories(account, client, create_store(client, new_name()))


@pytest.fixture(scope="package")
async def memories(database_url: str, origin: str) -> AsyncIterator[Memories]:
    """Everything that is listed, for tests that only read; for the others it would take too long."""
    async with memories_of_an_account(database_url, origin) as made:
        yield made.make()


@pytest.fixture(scope="package")
async def written(database_url: str, origin: str) -> AsyncIterator[Memories]:
    """A store of another account, for tests that write."""
    async with memories_of_an_account(database_url, origin) as made:
        yield made


@pytest.fixture(scope="package")
def node() -> Iterator[Node]:
    """A process with the official Node SDK."""
    with node_process() as running:
        yield running


@pytest.fixture
def v2(node: Node, origin: str, account: Account) -> NodeClient:
    """The Node SDK's `client.conversations.v2` with the account's credentials."""
    return NodeClient(node, origin, account)
