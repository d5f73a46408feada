"""What each operation of the official SDKs is called with, and what has to come of it, in whichever language."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from twilio.rest.conversations.v2.action import ActionList
from twilio.rest.conversations.v2.communication import CommunicationList
from twilio.rest.conversations.v2.configuration import ConfigurationList
from twilio.rest.conversations.v2.conversation import ConversationList
from twilio.rest.conversations.v2.participant import ParticipantList

from tests.support.factories import OUR_NUMBER, configuration_body
from tests.support.sdk import Resources, communication_body, conversation_body, message_body, owner
from tests.support.traffic import KIRAN

COLLEAGUE, STRANGER = "+16505550142", "+15550004444"
CONFIGURATION = "/v2/ControlPlane/Configurations/{0.configurations[1]}"
CONVERSATION = "/v2/Conversations/{0.conversation_id}"

R = TypeVar("R")


@dataclass(frozen=True)
class Case(Generic[R]):
    """One operation of an API; `R` is what there is to call it with."""

    request: str
    """Method and path that an SDK has to send; attributes of R in braces."""
    status: int
    check: Callable[[R, Any], None]
    """Given the resource, or the list of resources, that the SDK made of the answer; raises AssertionError."""
    kind: Any = None
    """The Python SDK's class for the body; None where there is none."""
    body: Callable[[R], dict[str, Any]] = lambda _: {}

    def id(self, resources: R) -> str:
        """The last part of the path: what a context of an SDK is made for."""
        return self.request.format(resources).rpartition("/")[2]


def snake_case(name: str) -> str:
    """The Python SDK's name of what is called `displayName` or `DisplayName`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def value(found: Any, name: str) -> Any:
    """A field of an object of the Python SDK, or of the JSON of any other."""
    return found[name] if isinstance(found, dict) else getattr(found, snake_case(name))


def accepted(key: str) -> Callable[[object, Any], None]:
    """A 202 that names what it is about."""

    def check(_: object, found: Any) -> None:
        assert "/v2/ControlPlane/Operations/proc_job_" in value(found, "statusUrl")
        assert set(value(found, "related")) == {key}

    return check


def has(**expected: Any) -> Callable[[object, Any], None]:
    """A resource with these fields."""

    def check(_: object, found: Any) -> None:
        assert {name: value(found, name) for name in expected} == expected

    return check


def are(ids: Callable[[R], list[str]]) -> Callable[[R, Any], None]:
    """A list of resources with these ids."""

    def check(resources: R, found: Any) -> None:
        assert [value(one, "id") for one in found] == ids(resources)

    return check


def written(resources: Resources, found: Any) -> None:
    """A communication whose author and recipient are participants."""
    customer, agent = resources.participants
    content, author, recipients = (value(found, name) for name in ("content", "author", "recipients"))
    assert (content["type"], content["text"]) == ("TEXT", "hello")
    assert (author["address"], author["channel"], author["participantId"]) == (KIRAN, "SMS", customer)
    assert [(one["address"], one["participantId"]) for one in recipients] == [(OUR_NUMBER, agent)]


def a_message(resources: Resources) -> dict[str, Any]:
    customer, agent = resources.participants
    return message_body("hi", {"participantId": agent}, {"participantId": customer, "channel": "SMS"})


CASES: dict[tuple[str, str], Case[Resources]] = {
    ("configurations", "create"): Case(
        "POST /v2/ControlPlane/Configurations",
        202,
        accepted("configurationId"),
        ConfigurationList.CreateConfigurationRequest,
        lambda _: configuration_body(),
    ),
    ("configurations", "list"): Case(
        "GET /v2/ControlPlane/Configurations", 200, are(lambda resources: resources.configurations[::-1])
    ),
    ("configurations", "fetch"): Case(f"GET {CONFIGURATION}", 200, has(displayName="Number 2", version=1)),
    ("configurations", "update"): Case(
        f"PUT {CONFIGURATION}",
        202,
        accepted("configurationId"),
        ConfigurationList.UpdateConfigurationRequest,
        lambda _: configuration_body(),
    ),
    ("configurations", "patch"): Case(
        f"PATCH {CONFIGURATION}",
        202,
        accepted("configurationId"),
        ConfigurationList.PatchConfigurationRequest,
        lambda _: {"description": "Another"},
    ),
    ("configurations", "delete"): Case(f"DELETE {CONFIGURATION}", 202, accepted("configurationId")),
    ("operations", "fetch"): Case(
        "GET /v2/ControlPlane/Operations/{0.operation_id}", 200, has(status="COMPLETED", error=None)
    ),
    ("conversations", "create"): Case(
        "POST /v2/Conversations",
        201,
        has(status="ACTIVE", name="Parcel 4711"),
        ConversationList.CreateConversationWithConfigRequest,
        lambda resources: conversation_body(resources.configurations[1], STRANGER, name="Parcel 4711"),
    ),
    ("conversations", "list"): Case("GET /v2/Conversations", 200, are(lambda resources: resources.conversations[::-1])),
    ("conversations", "fetch"): Case(f"GET {CONVERSATION}", 200, has(status="ACTIVE", name=None)),
    ("conversations", "update"): Case(
        f"PUT {CONVERSATION}",
        200,
        has(status="INACTIVE", name="Parcel 4711", metadata={"order": "4711"}),
        ConversationList.UpdateConversationByIdRequest,
        lambda _: {"status": "INACTIVE", "name": "Parcel 4711", "metadata": {"order": "4711"}},
    ),
    ("conversations", "patch"): Case(
        f"PATCH {CONVERSATION}",
        200,
        has(status="ACTIVE", name="Parcel 4711"),
        ConversationList.PatchConversationByIdRequest,
        lambda _: {"name": "Parcel 4711"},
    ),
    ("conversations", "delete"): Case(f"DELETE {CONVERSATION}", 202, accepted("conversationId")),
    ("participants", "create"): Case(
        f"POST {CONVERSATION}/Participants",
        201,
        has(type="HUMAN_AGENT", name=COLLEAGUE, profileId=None),
        ParticipantList.CreateParticipantInConversationRequest,
        lambda _: owner(COLLEAGUE, "HUMAN_AGENT"),
    ),
    ("participants", "list"): Case(
        f"GET {CONVERSATION}/Participants", 200, are(lambda resources: resources.participants)
    ),
    ("participants", "fetch"): Case(
        f"GET {CONVERSATION}/Participants/{{0.participants[1]}}", 200, has(type="AGENT", name=OUR_NUMBER)
    ),
    ("participants", "update"): Case(
        f"PUT {CONVERSATION}/Participants/{{0.participants[1]}}",
        200,
        has(type="AI_AGENT", name="Ada"),
        ParticipantList.UpdateParticipantInConversationRequest,
        lambda _: {"name": "Ada", **owner(OUR_NUMBER, "AI_AGENT")},
    ),
    ("communications", "create"): Case(
        f"POST {CONVERSATION}/Communications",
        201,
        written,
        CommunicationList.CreateCommunicationInConversationRequest,
        lambda _: communication_body("hello"),
    ),
    ("communications", "list"): Case(
        f"GET {CONVERSATION}/Communications", 200, are(lambda resources: resources.communications)
    ),
    ("communications", "fetch"): Case(f"GET {CONVERSATION}/Communications/{{0.communications[0]}}", 200, written),
    ("actions", "create"): Case(
        f"POST {CONVERSATION}/Actions",
        202,
        has(type="SEND_MESSAGE", status="PENDING"),
        ActionList.CreateConversationActionRequest,
        a_message,
    ),
    ("actions", "fetch"): Case(
        f"GET {CONVERSATION}/Actions/{{0.action_id}}", 200, has(status="PENDING", failureReason=None)
    ),
}
"""By resource and verb, as Python calls them."""

NESTED = ("participants", "communications", "actions")
"""Resources that an SDK reaches by a conversation's id."""
