"""Every operation of the official Node SDK, plain and with HTTP info."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from twilio.rest import Client

from tests.contract.cases import CASES, NESTED, Case
from tests.support.node import Node, NodeClient
from tests.support.sdk import Resources

METHODS = {
    "list": ("list", "each", "page", "getPage"),
    "create": ("create",),
    "fetch": ("fetch",),
    "update": ("update",),
    "patch": ("patch",),
    "delete": ("remove",),
}
"""What Node calls the verbs of the cases."""
SILENT = ("constructor", "get", "toJSON")
"""Methods that send nothing."""


@dataclass(frozen=True)
class Operation:
    """A public method of the SDK, such as `ConfigurationContext.updateWithHttpInfo`."""

    resource: str
    level: str
    method: str
    case: Case[Resources]

    @property
    def lists(self) -> bool:
        return self.method.removesuffix("WithHttpInfo") in METHODS["list"]

    def __str__(self) -> str:
        return f"{self.resource}-{self.level}-{self.method}"


def operations() -> Iterator[Operation]:
    for (resource, verb), case in CASES.items():
        for level in ("List",) if verb in ("list", "create") else ("Context", "Instance"):
            for method in METHODS[verb]:
                yield Operation(resource, level, method, case)
                yield Operation(resource, level, f"{method}WithHttpInfo", case)


def target(operation: Operation, resources: Resources) -> list[Any]:
    """The steps to the object whose method it is."""
    steps: list[Any] = [operation.resource]
    if operation.resource in NESTED:
        steps += [[resources.conversation_id]]
    if operation.level != "List":
        steps += [[operation.case.id(resources)]]
    return [*steps, "fetch", []] if operation.level == "Instance" else steps


def arguments(operation: Operation, resources: Resources) -> list[Any]:
    if operation.method.startswith("getPage"):
        return ["https://conversations.twilio.com" + operation.case.request.format(resources).removeprefix("GET ")]
    if operation.lists:
        return [{"pageSize": 50 if operation.method.startswith("page") else 1}]
    return [operation.case.body(resources)] if operation.case.kind else []


def test_no_method_of_the_sdk_is_left_out(node: Node) -> None:
    there = {one for one in node.package("methods", ["conversations", "v2"]) if one.rpartition("-")[2] not in SILENT}
    assert {str(one) for one in operations()} == there


@pytest.mark.parametrize("operation", [pytest.param(one, id=str(one)) for one in operations()])
def test_operation(operation: Operation, client: Client, v2: NodeClient) -> None:
    resources, case = Resources(client), operation.case
    resources.make(operation.resource)
    steps, given = target(operation, resources), arguments(operation, resources)
    found = v2(*steps, operation.method, given)
    if operation.method.endswith("WithHttpInfo"):
        assert found["statusCode"] == case.status
        found = found["body"]
    if operation.lists:
        found = found["instances"] if isinstance(found, dict) else found
    requests = len(found) if given == [{"pageSize": 1}] else 1
    assert v2.requested[-requests:] == [case.request.format(resources)] * requests
    assert v2.answered[-requests:] == [case.status] * requests
    case.check(resources, found)
