"""Every operation of the official Python SDK in each of its forms: plain, with HTTP info, and both asynchronous."""

import inspect
import pkgutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client
from twilio.rest.conversations import v2
from twilio.rest.conversations.v2.configuration import ConfigurationList

from orchestrator.accounts.service import Account
from tests.contract.cases import CASES, NESTED, Case, snake_case
from tests.support.factories import configuration_body
from tests.support.sdk import Resources
from tests.support.server import async_sdk_client

# The SDK hands its credentials to aiohttp in a way that aiohttp deprecates.
pytestmark = pytest.mark.filterwarnings(
    "ignore:BasicAuth is deprecated:DeprecationWarning", "ignore:The 'auth' parameter is deprecated:DeprecationWarning"
)

LEVELS = ("List", "Context", "Instance")
LISTS = ("list", "stream", "page", "get_page")
BROKEN = {"page_with_http_info_async", "list_with_http_info_async", "stream_with_http_info_async"} | {
    "get_page",
    "get_page_async",
}
"""twilio-python 9.13 asks, is answered, and then makes its own page object without the arguments that it needs."""


@dataclass(frozen=True)
class Operation:
    """A public method of the SDK, such as `ConfigurationContext.update_with_http_info_async`."""

    resource: str
    level: str
    method: str

    @property
    def asynchronous(self) -> bool:
        return self.method.endswith("_async")

    @property
    def with_http_info(self) -> bool:
        return "_with_http_info" in self.method

    @property
    def verb(self) -> str:
        """What it does, whichever way: `update`."""
        return self.method.removesuffix("_async").removesuffix("_with_http_info")

    @property
    def case(self) -> Case[Resources]:
        """How it is called; a KeyError for a method that a newer SDK has added."""
        return CASES[self.resource, "list" if self.verb in LISTS else self.verb]

    def __str__(self) -> str:
        return f"{self.resource}-{self.level}-{self.method}"


def operations() -> Iterator[Operation]:
    """Every public method of the resources under `client.conversations.v2` that sends a request."""
    for module in pkgutil.iter_modules(v2.__path__, f"{v2.__name__}."):
        resource = module.name.rpartition(".")[2]
        classes = vars(import_module(module.name))
        for level in LEVELS:
            for method, function in vars(classes[f"{resource.capitalize()}{level}"]).items():
                # `get(id)` is the same as `(id)` and sends nothing.
                if inspect.isfunction(function) and not method.startswith("_") and method != "get":
                    yield Operation(f"{resource}s", level, method)


@pytest.fixture
def resources(client: Client) -> Resources:
    return Resources(client)


@pytest.fixture
async def async_client(origin: str, account: Account) -> AsyncIterator[Client]:
    async with async_sdk_client(origin, account) as running:
        yield running


async def target(client: Client, operation: Operation, resources: Resources) -> Any:
    """The object whose method it is."""
    found = getattr(client.conversations.v2, operation.resource)
    found = found(resources.conversation_id) if operation.resource in NESTED else found
    if operation.level == "List":
        return found
    context = found(operation.case.id(resources))
    if operation.level == "Context":
        return context
    return await context.fetch_async() if operation.asynchronous else context.fetch()


def arguments(operation: Operation, resources: Resources) -> dict[str, Any]:
    case = operation.case
    if operation.verb == "get_page":
        return {"target_url": "https://conversations.twilio.com" + case.request.format(resources).removeprefix("GET ")}
    if operation.verb in LISTS:
        # Pages of one, but for the asynchronous ones: see the test of their paging.
        return {"page_size": 50 if operation.asynchronous or operation.verb == "page" else 1}
    return {snake_case(case.kind.__name__): case.kind(case.body(resources))} if case.kind else {}


async def call(method: Any, operation: Operation, given: dict[str, Any]) -> Any:
    """Call it; what it returns without the HTTP info, and as a list where it is one."""
    answer = await method(**given) if operation.asynchronous else method(**given)
    if operation.with_http_info:
        answer = answer[0] if isinstance(answer, tuple) else answer.data
    if operation.verb not in LISTS:
        return answer
    return [one async for one in answer] if hasattr(answer, "__aiter__") else list(answer)


@pytest.mark.parametrize("operation", [pytest.param(one, id=str(one)) for one in operations()])
async def test_operation(operation: Operation, resources: Resources, client: Client, async_client: Client) -> None:
    case = operation.case
    caller = async_client if operation.asynchronous else client
    given = arguments(operation, resources)
    resources.make(operation.resource)
    method = getattr(await target(caller, operation, resources), operation.method)
    http_client = caller.http_client
    http_client.requested.clear()
    http_client.answered.clear()
    if operation.method in BROKEN:
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'uri'"):
            await call(method, operation, given)
        found = []
    else:
        found = await call(method, operation, given)
    requests = len(found) if given.get("page_size") == 1 else 1
    assert http_client.requested == [case.request.format(resources)] * requests
    assert http_client.answered == [case.status] * requests
    if operation.method not in BROKEN:
        case.check(resources, found)


async def test_asynchronous_paging_stops_at_the_sdk(resources: Resources, async_client: Client) -> None:
    """twilio-python 9.13 fetches the second page with the synchronous call and gets a coroutine for an answer."""
    resources.make("configurations")
    configurations = async_client.conversations.v2.configurations
    page = await configurations.page_async(page_size=1)
    with (
        pytest.warns(RuntimeWarning, match="was never awaited"),
        pytest.raises(AttributeError, match="'coroutine' object has no attribute 'status_code'"),
    ):
        await page.next_page_async()
    following = await configurations.page_async(page_token=page.next_token)
    assert [one.id for one in following] == resources.configurations[:1]


async def test_asynchronous_writes_as_released_are_refused(origin: str, account: Account) -> None:
    """twilio-python 9.13 writes a form and calls it JSON; nobody could tell what it means."""
    async with async_sdk_client(origin, account, as_released=True) as released:
        configurations = released.conversations.v2.configurations
        request = ConfigurationList.CreateConfigurationRequest(configuration_body())
        with pytest.raises(TwilioRestException, match="JSON") as refused:
            await configurations.create_async(create_configuration_request=request)
        assert refused.value.status == 400
        assert await configurations.list_async() == []
