"""Whom a message is from and to: how participants and addresses are named, and which address each of them is."""

from typing import Any

import pytest

from tests.support import traffic
from tests.support.app import Service
from tests.support.performing import (
    SMS_OF_KIRAN,
    SMS_OF_US,
    ask,
    asked,
    between_kiran_and_us,
    forget_actions,
    make_conversation,
    perform,
    resolved,
    sending,
)
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, OTHER_PHONE, US

OUR_OTHER = "+16505550200"
ON_SMS = {"channel": "SMS", "address": KIRAN}
OTHER_SMS = {"channel": "SMS", "address": OTHER_PHONE}
ON_WHATSAPP = {"channel": "WHATSAPP", "address": f"whatsapp:{KIRAN}"}
ON_VOICE = {"channel": "VOICE", "address": KIRAN}


@pytest.fixture(autouse=True)
async def nothing_left(service: Service) -> None:
    await forget_actions(service)


async def with_customer(service: Service, *addresses: dict[str, str]) -> tuple[dict[str, Any], str]:
    """A conversation of ours with a customer who has these addresses; it and the customer's id."""
    agent = {"type": "AGENT", "addresses": [SMS_OF_US, {"channel": "WHATSAPP", "address": f"whatsapp:{US}"}]}
    customer = {"type": "CUSTOMER", "addresses": list(addresses)}
    conversation = await make_conversation(service, agent, customer)
    (found,) = [one["id"] for one in conversation["participants"] if one["type"] == "CUSTOMER"]
    return conversation, found


async def recipient(service: Service, conversation: dict[str, Any], named: dict[str, Any], *, ours: str = "SMS") -> Any:
    """What a recipient so named is resolved to: channel, address and participant."""
    sender = SMS_OF_US if ours == "SMS" else {"channel": ours, "address": f"whatsapp:{US}"}
    action = await asked(service, conversation, sending(from_=sender, to=[named]))
    (found,) = (await resolved(service, action))["to"]
    return found["channel"], found["address"], found["participantId"]


async def test_a_participant_and_a_channel(service: Service) -> None:
    conversation, customer = await with_customer(service, ON_SMS, ON_WHATSAPP, ON_VOICE)
    sms, whatsapp = ({"participantId": customer, "channel": channel} for channel in ("SMS", "WHATSAPP"))
    assert await recipient(service, conversation, sms) == ("SMS", KIRAN, customer)
    found = await recipient(service, conversation, whatsapp, ours="WHATSAPP")
    assert found == ("WHATSAPP", f"whatsapp:{KIRAN}", customer)


async def test_a_participant_with_one_address_needs_no_channel(service: Service) -> None:
    conversation, customer = await with_customer(service, ON_WHATSAPP)
    found = await recipient(service, conversation, {"participantId": customer}, ours="WHATSAPP")
    assert found == ("WHATSAPP", f"whatsapp:{KIRAN}", customer)


async def test_an_address_and_its_channel(service: Service) -> None:
    """Whoever owns it, and on whatever channel that number is known; it is echoed as it was written."""
    conversation, _ = await with_customer(service, ON_WHATSAPP)
    written = {"channel": "SMS", "address": "tel:+1 (555) 123-4567"}
    assert await recipient(service, conversation, written) == ("SMS", "tel:+1 (555) 123-4567", None)


async def test_with_both_the_participant_counts_and_the_channel_tells(service: Service) -> None:
    conversation, customer = await with_customer(service, ON_SMS, ON_WHATSAPP)
    named = {"participantId": customer, "channel": "SMS", "address": "+15550009999"}
    assert await recipient(service, conversation, named) == ("SMS", KIRAN, customer)


async def test_with_both_the_address_tells_among_several_on_the_channel(service: Service) -> None:
    conversation, customer = await with_customer(service, ON_SMS, OTHER_SMS)
    named = {"participantId": customer, "channel": "SMS", "address": "+1 555 987 6543"}
    assert await recipient(service, conversation, named) == ("SMS", OTHER_PHONE, customer)


async def test_with_both_and_no_channel_the_address_tells_if_it_is_on_one(service: Service) -> None:
    conversation, customer = await with_customer(service, ON_SMS, OTHER_SMS, ON_VOICE)
    named = {"participantId": customer, "address": OTHER_PHONE}
    assert await recipient(service, conversation, named) == ("SMS", OTHER_PHONE, customer)
    ambiguous = sending(to=[{"participantId": customer, "address": KIRAN}])
    problem = refusal(await ask(service, conversation, ambiguous), 400, 20001)
    assert f"/payload/to/0: participant {customer} has several addresses, name a channel: " in problem["message"]
    assert {f"VOICE {KIRAN}", f"SMS {KIRAN}"} == set(problem["message"].rpartition(": ")[2].split(", "))


async def two_numbers_each(service: Service) -> dict[str, Any]:
    """A conversation of two who have two numbers each; Kiran has written from the first phone, to our first number."""
    agent = {"type": "AGENT", "addresses": [SMS_OF_US, {"channel": "SMS", "address": OUR_OTHER}]}
    customer = {"type": "CUSTOMER", "addresses": [ON_SMS, OTHER_SMS]}
    conversation = await make_conversation(service, agent, customer)
    await say(service, conversation, KIRAN, US)
    return conversation


async def test_a_reply_goes_to_the_number_that_wrote_and_from_the_one_that_was_written_to(service: Service) -> None:
    conversation = await two_numbers_each(service)
    customer, agent = (traffic.member(conversation, number)["id"] for number in (KIRAN, US))
    reply: dict[str, Any] = {
        "from_": {"participantId": agent, "channel": "SMS"},
        "to": [{"participantId": customer, "channel": "SMS"}],
    }

    async def ends() -> tuple[str, str]:
        message = await resolved(service, await asked(service, conversation, sending(**reply)))
        return message["from"]["address"], message["to"][0]["address"]

    assert await ends() == (US, KIRAN)
    await say(service, conversation, OTHER_PHONE, OUR_OTHER)
    assert await ends() == (OUR_OTHER, OTHER_PHONE)
    await say(service, conversation, US, OTHER_PHONE)
    assert await ends() == (US, OTHER_PHONE)


async def say(service: Service, conversation: dict[str, Any], author: str, to: str) -> None:
    """Something else is said by SMS."""
    body = {
        "author": {"channel": "SMS", "address": author},
        "recipients": [{"channel": "SMS", "address": to}],
        "content": {"type": "TEXT", "text": "more"},
    }
    response = await service.api.post(f"/v2/Conversations/{conversation['id']}/Communications", json=body)
    assert response.status_code == 201, response.text


async def test_what_was_said_on_another_channel_tells_nothing(service: Service) -> None:
    conversation, customer = await with_customer(service, ON_SMS, OTHER_SMS, ON_WHATSAPP)
    whatsapp: dict[str, Any] = {"from_": {"channel": "WHATSAPP", "address": f"whatsapp:{US}"}, "to": [ON_WHATSAPP]}
    await asked(service, conversation, sending(**whatsapp))
    await perform(service)
    to = [{"participantId": customer, "channel": "SMS"}]
    problem = refusal(await ask(service, conversation, sending(to=to)), 400, 20001)
    assert problem["params"]["field"] == "/payload/to/0"
    assert "name an address: " in problem["message"]
    assert f"SMS {KIRAN}" in problem["message"]
    assert f"SMS {OTHER_PHONE}" in problem["message"]


async def test_an_address_that_was_last_used_and_is_owned_no_more_is_not_used(service: Service) -> None:
    conversation = await two_numbers_each(service)
    customer = traffic.member(conversation, KIRAN)
    put = f"/v2/Conversations/{conversation['id']}/Participants/{customer['id']}"
    changed = {**customer, "addresses": [OTHER_SMS, {"channel": "SMS", "address": "+15550000003"}]}
    assert (await service.api.put(put, json=changed)).status_code == 200
    to = [{"participantId": customer["id"], "channel": "SMS"}]
    refusal(await ask(service, conversation, sending(to=to)), 400, 20001)


async def test_names_are_resolved_alike_for_the_sender(service: Service) -> None:
    conversation = await between_kiran_and_us(service)
    agent = traffic.member(conversation, US)["id"]
    named: list[dict[str, str]] = [
        {"participantId": agent},
        {"participantId": agent, "channel": "SMS"},
        {"participantId": agent, "address": US, "channel": "SMS"},
    ]
    for sender in named:
        message = await resolved(service, await asked(service, conversation, sending(from_=sender)))
        assert (message["from"]["address"], message["from"]["participantId"]) == (US, agent)
    message = await resolved(service, await asked(service, conversation, sending(from_=SMS_OF_US)))
    assert (message["from"]["address"], message["from"]["participantId"]) == (US, None)


async def test_unknown_names_beside_the_known_ones_are_ignored(service: Service) -> None:
    """As everywhere in requests, but for the content."""
    conversation = await between_kiran_and_us(service)
    to = [{**SMS_OF_KIRAN, "deliveryStatus": "READ"}]
    await asked(service, conversation, sending(to=to, metadata={}))
