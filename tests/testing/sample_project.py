"""Tests of an application, as its developers write them; `test_plugin.py` runs this file in a pytest of its own."""

import asyncio

import pytest
import twilio.rest
from twilio.http.async_http_client import AsyncTwilioHttpClient

from orchestrator.testing import NotCalledBack, NotSent, Orchestrator

KIRAN = "+15551234567"


def test_a_message_lands_and_tells_why(orchestrator: Orchestrator) -> None:
    configuration_id = orchestrator.configure("GROUP_BY_PROFILE")
    first = orchestrator.receive_sms(KIRAN, orchestrator.number, "Where is my parcel?")
    second = orchestrator.receive_whatsapp(KIRAN, orchestrator.number, "Any news?")
    third = orchestrator.receive_rcs(KIRAN, orchestrator.number, "Hello?")
    assert [one.outcome for one in (first, second, third)] == ["NEW", "JOINED", "JOINED"]
    assert second.conversation_id == first.conversation_id
    assert first.trace["configurationId"] == configuration_id
    assert any("SMS" in sentence for sentence in first.why)
    said = orchestrator.communications(first.conversation_id)
    assert [one["content"]["text"] for one in said] == ["Where is my parcel?", "Any news?", "Hello?"]
    assert said[1]["id"] == second.communication_id
    assert orchestrator.conversation(first.conversation_id)["status"] == "ACTIVE"


def test_what_is_sent_again_is_the_same_message(orchestrator: Orchestrator) -> None:
    orchestrator.configure()
    one, again = (orchestrator.receive_sms(KIRAN, orchestrator.number, "hi", sid="SM" + "1" * 32) for _ in range(2))
    assert one.communication_id == again.communication_id


@pytest.mark.parametrize("number", [1, 2])
def test_each_test_has_an_account_of_its_own(orchestrator: Orchestrator, number: int) -> None:
    assert orchestrator.conversations() == []
    assert orchestrator.callbacks.all == []
    assert orchestrator.client.get("/v2/ControlPlane/Configurations").json()["configurations"] == []
    stores = orchestrator.client.get("/v1/ControlPlane/Stores").json()["stores"]
    assert len(stores) == 1
    assert orchestrator.memory_store_id in str(stores)
    orchestrator.configure()
    orchestrator.receive_sms(KIRAN, orchestrator.number, "hi")
    assert len(orchestrator.conversations()) == 1


def test_traffic_that_lands_twice_has_two_landings(orchestrator: Orchestrator) -> None:
    configurations = {orchestrator.configure(displayName=name) for name in ("one", "two")}
    received = orchestrator.receive_sms(KIRAN, orchestrator.number, "hi")
    assert {one.trace["configurationId"] for one in received.landings} == configurations
    with pytest.raises(LookupError, match="2 conversations"):
        _ = received.conversation_id


def test_time_passes_at_a_word(orchestrator: Orchestrator) -> None:
    orchestrator.configure()
    received = orchestrator.receive_sms(KIRAN, orchestrator.number, "hi")
    before = orchestrator.now()
    turned = orchestrator.advance("11m")
    assert [(one.before, one.after) for one in turned.transitions] == [("ACTIVE", "INACTIVE")]
    assert turned.is_settled
    assert (turned.now - before).total_seconds() >= 660
    assert orchestrator.callbacks.wait_for("CONVERSATION_UPDATED").data["status"] == "INACTIVE"
    orchestrator.advance_to_next_deadline()
    orchestrator.callbacks.wait_for("CONVERSATION_UPDATED", where=lambda one: one.data["status"] == "CLOSED")
    assert orchestrator.conversation(received.conversation_id)["status"] == "CLOSED"


def test_the_official_sdk_talks_to_the_instance(orchestrator: Orchestrator) -> None:
    orchestrator.configure()
    client = orchestrator.use_here(twilio.rest.Client(orchestrator.account_sid, orchestrator.auth_token))
    received = orchestrator.receive_sms(KIRAN, orchestrator.number, "hi")
    assert [one.id for one in client.conversations.v2.conversations.list()] == [received.conversation_id]
    with pytest.raises(NotSent, match=r"verify\.twilio\.com"):
        client.verify.v2.services.list()
    sent = client.messages.create(to=KIRAN, from_=orchestrator.number, body="hello")
    orchestrator.callbacks.wait_for("COMMUNICATION_CREATED", where=lambda one: one.data["resourceId"] == sent.sid)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # between the SDK and aiohttp
async def test_a_test_may_be_asynchronous(orchestrator: Orchestrator) -> None:
    await asyncio.to_thread(orchestrator.configure)
    received = await asyncio.to_thread(orchestrator.receive_sms, KIRAN, orchestrator.number, "hi")
    told = await asyncio.to_thread(orchestrator.callbacks.wait_for, "CONVERSATION_CREATED", received.conversation_id)
    assert told.sequence == 1
    async with AsyncTwilioHttpClient() as http_client:
        client = orchestrator.use_here(
            twilio.rest.Client(orchestrator.account_sid, orchestrator.auth_token, http_client=http_client)
        )
        found = await client.conversations.v2.conversations.list_async()
    assert [one.id for one in found] == [received.conversation_id]


def test_waiting_in_vain_tells_what_came(orchestrator: Orchestrator) -> None:
    orchestrator.configure()
    orchestrator.receive_sms(KIRAN, orchestrator.number, "hi")
    orchestrator.callbacks.wait_for("COMMUNICATION_CREATED")
    orchestrator.receive_sms(KIRAN, "+16505550100", "wrong number")
    orchestrator.client.get("/v2/Conversations/before")
    with pytest.raises(NotCalledBack) as error:
        orchestrator.callbacks.wait_for("PARTICIPANT_REMOVED", timeout=0.01)
    assert "no PARTICIPANT_REMOVED that fits came within 0.01 s" in str(error.value)
    assert "COMMUNICATION_CREATED of conv_conversation_" in str(error.value)
    assert "SMS from +15551234567 to +16505550100: Not captured" in str(error.value)


def test_that_fails(orchestrator: Orchestrator) -> None:
    orchestrator.callbacks.fail_with(410)
    orchestrator.configure()
    orchestrator.receive_sms(KIRAN, orchestrator.number, "hi")
    orchestrator.receive_sms(KIRAN, "+16505550100", "wrong number")
    orchestrator.client.get("/v2/Conversations/nothing")
    orchestrator.advance("1s")
    orchestrator.callbacks.wait_for("PARTICIPANT_REMOVED", timeout=0.1)


def test_that_fails_for_what_is_refused(orchestrator: Orchestrator) -> None:
    orchestrator.advance_to_next_deadline()


def test_that_fails_where_nothing_was_captured(orchestrator: Orchestrator) -> None:
    assert orchestrator.receive_sms(KIRAN, orchestrator.number, "hi").conversation_id
