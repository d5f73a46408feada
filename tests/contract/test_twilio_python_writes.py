"""What users of the official Python SDK write: conversations, participants, messages, actions, idempotent changes."""

import asyncio
import uuid
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client
from twilio.rest.conversations.v2.action import ActionList
from twilio.rest.conversations.v2.communication import CommunicationList
from twilio.rest.conversations.v2.configuration import ConfigurationList
from twilio.rest.conversations.v2.conversation import ConversationList
from twilio.rest.conversations.v2.participant import ParticipantList

from orchestrator.accounts.service import Account
from orchestrator.kernel.ids import new_sid
from tests.support.factories import OUR_NUMBER, configuration_body
from tests.support.sdk import Resources, communication_body, conversation_body, message_body, owner
from tests.support.server import sdk_client
from tests.support.traffic import KIRAN

COLLEAGUE = "+16505550142"


@pytest.fixture
def resources(client: Client) -> Resources:
    return Resources(client)


def operation_id(answer: Any) -> str:
    return str(CaseInsensitiveDict(answer.headers)["Operation-Id"])


def create_conversation(client: Client, body: dict[str, Any]) -> Any:
    request = ConversationList.CreateConversationWithConfigRequest(body)
    return client.conversations.v2.conversations.create(create_conversation_with_config_request=request)


def write(client: Client, conversation_id: str, body: dict[str, Any]) -> Any:
    request = CommunicationList.CreateCommunicationInConversationRequest(body)
    communications = client.conversations.v2.communications(conversation_id)
    return communications.create(create_communication_in_conversation_request=request)


def test_a_conversation_begins_with_its_participants(client: Client, resources: Resources) -> None:
    body = conversation_body(resources.configurations[0], name="Parcel", metadata={"order": "4711"})
    created = create_conversation(client, body)
    assert (created.status, created.name, created.metadata) == ("ACTIVE", "Parcel", {"order": "4711"})
    assert [(one["type"], one["name"]) for one in created.participants] == [
        ("CUSTOMER", KIRAN),
        ("AGENT", OUR_NUMBER),
    ]
    again = client.conversations.v2.conversations(created.id).fetch()
    assert [one["id"] for one in again.participants] == [one["id"] for one in created.participants]


def test_a_second_conversation_of_the_same_pair_names_the_first(client: Client, resources: Resources) -> None:
    body = conversation_body(resources.configurations[0])
    first = create_conversation(client, body)
    with pytest.raises(TwilioRestException, match=first.id) as conflict:
        create_conversation(client, body)
    assert (conflict.value.status, conflict.value.code) == (409, 400)
    assert conflict.value.details["conflictingResourceId"] == first.id
    update = ConversationList.UpdateConversationByIdRequest({"status": "CLOSED"})
    client.conversations.v2.conversations(first.id).update(update_conversation_by_id_request=update)
    assert create_conversation(client, body).id != first.id


def test_a_conversation_can_bring_its_configuration(client: Client, resources: Resources) -> None:
    configuration = {
        "conversationGroupingType": "GROUP_BY_PARTICIPANT_ADDRESSES",
        "memoryStoreId": configuration_body()["memoryStoreId"],
        "channelSettings": {"SMS": {"statusTimeouts": {"inactive": 5, "closed": 10}}},
        "statusCallbacks": [{"url": "https://hooks.example.com/a", "method": "POST"}],
    }
    body = {**conversation_body(resources.configurations[0]), "configuration": configuration}
    del body["configurationId"]
    created = create_conversation(client, body)
    assert created.configuration_id is None
    assert created.configuration["channelSettings"]["SMS"]["statusTimeouts"] == {"inactive": 5, "closed": 10}
    assert created.configuration["statusCallbacks"] == configuration["statusCallbacks"]


def test_the_same_key_is_the_same_operation(client: Client, resources: Resources) -> None:
    configurations = client.conversations.v2.configurations
    key, body = str(uuid.uuid4()), configuration_body()

    def create(description: str) -> Any:
        request = ConfigurationList.CreateConfigurationRequest({**body, "description": description})
        return configurations.create_with_http_info(idempotency_key=key, create_configuration_request=request)

    first, second = create("one"), create("one")
    assert operation_id(first) == operation_id(second)
    assert first.data.related == second.data.related
    assert len(configurations.list()) == 1
    with pytest.raises(TwilioRestException) as other:
        create("two")
    assert other.value.status == 409


@pytest.mark.parametrize("verb", ["update", "patch"])
def test_the_same_key_changes_a_configuration_once(client: Client, resources: Resources, verb: str) -> None:
    configuration = client.conversations.v2.configurations(resources.configurations[0])
    kind = {
        "update": ConfigurationList.UpdateConfigurationRequest,
        "patch": ConfigurationList.PatchConfigurationRequest,
    }[verb]
    change = {f"{verb}_configuration_request": kind(configuration_body(description="Another"))}
    key = str(uuid.uuid4())
    answers = [getattr(configuration, f"{verb}_with_http_info")(idempotency_key=key, **change) for _ in range(2)]
    assert len({operation_id(one) for one in answers}) == 1
    assert configuration.fetch().version == 2


def test_a_key_that_is_no_uuid_is_refused(client: Client, resources: Resources) -> None:
    patch = ConfigurationList.PatchConfigurationRequest({"description": "Another"})
    configuration = client.conversations.v2.configurations(resources.configurations[0])
    with pytest.raises(TwilioRestException) as refused:
        configuration.patch(idempotency_key="twice", patch_configuration_request=patch)
    assert (refused.value.status, refused.value.code) == (400, 20001)


def test_a_colleague_joins_and_an_address_cannot_join_twice(client: Client, resources: Resources) -> None:
    participants, members = client.conversations.v2.participants(resources.conversation_id), resources.participants
    request = ParticipantList.CreateParticipantInConversationRequest({"name": "Ada", **owner(COLLEAGUE, "HUMAN_AGENT")})
    joined = participants.create(create_participant_in_conversation_request=request)
    assert (joined.name, joined.type, joined.profile_id) == ("Ada", "HUMAN_AGENT", None)
    assert [one.id for one in participants.list()] == [*members, joined.id]
    with pytest.raises(TwilioRestException) as taken:
        participants.create(create_participant_in_conversation_request=request)
    assert taken.value.status == 409
    renamed = ParticipantList.UpdateParticipantInConversationRequest({"name": "Ada L.", **owner(COLLEAGUE, "AI_AGENT")})
    replaced = participants(joined.id).update(update_participant_in_conversation_request=renamed)
    assert (replaced.id, replaced.name, replaced.type) == (joined.id, "Ada L.", "AI_AGENT")


def test_a_message_with_a_known_resource_id_is_updated(client: Client, resources: Resources) -> None:
    sid = new_sid("SM")
    conversation_id = resources.conversation_id
    first = write(client, conversation_id, communication_body("helo", resourceId=sid, channelId=sid))
    second = write(client, conversation_id, communication_body("hello", resourceId=sid, channelId=sid))
    communications = client.conversations.v2.communications(conversation_id)
    assert second.id == first.id
    assert [one.content["text"] for one in communications.list()] == ["hello"]
    assert [one.id for one in communications.list(channel_id=sid)] == [first.id]


def test_what_was_said_earlier_is_listed_earlier(client: Client, resources: Resources) -> None:
    conversation_id = resources.conversation_id
    write(client, conversation_id, communication_body("now"))
    write(client, conversation_id, communication_body("then", occurredAt="2026-01-02T03:04:05Z"))
    found = client.conversations.v2.communications(conversation_id).list()
    assert [one.content["text"] for one in found] == ["then", "now"]
    assert found[0].occurred_at.isoformat() == "2026-01-02T03:04:05+00:00"


def test_a_closed_conversation_takes_no_message(client: Client, resources: Resources) -> None:
    update = ConversationList.UpdateConversationByIdRequest({"status": "CLOSED"})
    conversation_id = resources.conversation_id
    client.conversations.v2.conversations(conversation_id).update(update_conversation_by_id_request=update)
    with pytest.raises(TwilioRestException) as refused:
        write(client, conversation_id, communication_body("late"))
    assert (refused.value.status, refused.value.code) == (400, 20001)


async def test_an_action_sends_a_message(account: Account, delivering: str) -> None:
    with sdk_client(delivering, account.account_id, account.auth_token) as client:
        resources = Resources(client)
        customer, agent = await asyncio.to_thread(lambda: resources.participants)
        conversation_id = resources.conversation_id
        body = message_body("on its way", {"participantId": agent}, {"participantId": customer, "channel": "SMS"})
        request = ActionList.CreateConversationActionRequest(body)
        actions = client.conversations.v2.actions(conversation_id)
        created = await asyncio.to_thread(actions.create, create_conversation_action_request=request)
        assert (created.type, created.status, created.conversation_id) == ("SEND_MESSAGE", "PENDING", conversation_id)
        done = created
        async with asyncio.timeout(10):
            while done.status == "PENDING":
                done = await asyncio.to_thread(actions(created.id).fetch)
        assert (done.status, done.failure_reason) == ("COMPLETED", None)
        communications = client.conversations.v2.communications(conversation_id)
        sent = await asyncio.to_thread(communications(done.related["communicationId"]).fetch)
    assert sent.content["text"] == "on its way"
    assert (sent.author["participantId"], sent.recipients[0]["participantId"]) == (agent, customer)
    assert sent.resource_id == done.related["messageSid"]
