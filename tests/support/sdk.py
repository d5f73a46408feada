"""Resources of one account made with the official Python SDK, each when it is first asked for."""

import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from requests.structures import CaseInsensitiveDict
from twilio.rest import Client
from twilio.rest.conversations.v2.action import ActionList
from twilio.rest.conversations.v2.communication import CommunicationList
from twilio.rest.conversations.v2.configuration import ConfigurationList
from twilio.rest.conversations.v2.conversation import ConversationList

from tests.support.factories import OUR_NUMBER, configuration_body
from tests.support.traffic import KIRAN, OTHER_PHONE


def create_configuration(client: Client, **changes: Any) -> str:
    """Create a configuration and poll its operation, as the documentation says; its id."""
    request = ConfigurationList.CreateConfigurationRequest(configuration_body(**changes))
    answer = client.conversations.v2.configurations.create_with_http_info(
        idempotency_key=str(uuid.uuid4()), create_configuration_request=request
    )
    assert answer.status_code == 202
    operation_id = CaseInsensitiveDict(answer.headers)["Operation-Id"]
    assert answer.data.status_url.endswith(f"/v2/ControlPlane/Operations/{operation_id}")
    operation = client.conversations.v2.operations(operation_id).fetch()
    assert (operation.operation_id, operation.status, operation.error) == (operation_id, "COMPLETED", None)
    assert operation.related == answer.data.related
    configuration_id: str = operation.related["configurationId"]
    return configuration_id


def owner(address: str, type_: str, channel: str = "SMS") -> dict[str, Any]:
    """A participant to create, who owns one address."""
    return {"type": type_, "addresses": [{"channel": channel, "address": address}]}


def conversation_body(configuration_id: str, customer: str = KIRAN, **changes: Any) -> dict[str, Any]:
    """A conversation between a customer and our number."""
    participants = [owner(customer, "CUSTOMER"), owner(OUR_NUMBER, "AGENT")]
    return {"configurationId": configuration_id, "participants": participants, **changes}


def communication_body(text: str, author: str = KIRAN, recipient: str = OUR_NUMBER, **changes: Any) -> dict[str, Any]:
    """A text message."""
    return {
        "author": {"address": author, "channel": "SMS"},
        "content": {"type": "TEXT", "text": text},
        "recipients": [{"address": recipient, "channel": "SMS"}],
        **changes,
    }


def message_body(text: str, sender: dict[str, str], recipient: dict[str, str]) -> dict[str, Any]:
    """An action that sends a text message."""
    return {"type": "SEND_MESSAGE", "payload": {"from": sender, "to": [recipient], "content": {"text": text}}}


@dataclass
class Resources:
    """Two of everything that is listed, oldest first."""

    client: Client

    @property
    def v2(self) -> Any:
        return self.client.conversations.v2

    @cached_property
    def configurations(self) -> list[str]:
        """The first has the conversations, the second has none."""
        return [create_configuration(self.client, displayName=f"Number {number}") for number in (1, 2)]

    @cached_property
    def conversations(self) -> list[str]:
        return [self._conversation(customer) for customer in (KIRAN, OTHER_PHONE)]

    @property
    def conversation_id(self) -> str:
        return self.conversations[0]

    @cached_property
    def participants(self) -> list[str]:
        """The customer and the agent of the first conversation."""
        found = self.v2.conversations(self.conversation_id).fetch().participants
        return [one["id"] for one in found]

    @cached_property
    def communications(self) -> list[str]:
        return [self._communication(text) for text in ("hello", "my parcel?")]

    @cached_property
    def action_id(self) -> str:
        customer, agent = self.participants
        body = message_body("on its way", *({"participantId": one, "channel": "SMS"} for one in (agent, customer)))
        request = ActionList.CreateConversationActionRequest(body)
        made: str = self.v2.actions(self.conversation_id).create(create_conversation_action_request=request).id
        return made

    @cached_property
    def operation_id(self) -> str:
        request = ConfigurationList.CreateConfigurationRequest(configuration_body(displayName="Number 3"))
        answer = self.v2.configurations.create(create_configuration_request=request)
        return str(answer.status_url).rpartition("/")[2]

    def make(self, resource: str) -> None:
        """Make all that a list of this kind holds."""
        getattr(self, resource, None)

    def _conversation(self, customer: str) -> str:
        body = conversation_body(self.configurations[0], customer)
        request = ConversationList.CreateConversationWithConfigRequest(body)
        made: str = self.v2.conversations.create(create_conversation_with_config_request=request).id
        return made

    def _communication(self, text: str) -> str:
        request = CommunicationList.CreateCommunicationInConversationRequest(communication_body(text))
        communications = self.v2.communications(self.conversation_id)
        made: str = communications.create(create_communication_in_conversation_request=request).id
        return made
