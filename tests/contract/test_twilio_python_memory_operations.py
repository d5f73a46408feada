"""Every operation of the official Python SDK for the Memory API in each of its forms, as for the Conversations API."""

import inspect
import pkgutil
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from twilio.base.exceptions import TwilioException
from twilio.rest import Client
from twilio.rest.memory import v1
from twilio.rest.memory.v1.data_mapping import DataMappingInstance

from tests.contract.cases import Case, snake_case
from tests.contract.memory_cases import ASKING, CASES, LEFT_OUT, PARENTS
from tests.contract.test_twilio_python_operations import BROKEN, LEVELS, LISTS, Operation, call
from tests.support.sdk_memory import Memories
from tests.support.server import async_sdk_client

# The SDK hands its credentials to aiohttp in a way that aiohttp deprecates.
pytestmark = pytest.mark.filterwarnings(
    "ignore:BasicAuth is deprecated:DeprecationWarning", "ignore:The 'auth' parameter is deprecated:DeprecationWarning"
)

MUTE = {"identifiers-List-list_with_http_info", "identifiers-List-list_with_http_info_async"}
"""What sends nothing: it has a test of its own."""


def modules() -> dict[str, str]:
    """The modules of the SDK by what `client.memory.v1` calls their resources."""
    found = {}
    version = Client("AC", "token").memory.v1
    for name in vars(type(version)):
        if not name.startswith("_"):
            accessor = getattr(version, name)
            if inspect.ismethod(accessor):
                needed = [one for one in inspect.signature(accessor).parameters.values() if one.default is one.empty]
                accessor = accessor(*("id" for _ in needed))
            found[name] = type(accessor).__module__
    return found


def operations() -> Iterator[Operation]:
    """Every public method of the resources under `client.memory.v1` that sends a request."""
    for resource, module in modules().items():
        for name, owner in inspect.getmembers(sys.modules[module], inspect.isclass):
            for level in LEVELS:
                if name.endswith(level) and owner.__module__ == module:
                    for method, function in vars(owner).items():
                        # `get(id)` is the same as `(id)` and sends nothing.
                        if inspect.isfunction(function) and not method.startswith("_") and method != "get":
                            yield Operation(resource, level, method)


def case_of(operation: Operation) -> Case[Memories]:
    """How it is called; a KeyError for a method that a newer SDK has added."""
    return CASES[operation.resource, "list" if operation.verb in LISTS else operation.verb]


@pytest.fixture(scope="module")
async def async_client(origin: str, memories: Memories) -> AsyncIterator[Client]:
    async with async_sdk_client(origin, memories.account) as running:
        yield running


@pytest.fixture(scope="module")
async def async_writer(origin: str, written: Memories) -> AsyncIterator[Client]:
    async with async_sdk_client(origin, written.account) as running:
        yield running


async def target(client: Client, operation: Operation, memories: Memories) -> Any:
    """The object whose method it is."""
    found = getattr(client.memory.v1, operation.resource)
    if parents := PARENTS.get(operation.resource, ("store_id",)):
        found = found(*(getattr(memories, parent) for parent in parents))
    if operation.level == "List":
        return found
    instance_id = case_of(operation).id(memories)
    if operation.level == "Context":
        return found(instance_id)
    if operation.resource in LEFT_OUT:
        return DataMappingInstance(client.memory.v1, {}, store_id=memories.store_id, data_mapping_id=instance_id)
    return await found(instance_id).fetch_async() if operation.asynchronous else found(instance_id).fetch()


def arguments(operation: Operation, memories: Memories) -> dict[str, Any]:
    case = case_of(operation)
    if operation.verb == "get_page":
        return {"target_url": "https://memory.twilio.com" + case.request.format(memories).removeprefix("GET ")}
    if operation.verb in LISTS:
        # Pages of one, but for the asynchronous ones: see the test of their paging.
        size = 50 if operation.asynchronous or operation.verb == "page" else 1
        return {} if operation.resource == "identifiers" else {"page_size": size}
    return {snake_case(case.kind.__name__): case.kind(case.body(memories))} if case.kind else {}


def test_every_resource_of_the_sdk_is_reached() -> None:
    there = {module.name for module in pkgutil.iter_modules(v1.__path__, f"{v1.__name__}.")}
    assert set(modules().values()) == there


def reads(operation: Operation) -> bool:
    return operation.verb in (*LISTS, "fetch") or operation.resource in ASKING


async def ask(operation: Operation, used: Memories, caller: Client) -> Any:
    """Call the method; what it returned. The requests and their answers have to be those of the case."""
    case = case_of(operation)
    expected, given = case.request.format(used), arguments(operation, used)
    method = getattr(await target(caller, operation, used), operation.method)
    http_client, found = caller.http_client, []
    http_client.requested.clear()
    http_client.answered.clear()
    if operation.method in BROKEN:
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'uri'"):
            await call(method, operation, given)
    elif operation.resource in LEFT_OUT:
        with pytest.raises(TwilioException, match="there is nothing at"):
            await call(method, operation, given)
    else:
        found = await call(method, operation, given)
    requests = len(found) if found and given.get("page_size") == 1 else 1
    assert http_client.requested == [expected] * requests
    assert http_client.answered == [case.status] * requests
    return found


@pytest.mark.parametrize("operation", [pytest.param(one, id=str(one)) for one in operations() if str(one) not in MUTE])
async def test_operation(
    operation: Operation, memories: Memories, written: Memories, async_client: Client, async_writer: Client
) -> None:
    used = memories if reads(operation) else written.for_another()
    asynchronous = async_client if reads(operation) else async_writer
    found = await ask(operation, used, asynchronous if operation.asynchronous else used.client)
    if operation.method not in BROKEN:
        case_of(operation).check(used, found)


async def test_identifiers_cannot_be_listed_with_http_info(memories: Memories, async_client: Client) -> None:
    """twilio-python 9.13 lists them by a method that it does not have."""
    given = (memories.store_id, memories.profile_id)
    with pytest.raises(AttributeError, match="has no attribute 'stream_with_http_info'"):
        memories.v1.identifiers(*given).list_with_http_info()
    with pytest.raises(AttributeError, match="has no attribute 'stream_with_http_info_async'"):
        await async_client.memory.v1.identifiers(*given).list_with_http_info_async()
