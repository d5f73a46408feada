"""Sending a message: the action from its 202 to the communication, with nobody outside who sends."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from prometheus_client import REGISTRY

from orchestrator.kernel.ids import new_sid
from tests.support import traffic
from tests.support.app import Service, running_service
from tests.support.clock import stop_clock
from tests.support.delivery import deliver, forget_deliveries
from tests.support.factories import make_configuration
from tests.support.performing import (
    SMS_OF_KIRAN,
    SMS_OF_US,
    asked,
    between_kiran_and_us,
    claim,
    forget_actions,
    make_conversation,
    now,
    perform,
    performer,
    sending,
    with_kiran,
)
from tests.support.receiver import receiver
from tests.support.traffic import BY_ADDRESSES, KIRAN, OTHER_PHONE, US

TEMPLATE = "HX0123456789abcdef0123456789abcdef"
PICTURE = "https://example.com/parcel.jpg"


@pytest.fixture(autouse=True)
async def nothing_left(service: Service) -> None:
    await forget_actions(service)


def performed(outcome: str) -> float:
    """The metric of actions."""
    return REGISTRY.get_sample_value("orchestrator_actions_total", {"outcome": outcome}) or 0.0


async def said(service: Service, conversation: dict[str, Any]) -> dict[str, Any]:
    """The one communication of a conversation."""
    (communication,) = await traffic.communications(service, conversation)
    return communication


async def test_an_action_is_accepted_and_then_completed(service: Service) -> None:
    clock = stop_clock(service)
    conversation = await between_kiran_and_us(service)
    action = await asked(service, conversation)
    assert action == {
        "id": action["id"],
        "type": "SEND_MESSAGE",
        "status": "PENDING",
        "conversationId": conversation["id"],
        "related": {"messageSid": action["related"]["messageSid"]},
        "createdAt": clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "updatedAt": action["createdAt"],
        "completedAt": None,
        "failureReason": None,
    }
    assert action["id"].startswith("conv_action_")
    assert action["related"]["messageSid"].startswith("SM")
    assert await now(service, action) == action
    assert await traffic.communications(service, conversation) == []
    clock.advance(seconds=3)
    before = performed("completed")
    assert await perform(service) == 1
    communication = await said(service, conversation)
    later = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    assert await now(service, action) == {
        **action,
        "status": "COMPLETED",
        "related": {**action["related"], "communicationId": communication["id"]},
        "updatedAt": later,
        "completedAt": later,
    }
    assert performed("completed") == before + 1
    assert await perform(service) == 0


async def test_what_was_sent_is_a_communication_of_the_two(service: Service) -> None:
    conversation = await between_kiran_and_us(service)
    agent, customer = conversation["participants"]
    action = await asked(service, conversation)
    await perform(service)
    communication = await said(service, conversation)
    sid = action["related"]["messageSid"]
    assert (communication["resourceId"], communication["channelId"]) == (sid, sid)
    assert communication["content"] == {"type": "TEXT", "text": "your parcel has left"}
    assert communication["author"] == {**SMS_OF_US, "participantId": agent["id"]}
    assert communication["recipients"] == [
        {**SMS_OF_KIRAN, "participantId": customer["id"], "deliveryStatus": "DELIVERED"}
    ]
    assert (await traffic.only_conversation(service))["participants"] == conversation["participants"]


async def test_callbacks_tell_of_the_message_and_then_of_its_delivery(service: Service) -> None:
    await forget_deliveries(service)
    async with receiver() as hook:
        conversation = await between_kiran_and_us(service, statusCallbacks=[hook.callback()])
        await deliver(service)
        before = len(hook.received)
        await asked(service, conversation)
        await perform(service)
        await deliver(service)
        created, updated = hook.received[before:]
    assert (created.type, updated.type) == ("COMMUNICATION_CREATED", "COMMUNICATION_UPDATED")
    assert updated.sequence == created.sequence + 1
    assert created.event["data"]["recipients"][0]["deliveryStatus"] == "IN_PROGRESS"
    assert updated.event["data"] == await said(service, conversation)


async def test_a_customer_is_answered_in_the_conversation_that_traffic_opened(service: Service) -> None:
    await make_configuration(service)
    await traffic.message(service, f"whatsapp:{KIRAN}", f"whatsapp:{US}", "where is it?")
    conversation = await traffic.only_conversation(service)
    customer, agent = conversation["participants"]
    by_participants: dict[str, Any] = {
        "from_": {"participantId": agent["id"], "channel": "WHATSAPP"},
        "to": [{"participantId": customer["id"], "channel": "WHATSAPP"}],
    }
    await asked(service, conversation, sending(**by_participants))
    await perform(service)
    question, answer = await traffic.communications(service, conversation)
    assert {name: answer["author"][name] for name in question["author"]} == {
        name: question["recipients"][0][name] for name in question["author"]
    }
    assert answer["recipients"][0]["address"] == f"whatsapp:{KIRAN}"


async def test_a_sender_who_takes_no_part_yet_joins_as_an_agent(service: Service) -> None:
    conversation = await with_kiran(service)
    await asked(service, conversation)
    await perform(service)
    conversation = await traffic.only_conversation(service)
    assert traffic.roles(conversation) == {US: "AGENT", KIRAN: "CUSTOMER"}
    assert await traffic.event_types(service, conversation) == [
        "CONVERSATION_CREATED",
        "PARTICIPANT_ADDED",
        "PARTICIPANT_ADDED",
        "COMMUNICATION_CREATED",
        "COMMUNICATION_UPDATED",
    ]


async def test_several_recipients_get_one_message(service: Service) -> None:
    other = {"channel": "SMS", "address": OTHER_PHONE}
    customers = ({"type": "CUSTOMER", "addresses": [address]} for address in (SMS_OF_KIRAN, other))
    conversation = await make_conversation(service, *customers)
    await asked(service, conversation, sending(to=[SMS_OF_KIRAN, other]))
    await perform(service)
    communication = await said(service, conversation)
    assert [(one["address"], one["deliveryStatus"]) for one in communication["recipients"]] == [
        (KIRAN, "DELIVERED"),
        (OTHER_PHONE, "DELIVERED"),
    ]


async def test_media_alone_leave_no_communication(service: Service) -> None:
    conversation = await between_kiran_and_us(service)
    before = await traffic.event_types(service)
    action = await asked(service, conversation, sending(content={"mediaUrls": [PICTURE], "text": "  "}))
    await perform(service)
    completed = await now(service, action)
    assert (completed["status"], completed["related"]) == ("COMPLETED", action["related"])
    assert await traffic.communications(service, conversation) == []
    assert await traffic.event_types(service) == before


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"contentId": TEMPLATE}, f"Template {TEMPLATE}"),
        (
            {"contentId": TEMPLATE, "variables": {"name": "Kiran", "order": "4711"}, "mediaUrls": [PICTURE]},
            f"Template {TEMPLATE} (name: Kiran, order: 4711)",
        ),
        ({"contentId": TEMPLATE, "text": "it left"}, "it left"),
        ({"text": " two\nlines ", "mediaUrls": [PICTURE]}, " two\nlines "),
    ],
)
async def test_a_template_is_shown_by_its_name_and_variables(
    service: Service, content: dict[str, Any], text: str
) -> None:
    conversation = await between_kiran_and_us(service)
    await asked(service, conversation, sending(content=content))
    await perform(service)
    assert (await said(service, conversation))["content"] == {"type": "TEXT", "text": text}


async def test_a_chat_message_belongs_to_its_chat(service: Service) -> None:
    kiran = {"channel": "CHAT", "address": "Kiran"}
    conversation = await with_kiran(service, kiran)
    chat = new_sid("CH")
    payload = sending(
        from_={"channel": "CHAT", "address": "agent-1"},
        to=[kiran],
        channelSettings={"channelId": chat, "Attributes": {"colour": "blue"}},
    )
    action = await asked(service, conversation, payload)
    await perform(service)
    communication = await said(service, conversation)
    assert (communication["channelId"], communication["resourceId"]) == (chat, action["related"]["messageSid"])


async def test_the_channel_id_of_another_channel_is_not_the_messages(service: Service) -> None:
    """Clients hand on the `channelId` of the message that they answer; an SMS is its own thread."""
    conversation = await between_kiran_and_us(service)
    action = await asked(service, conversation, sending(channelSettings={"channelId": new_sid("SM")}))
    await perform(service)
    assert (await said(service, conversation))["channelId"] == action["related"]["messageSid"]


async def test_only_the_captured_message_wakes_an_inactive_conversation(service: Service) -> None:
    clock = stop_clock(service)
    conversation = await between_kiran_and_us(service)
    await traffic.change(service, conversation, status="INACTIVE")
    clock.advance(minutes=30)
    await asked(service, conversation)
    assert (await traffic.only_conversation(service))["status"] == "INACTIVE"
    await perform(service)
    assert (await traffic.only_conversation(service))["status"] == "ACTIVE"
    assert (await traffic.event_types(service, conversation))[-3:] == [
        "CONVERSATION_UPDATED",
        "COMMUNICATION_CREATED",
        "COMMUNICATION_UPDATED",
    ]
    clock.advance(minutes=59)  # it would have ended by now
    await asked(service, conversation)


async def test_messages_of_a_conversation_go_out_in_the_order_in_which_they_were_asked_for(service: Service) -> None:
    conversation = await between_kiran_and_us(service)
    wanted = [f"part {number}" for number in range(5)]
    for text in wanted:
        await asked(service, conversation, sending(text))
    first = await claim(service)
    assert await performer(service).claim(10) == []
    await performer(service).perform(first)
    assert await perform(service) == 4
    assert [one["content"]["text"] for one in await traffic.communications(service, conversation)] == wanted


async def test_conversations_do_not_wait_for_each_other(service: Service) -> None:
    first = await between_kiran_and_us(service, conversationGroupingType=BY_ADDRESSES)
    second = await with_kiran(service)
    await asked(service, first)
    await asked(service, second)
    assert len(await performer(service).claim(10)) == 2


async def test_a_participant_who_got_another_address_meanwhile_is_not_written_to(service: Service) -> None:
    """Whom the message was for is not reached there any more; nor is it sent elsewhere."""
    conversation = await between_kiran_and_us(service)
    customer = traffic.member(conversation, KIRAN)
    to = {"participantId": customer["id"], "channel": "SMS"}
    action = await asked(service, conversation, sending(to=[to]))
    moved = {"type": "CUSTOMER", "addresses": [{"channel": "SMS", "address": OTHER_PHONE}]}
    put = f"/v2/Conversations/{conversation['id']}/Participants/{customer['id']}"
    response = await service.api.put(put, json=moved)
    assert response.status_code == 200, response.text
    assert await perform(service) == 1
    failed = await now(service, action)
    assert failed["status"] == "FAILED"
    assert failed["failureReason"] == f"nobody in the conversation has the address {KIRAN} on SMS any more"
    assert await traffic.communications(service, conversation) == []


@pytest.fixture
async def working(database_url: str) -> AsyncIterator[Service]:
    """A service whose worker runs, and looks only when it is woken."""
    async with running_service(database_url, worker=True, perform_interval=3_600.0) as running:
        yield running


async def test_the_worker_performs_at_once(working: Service) -> None:
    conversation = await between_kiran_and_us(working)
    actions = [await asked(working, conversation, sending(f"part {number}")) for number in range(3)]
    async with asyncio.timeout(10):
        for action in actions:
            while (await now(working, action))["status"] == "PENDING":
                pass  # the look over HTTP is the pause
    assert await traffic.texts(working) == [["part 0", "part 1", "part 2"]]
