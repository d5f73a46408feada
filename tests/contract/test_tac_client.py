"""Every call of Twilio Agent Connect's client: its models take every answer."""

import asyncio
import inspect
from typing import Any

import httpx
import pytest
from tac.context.conversation import ConversationClient
from tac.models.conversation import (
    ActionParticipantRef,
    ActionTextContent,
    CommunicationContent,
    CommunicationParticipant,
    CommunicationRequest,
    ParticipantAddress,
    ParticipantRequest,
    ParticipantResponse,
    SendMessageActionPayload,
    SendMessageActionRequest,
)
from twilio.rest import Client

from orchestrator.accounts.service import Account
from orchestrator.kernel.ids import new_sid
from tests.support.factories import OUR_NUMBER
from tests.support.sdk import create_configuration
from tests.support.server import post_webhook
from tests.support.tac import redirect
from tests.support.traffic import KIRAN

COLLEAGUE = "+16505550142"
CALLBACKS = [{"url": "https://hooks.example.com/a", "method": "POST"}]


def address(value: str, channel: Any = "SMS") -> ParticipantAddress:
    return ParticipantAddress(channel=channel, address=value)


MEMBERS = [
    ParticipantRequest(type="CUSTOMER", addresses=[address(KIRAN)]),
    ParticipantRequest(type="AI_AGENT", addresses=[address(OUR_NUMBER)]),
]


@pytest.fixture
async def tac(client: Client, origin: str, account: Account, monkeypatch: pytest.MonkeyPatch) -> ConversationClient:
    redirect(monkeypatch, origin)
    configuration_id = await asyncio.to_thread(create_configuration, client, statusCallbacks=CALLBACKS)
    return ConversationClient(account.account_id, account.auth_token, configuration_id)


def test_no_call_is_left_out() -> None:
    calls = {name for name, _ in inspect.getmembers(ConversationClient, inspect.isfunction) if not name.startswith("_")}
    assert calls == {
        "get_configuration",
        "create_conversation",
        "create_or_reuse_conversation",
        "list_conversations",
        "update_conversation",
        "clear_status_callbacks",
        "list_participants",
        "add_participant",
        "update_participant",
        "create_communication",
        "list_communications",
        "create_action",
    }


async def test_the_configuration_can_be_read(tac: ConversationClient) -> None:
    found = await asyncio.to_thread(tac.get_configuration, tac.configuration_id)
    assert (found.id, found.display_name, found.version) == (tac.configuration_id, "Support", 1)
    assert found.channel_settings is not None
    timeouts = found.channel_settings["SMS"].status_timeouts
    assert timeouts is not None
    assert (timeouts.inactive, timeouts.closed) == (10, 60)
    assert [one.url for one in found.status_callbacks or []] == [CALLBACKS[0]["url"]]


async def test_a_conversation_is_created_listed_and_closed(tac: ConversationClient) -> None:
    created = await tac.create_conversation(name="Parcel", participants=MEMBERS)
    assert (created.status, created.name, created.configuration_id) == ("ACTIVE", "Parcel", tac.configuration_id)
    assert created.created_at is not None
    assert len(created.created_at) <= 30
    listed = await tac.list_conversations(status=["ACTIVE", "INACTIVE"], page_size=1)
    assert [one.id for one in listed] == [created.id]
    closed = await tac.update_conversation(created.id, "CLOSED", name="Parcel")
    assert (closed.id, closed.status, closed.name) == (created.id, "CLOSED", "Parcel")
    assert await tac.list_conversations(status=["ACTIVE", "INACTIVE"]) == []


async def test_the_conversation_in_the_way_is_used(tac: ConversationClient) -> None:
    conversation_id, reused = await tac.create_or_reuse_conversation(MEMBERS)
    assert reused is False
    assert await tac.create_or_reuse_conversation(MEMBERS) == (conversation_id, True)
    with pytest.raises(httpx.HTTPStatusError) as conflict:
        await tac.create_conversation(participants=MEMBERS)
    assert conflict.value.response.status_code == 409


async def test_callbacks_are_cleared(tac: ConversationClient, client: Client) -> None:
    conversation_id, _ = await tac.create_or_reuse_conversation(MEMBERS)
    await tac.clear_status_callbacks(conversation_id)
    found = await asyncio.to_thread(client.conversations.v2.conversations(conversation_id).fetch)
    assert found.configuration["statusCallbacks"] == []


def joined(participants: list[ParticipantResponse]) -> list[tuple[str, str | None, list[str]]]:
    return [(one.name, one.type, [each.address for each in one.addresses]) for one in participants]


async def test_participants_are_listed_added_and_replaced(tac: ConversationClient) -> None:
    conversation_id, _ = await tac.create_or_reuse_conversation(MEMBERS)
    customer, agent = await tac.list_participants(conversation_id)
    # The model has no place for a name that is null, and a list with one becomes an empty list.
    assert joined([customer, agent]) == [(KIRAN, "CUSTOMER", [KIRAN]), (OUR_NUMBER, "AI_AGENT", [OUR_NUMBER])]
    added = await tac.add_participant(conversation_id, [address(COLLEAGUE)], "UNKNOWN")
    assert joined([added]) == [(COLLEAGUE, "UNKNOWN", [COLLEAGUE])]
    replaced = await tac.update_participant(
        conversation_id, added.id, "HUMAN_AGENT", [address(COLLEAGUE)], name=added.name
    )
    assert (replaced.id, joined([replaced])) == (added.id, [(COLLEAGUE, "HUMAN_AGENT", [COLLEAGUE])])
    assert [one.id for one in await tac.list_participants(conversation_id)] == [customer.id, agent.id, added.id]
    with pytest.raises(httpx.HTTPStatusError) as taken:
        await tac.add_participant(conversation_id, [address(COLLEAGUE)], "AI_AGENT")
    assert taken.value.response.status_code == 409


async def test_communications_are_written_and_listed(tac: ConversationClient) -> None:
    conversation_id, _ = await tac.create_or_reuse_conversation(MEMBERS)
    customer, agent = await tac.list_participants(conversation_id)
    request = CommunicationRequest(
        author=CommunicationParticipant(address=KIRAN, channel="SMS", participant_id=customer.id),
        content=CommunicationContent(type="TEXT", text="my parcel?"),
        recipients=[CommunicationParticipant(address=OUR_NUMBER, channel="SMS", participant_id=agent.id)],
        channel_id="SM0123456789abcdef0123456789abcdef",
    )
    written = await tac.create_communication(conversation_id, request)
    assert (written.content.text, written.author.participant_id) == ("my parcel?", customer.id)
    assert [one.participant_id for one in written.recipients] == [agent.id]
    assert await tac.list_communications(conversation_id, channel_id=request.channel_id, page_size=1) == [written]
    assert await tac.list_communications(conversation_id, channel_id="CA0123456789abcdef0123456789abcdef") == []
    by_channel_id = await tac.list_conversations(channel_id=request.channel_id, status=["ACTIVE"])
    assert [one.id for one in by_channel_id] == [conversation_id]


async def test_an_action_is_accepted(tac: ConversationClient) -> None:
    conversation_id, _ = await tac.create_or_reuse_conversation(MEMBERS)
    customer, agent = await tac.list_participants(conversation_id)
    payload = SendMessageActionPayload(
        from_=ActionParticipantRef(participant_id=agent.id, channel="SMS"),
        to=[ActionParticipantRef(participant_id=customer.id, channel="SMS")],
        content=ActionTextContent(text="on its way"),
    )
    action = await tac.create_action(conversation_id, SendMessageActionRequest(payload=payload))
    assert (action.type, action.status, action.conversation_id) == ("SEND_MESSAGE", "PENDING", conversation_id)


@pytest.mark.parametrize("spoken", [False, True])
async def test_a_relayed_call_has_exactly_one_conversation(
    tac: ConversationClient, origin: str, account: Account, spoken: bool
) -> None:
    """ConversationRelay's TwiML names the configuration; TAC then looks for the conversation by the call's SID."""
    call_sid = new_sid("CA")
    form = {"CallSid": call_sid, "From": KIRAN, "To": "+16505550177", "Direction": "inbound"}
    started = form | {"CallStatus": "in-progress", "ConversationConfiguration": tac.configuration_id}
    said = {
        "TranscriptionEvent": "transcription-content",
        "TranscriptionSid": new_sid("GT"),
        "TranscriptionData": '{"transcript": "hello", "confidence": 0.9}',
        "SequenceId": "1",
        "Final": "true",
        "Track": "inbound_track",
    }
    for fields in [started, form | said] if spoken else [started]:
        answer = await asyncio.to_thread(post_webhook, origin, account, "/ingest/twilio/voice", fields)
        assert answer.status_code == 200, answer.text
    (conversation,) = await tac.list_conversations(channel_id=call_sid, status=["ACTIVE"])
    assert conversation.configuration_id == tac.configuration_id
    customer, agent = await tac.list_participants(conversation.id)
    assert (customer.type, [one.channel for one in customer.addresses]) == ("CUSTOMER", ["VOICE"])
    assert [(one.channel, one.address) for one in agent.addresses] == [("VOICE", "+16505550177")]
    assert agent.type in ("AGENT", "AI_AGENT")
