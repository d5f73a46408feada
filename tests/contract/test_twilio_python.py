"""The official Python SDK, unmodified but for the origin of its requests: configurations and conversations."""

import asyncio
import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client
from twilio.rest.conversations.v2.configuration import ConfigurationList
from twilio.rest.conversations.v2.conversation import ConversationList

from orchestrator.accounts import service as accounts
from orchestrator.accounts.service import Account
from orchestrator.kernel.ids import new_sid
from tests.support.app import Service
from tests.support.factories import OUR_NUMBER, configuration_body
from tests.support.receiver import receiver
from tests.support.sdk import create_configuration
from tests.support.server import post_webhook, sdk_client
from tests.support.traffic import KIRAN

UNKNOWN = "conv_configuration_01kgh3k1w8fmkrxj2c5a9d7e6b"


def say(origin: str, account: Account, text: str, sender: str = KIRAN) -> str:
    """A message arrives; its SID."""
    sid = new_sid("SM")
    form = {"MessageSid": sid, "From": sender, "To": OUR_NUMBER, "Body": text, "SmsStatus": "received"}
    assert post_webhook(origin, account, "/ingest/twilio/messages", form).status_code == 200
    return sid


def call(origin: str, account: Account, text: str) -> str:
    """A call with one fragment; its SID."""
    sid = new_sid("CA")
    ends = {"CallSid": sid, "From": KIRAN, "To": OUR_NUMBER, "Direction": "inbound", "CallStatus": "in-progress"}
    spoken = {
        "CallSid": sid,
        "TranscriptionEvent": "transcription-content",
        "TranscriptionSid": new_sid("GT"),
        "TranscriptionData": json.dumps({"transcript": text, "confidence": 0.9}),
        "Track": "inbound_track",
        "SequenceId": "1",
        "Final": "true",
    }
    for form in (ends, spoken):
        assert post_webhook(origin, account, "/ingest/twilio/voice", form).status_code == 200
    return sid


def test_a_configuration_is_created_and_fetched(client: Client) -> None:
    body = configuration_body(statusCallbacks=[{"url": "https://hooks.example.com/a", "method": "GET"}])
    configuration_id = create_configuration(client, **body)
    found = client.conversations.v2.configurations(configuration_id).fetch()
    assert (found.id, found.version) == (configuration_id, 1)
    assert (found.display_name, found.description) == (body["displayName"], body["description"])
    assert found.conversation_grouping_type == body["conversationGroupingType"]
    assert found.memory_store_id == body["memoryStoreId"]
    assert found.channel_settings["SMS"]["statusTimeouts"] == {"inactive": 10, "closed": 60}
    assert [one["to"] for one in found.channel_settings["SMS"]["captureRules"]] == ["*", OUR_NUMBER]
    assert found.status_callbacks == body["statusCallbacks"]
    for moment in (found.created_at, found.updated_at):
        assert isinstance(moment, datetime)
        assert abs((datetime.now(UTC) - moment).total_seconds()) < 60


def test_configurations_are_listed_page_by_page(client: Client) -> None:
    made = [create_configuration(client, displayName=f"Number {number}") for number in range(3)]
    client.http_client.requested.clear()
    found = client.conversations.v2.configurations.list(page_size=1)
    assert [one.id for one in found] == made[::-1]
    assert client.http_client.requested == ["GET /v2/ControlPlane/Configurations"] * 3
    assert [one.id for one in client.conversations.v2.configurations.list(limit=2)] == made[:0:-1]
    assert [one.id for one in client.conversations.v2.configurations.stream()] == made[::-1]


def test_a_configuration_is_replaced_and_deleted(client: Client) -> None:
    configuration_id = create_configuration(client)
    request = ConfigurationList.UpdateConfigurationRequest(configuration_body(description="Another"))
    answer = client.conversations.v2.configurations(configuration_id).update(
        idempotency_key=str(uuid.uuid4()), update_configuration_request=request
    )
    assert answer.related == {"configurationId": configuration_id}
    found = client.conversations.v2.configurations(configuration_id).fetch()
    assert (found.description, found.version) == ("Another", 2)
    deletion: Any = client.conversations.v2.configurations(configuration_id).delete()  # the SDK returns the 202's body
    operation = client.conversations.v2.operations(deletion["statusUrl"].rpartition("/")[2]).fetch()
    assert (operation.status, operation.related) == ("COMPLETED", {"configurationId": configuration_id})
    with pytest.raises(TwilioRestException) as gone:
        client.conversations.v2.configurations(configuration_id).fetch()
    assert gone.value.status == 404


def test_conversations_are_listed_and_fetched(client: Client, origin: str, account: Account) -> None:
    configuration_id = create_configuration(client)
    senders = [f"+1555000{number:04d}" for number in range(3)]
    sids = [say(origin, account, "hello", sender) for sender in senders]
    v2 = client.conversations.v2
    listed = v2.conversations.list(page_size=1)
    assert len(listed) == 3
    assert {one.configuration_id for one in listed} == {configuration_id}
    assert [one.id for one in v2.conversations.list(channel_id=sids[0])] == [listed[-1].id]
    assert v2.conversations.list(status=["INACTIVE", "CLOSED"]) == []
    assert len(v2.conversations.list(status=["ACTIVE"], page_size=2)) == 3
    found = v2.conversations(listed[0].id).fetch()
    assert (found.id, found.account_id, found.status) == (listed[0].id, account.account_id, "ACTIVE")
    assert found.configuration["displayName"] == "Support"
    assert [one["type"] for one in found.participants] == ["CUSTOMER", "AGENT"]
    assert isinstance(found.created_at, datetime)


def test_participants_and_communications_are_listed_and_fetched(client: Client, origin: str, account: Account) -> None:
    create_configuration(client)
    message_sid = say(origin, account, "my parcel?")
    call_sid = call(origin, account, "it is about my parcel")
    v2 = client.conversations.v2
    (conversation,) = v2.conversations.list()
    customer, agent = v2.participants(conversation.id).list(page_size=1)
    assert (customer.type, customer.name, agent.type, agent.name) == ("CUSTOMER", KIRAN, "AGENT", OUR_NUMBER)
    assert customer.profile_id.startswith("mem_profile_")
    again = v2.participants(conversation.id, customer.id).fetch()
    assert again.addresses == [
        {"channel": "SMS", "address": KIRAN, "channelId": None},
        {"channel": "VOICE", "address": KIRAN, "channelId": None},
    ]
    written, spoken = v2.communications(conversation.id).list(page_size=1)
    assert (written.resource_id, written.content) == (message_sid, {"type": "TEXT", "text": "my parcel?"})
    assert (spoken.channel_id, spoken.content["type"]) == (call_sid, "TRANSCRIPTION")
    assert spoken.author["participantId"] == customer.id
    assert [one.id for one in v2.communications(conversation.id).list(channel_id=call_sid)] == [spoken.id]
    fetched = v2.communications(conversation.id, written.id).fetch()
    assert fetched.recipients[0]["deliveryStatus"] == "DELIVERED"
    assert isinstance(fetched.occurred_at, datetime)


def test_a_conversation_is_renamed_and_closed(client: Client, origin: str, account: Account) -> None:
    create_configuration(client)
    say(origin, account, "hello")
    v2 = client.conversations.v2
    (conversation,) = v2.conversations.list()
    patch = ConversationList.PatchConversationByIdRequest({"name": "Parcel 4711"})
    renamed = v2.conversations(conversation.id).patch(patch_conversation_by_id_request=patch)
    assert (renamed.name, renamed.status) == ("Parcel 4711", "ACTIVE")
    update = ConversationList.UpdateConversationByIdRequest({"status": "CLOSED", "name": "Parcel 4711"})
    closed = v2.conversations(conversation.id).update(update_conversation_by_id_request=update)
    assert (closed.id, closed.status) == (conversation.id, "CLOSED")
    reopening = ConversationList.UpdateConversationByIdRequest({"status": "ACTIVE"})
    with pytest.raises(TwilioRestException) as refused:
        v2.conversations(conversation.id).update(update_conversation_by_id_request=reopening)
    assert (refused.value.status, refused.value.code) == (400, 20001)
    assert conversation.id in refused.value.msg


def test_errors_are_the_exceptions_that_users_catch(client: Client, origin: str, account: Account) -> None:
    v2 = client.conversations.v2
    with pytest.raises(TwilioRestException) as unknown:
        v2.configurations(UNKNOWN).fetch()
    assert (unknown.value.status, unknown.value.code, unknown.value.method) == (404, 20404, "GET")
    assert UNKNOWN in unknown.value.msg
    wrong = ConfigurationList.CreateConfigurationRequest(configuration_body(displayName="a" * 33))
    with pytest.raises(TwilioRestException) as invalid:
        v2.configurations.create(create_configuration_request=wrong)
    assert (invalid.value.status, invalid.value.code) == (400, 20001)
    assert [one["pointer"] for one in invalid.value.details["errors"]] == ["/displayName"]
    configuration_id = create_configuration(client)
    say(origin, account, "hello")
    (conversation,) = v2.conversations.list()
    with pytest.raises(TwilioRestException) as conflict:
        v2.configurations(configuration_id).delete()
    assert (conflict.value.status, conflict.value.code) == (409, 20409)
    assert conflict.value.details["conflictingResourceId"] == conversation.id
    with pytest.raises(TwilioException, match="Unable to fetch page"):
        v2.conversations.list(status=["OPEN"])


def test_wrong_credentials(origin: str, account: Account) -> None:
    with sdk_client(origin, account.account_id, "0" * 32) as client:
        with pytest.raises(TwilioRestException) as refused:
            client.conversations.v2.configurations(UNKNOWN).fetch()
        assert (refused.value.status, refused.value.code) == (401, 20003)


async def test_an_api_key_does_what_the_auth_token_does(service: Service, origin: str) -> None:
    async with service.units.begin() as unit:
        key = await accounts.create_key(unit, service.account.account_id, name="sdk")
    assert key.secret is not None
    with sdk_client(origin, key.sid, key.secret, service.account.account_id) as client:
        configuration_id = await asyncio.to_thread(create_configuration, client)
    async with service.units.begin() as unit:
        await accounts.delete_key(unit, service.account.account_id, key.sid)
    found = await service.api.get(f"/v2/ControlPlane/Configurations/{configuration_id}")
    assert found.status_code == 200


async def test_callbacks_pass_the_official_validator(service: Service, delivering: str) -> None:
    account = service.account
    async with receiver() as hook:
        with sdk_client(delivering, account.account_id, account.auth_token) as client:
            callbacks = [hook.callback("/post?tenant=1"), hook.callback("/get", "GET")]
            await asyncio.to_thread(create_configuration, client, statusCallbacks=callbacks)
            await asyncio.to_thread(say, delivering, account, "hello")
            await hook.until(8)
    assert hook.types("/post") == hook.types("/get")
    assert hook.types("/post") == [
        "CONVERSATION_CREATED",
        "PARTICIPANT_ADDED",
        "PARTICIPANT_ADDED",
        "COMMUNICATION_CREATED",
    ]
    assert all(one.is_signed_by(account.auth_token) for one in hook.received)
