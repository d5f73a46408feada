"""The official Node SDK for the Memory API: every operation, plain and with HTTP info, and the nulls it can send."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.contract.cases import Case
from tests.contract.memory_cases import ASKING, CASES, LEFT_OUT, PARENTS
from tests.contract.test_twilio_node_operations import METHODS, SILENT
from tests.support.node import Node, NodeClient, NodeError
from tests.support.sdk_memory import OCCURRED, Memories

API = ("memory", "v1")
WHOLE = ("bulk", "identity_resolution_settings")
"""Resources without instances: what others do to one of them is done to all."""
UNPAGED = ("identifiers",)
FIRST_PAGES = ("stores", "profiles", "imports")
"""Lists of ids, of which twilio-node 6.2 `list`s the first page alone."""
FATAL = ("dataMappings-List-listWithHttpInfo", "dataMappings-List-eachWithHttpInfo")
"""twilio-node 6.2 ends the process when the first page is refused."""


def camel_case(name: str) -> str:
    return re.sub(r"_(.)", lambda one: one[1].upper(), name)


@dataclass(frozen=True)
class Operation:
    """A public method of the SDK, such as `ProfileContext.patchWithHttpInfo`."""

    resource: str
    level: str
    method: str
    case: Case[Memories]

    @property
    def lists(self) -> bool:
        return self.method.removesuffix("WithHttpInfo") in METHODS["list"]

    @property
    def reads(self) -> bool:
        return self.lists or self.resource in ASKING or self.method.startswith("fetch")

    def __str__(self) -> str:
        return f"{camel_case(self.resource)}-{self.level}-{self.method}"


def levels(resource: str, verb: str) -> tuple[str, ...]:
    if verb in ("list", "create") or resource in WHOLE:
        return ("List",)
    # An instance comes of a fetch, and what is left out cannot be fetched.
    return ("Context",) if resource in LEFT_OUT else ("Context", "Instance")


def operations() -> Iterator[Operation]:
    for (resource, verb), case in CASES.items():
        for level in levels(resource, verb):
            for method in ("list",) if verb == "list" and resource in UNPAGED else METHODS[verb]:
                yield Operation(resource, level, method, case)
                yield Operation(resource, level, f"{method}WithHttpInfo", case)


def steps(memories: Memories, resource: str) -> list[Any]:
    """The way to a resource."""
    parents = PARENTS.get(resource, ("store_id",))
    return [camel_case(resource), *([[getattr(memories, parent) for parent in parents]] if parents else [])]


def target(operation: Operation, memories: Memories) -> list[Any]:
    """The steps to the object whose method it is."""
    found = steps(memories, operation.resource)
    if operation.level != "List":
        found += [[operation.case.id(memories)]]
    return [*found, "fetch", []] if operation.level == "Instance" else found


def arguments(operation: Operation, memories: Memories) -> list[Any]:
    if operation.method.startswith("getPage"):
        return ["https://memory.twilio.com" + operation.case.request.format(memories).removeprefix("GET ")]
    if operation.lists:
        listed = operation.method.startswith("list") and operation.resource in FIRST_PAGES
        size = 50 if operation.method.startswith("page") or listed else 1
        return [] if operation.resource in UNPAGED else [{"pageSize": size}]
    return [operation.case.body(memories)] if operation.case.kind else []


def test_no_method_of_the_sdk_is_left_out(node: Node) -> None:
    there = {one for one in node.package("methods", [*API]) if one.rpartition("-")[2] not in SILENT}
    instances = {one for one in there if one.startswith("dataMappings-Instance-")}
    assert {str(one) for one in operations()} == there - instances


@pytest.mark.parametrize("operation", [pytest.param(one, id=str(one)) for one in operations() if str(one) not in FATAL])
def test_operation(operation: Operation, memories: Memories, written: Memories, node: Node, origin: str) -> None:
    used, case = memories if operation.reads else written.for_another(), operation.case
    client = NodeClient(node, origin, used.account, API)
    given, expected = arguments(operation, used), case.request.format(used)
    way, found = target(operation, used), []
    if operation.resource in LEFT_OUT:
        with pytest.raises(NodeError, match="there is nothing at"):
            client(*way, operation.method, given)
    else:
        found = client(*way, operation.method, given)
        if operation.method.endswith("WithHttpInfo"):
            assert found["statusCode"] == case.status
            found = found["body"]
        found = found["instances"] if operation.lists and isinstance(found, dict) else found
    requests = len(found) if found and given == [{"pageSize": 1}] else 1
    assert client.requested[-requests:] == [expected] * requests
    assert client.answered[-requests:] == [case.status] * requests
    case.check(used, found)


def test_a_list_of_ids_ends_with_its_first_page(memories: Memories, node: Node, origin: str) -> None:
    """In the SDK; `page` and `nextPage` read on."""
    client = NodeClient(node, origin, memories.account, API)
    newest, oldest = memories.profiles[::-1]
    profiles = steps(memories, "profiles")
    assert client(*profiles, "list", [{"pageSize": 1}]) == [newest]
    assert client(*profiles, "page", [{"pageSize": 1}], "nextPage", [])["instances"] == [oldest]


@pytest.fixture
def person(written: Memories) -> Memories:
    """Somebody of whom nothing is known yet."""
    return written.for_another()


@pytest.fixture
def v1(node: Node, origin: str, person: Memories) -> NodeClient:
    """The Node SDK's `client.memory.v1`."""
    return NodeClient(node, origin, person.account, API)


def test_null_removes_a_trait(v1: NodeClient, person: Memories) -> None:
    profile = [*steps(person, "profiles"), [person.profile_id]]
    v1(*profile, "patch", [{"traits": {"Contact": {"city": "Oslo", "lastName": "Ito"}}}])
    v1(*profile, "patch", [{"traits": {"Contact": {"city": None, "phone": None, "country": None}}}])
    assert v1(*profile, "fetch", [])["traits"] == {"Contact": {"firstName": "Kiran", "lastName": "Ito"}}
    assert person.values == {"phone": [person.phone]}  # a number that was theirs is still known as theirs


def test_null_is_no_value_of_a_new_profile(v1: NodeClient, person: Memories) -> None:
    body = {"traits": {"Contact": {"phone": person.phone, "city": None}, "Unknown": None}}
    with pytest.raises(NodeError) as wrong:
        v1(*steps(person, "profiles"), "create", [body])
    assert (wrong.value.status, wrong.value.code) == (400, 400)


def test_null_is_absent_wherever_something_is_optional(v1: NodeClient, person: Memories) -> None:
    """In requests that write, and in one that asks."""
    note = {"content": "reads", "source": "sdk", "occurredAt": OCCURRED, "conversationIds": None}
    v1(*steps(person, "observations"), "create", [{"observations": [note]}])
    observation = [
        *steps(person, "observations"),
        [person.v1.observations(person.store_id, person.profile_id).list()[0].id],
    ]
    v1(*observation, "patch", [{"content": None, "source": "node", "occurredAt": None, "conversationIds": None}])
    found = v1(*observation, "fetch", [])
    assert (found["content"], found["source"], found["conversationIds"]) == ("reads", "node", [])
    summary = {
        "content": "It is late",
        "conversationId": person.conversation_id,
        "occurredAt": OCCURRED,
        "source": None,
    }
    v1(*steps(person, "conversation_summaries"), "create", [{"summaries": [summary]}])
    assert person.told == ["It is late"]
    nothing = dict.fromkeys(("conversationId", "query", "beginDate", "endDate", "observationsLimit", "summariesLimit"))
    recalled = v1(*steps(person, "recall"), "create", [{**nothing, "communicationsLimit": None}])
    assert [one["content"] for one in recalled["observations"]] == ["reads"]
    assert "score" not in recalled["observations"][0]


def test_null_leaves_a_store_and_a_trait_group_as_they_are(v1: NodeClient, person: Memories) -> None:
    store = ["stores", [person.store_id]]
    before = v1(*store, "fetch", [])
    v1(*store, "patch", [{"displayName": None, "description": "Regulars"}])
    after = v1(*store, "fetch", [])
    assert (after["displayName"], after["description"]) == (before["displayName"], "Regulars")
    with pytest.raises(NodeError, match="give displayName, description, or both") as empty:
        v1(*store, "patch", [{"displayName": None, "description": None}])
    assert (empty.value.status, empty.value.code) == (400, 520046)
    group = [*steps(person, "trait_groups"), [person.trait_group]]
    drink = {"dataType": "STRING", "description": None, "validationRule": None, "idTypePromotion": None}
    v1(*group, "patch", [{"description": None, "traits": {"drink": drink}}])
    found = v1(*group, "fetch", [])["traitGroup"]
    assert (found["description"], set(found["traits"])) == ("Likes", {"drink"})


def test_errors_are_rest_exceptions(v1: NodeClient, person: Memories) -> None:
    with pytest.raises(NodeError) as unknown:
        v1("stores", ["mem_store_01kgh3k1w8fmkrxj2c5a9d7e6b"], "fetch", [])
    assert (unknown.value.kind, unknown.value.status, unknown.value.code) == ("RestException", 404, 520041)
    assert unknown.value.more_info == "https://www.twilio.com/docs/errors/520041"
    with pytest.raises(NodeError, match="displayName") as wrong:
        v1("stores", "create", [{"displayName": "a b"}])
    assert (wrong.value.status, wrong.value.code) == (400, 520046)
    with pytest.raises(NodeError, match="idType") as unconfigured:
        v1(*steps(person, "lookup"), "create", [{"idType": "shoe", "value": "43"}])
    assert (unconfigured.value.status, unconfigured.value.code) == (400, 400)
