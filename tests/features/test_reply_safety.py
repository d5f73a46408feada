"""A message reaches somebody of its conversation, and as a rule goes where the customer wrote last."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
    now,
    perform,
    resolved,
    sending,
    with_kiran,
)
from tests.support.refusals import refusal
from tests.support.traffic import BY_ADDRESSES, KIRAN, OTHER_PHONE, US

OTHER_SMS = {"channel": "SMS", "address": OTHER_PHONE}
WHATSAPP_OF_KIRAN = {"channel": "WHATSAPP", "address": f"whatsapp:{KIRAN}"}
KIM = {"channel": "CHAT", "address": "kim"}
WHATSAPP_OF_US = {"channel": "WHATSAPP", "address": f"whatsapp:{US}"}
ONE_PROFILE = "mem_profile_01kgh3k9v2c8xq5r7t1w4y6z0a"


@pytest.fixture(autouse=True)
async def nothing_left(service: Service) -> None:
    await forget_actions(service)


async def write(service: Service, conversation: dict[str, Any], author: dict[str, str], **more: Any) -> dict[str, Any]:
    """Something is said to us, or by us to Kiran's other phone."""
    to = {"channel": author["channel"], "address": US} if author["address"] != US else OTHER_SMS
    body = {"author": author, "recipients": [to], "content": {"type": "TEXT", "text": "and?"}, **more}
    response = await service.api.post(f"/v2/Conversations/{conversation['id']}/Communications", json=body)
    assert response.status_code == 201, response.text
    said: dict[str, Any] = response.json()
    return said


async def put(service: Service, conversation: dict[str, Any], participant: dict[str, Any], *owned: Any) -> None:
    """A participant has these addresses from now."""
    path = f"/v2/Conversations/{conversation['id']}/Participants/{participant['id']}"
    response = await service.api.put(path, json={**participant, "addresses": list(owned)})
    assert response.status_code == 200, response.text


async def refused(service: Service, conversation: dict[str, Any], payload: dict[str, Any]) -> dict[str, Any]:
    """The refusal of a message, of which nothing is left."""
    problem = refusal(await ask(service, conversation, payload), 400, 20001)
    assert await service.fetch("select from actions where conversation_id = $1", conversation["id"]) == []
    return problem


async def two_of_one_profile(service: Service, *profiles: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A conversation with two customers, as it is after their profiles became one."""
    members = [
        {"type": "CUSTOMER", "addresses": [address], "profileId": profile}
        for address, profile in zip((SMS_OF_KIRAN, OTHER_SMS), profiles, strict=True)
    ]
    agent = {"type": "AGENT", "addresses": [SMS_OF_US]}
    conversation = await make_conversation(service, agent, *members, conversationGroupingType=BY_ADDRESSES)
    return conversation, [traffic.member(conversation, number) for number in (KIRAN, OTHER_PHONE)]


async def test_an_address_of_nobody_in_the_conversation_is_refused(service: Service) -> None:
    conversation = await between_kiran_and_us(service)
    strange = sending(to=[OTHER_SMS], force=True)
    problem = await refused(service, conversation, strange)
    assert problem["params"] == {"field": "/payload/to/0", "value": OTHER_PHONE}
    assert f"nobody in conversation {conversation['id']} has the address {OTHER_PHONE} on SMS" in problem["message"]
    assert f"POST /v2/Conversations/{conversation['id']}/Participants " in problem["message"]
    assert f"PUT /v2/Conversations/{conversation['id']}/Participants/" in problem["message"]
    await put(service, conversation, traffic.member(conversation, KIRAN), SMS_OF_KIRAN, OTHER_SMS)
    await asked(service, conversation, strange)


async def test_a_number_is_one_phone_on_every_channel_of_numbers(service: Service) -> None:
    conversation = await with_kiran(service, SMS_OF_KIRAN)
    chat = sending(from_={"channel": "CHAT", "address": "agent"}, to=[{"channel": "CHAT", "address": KIRAN}])
    assert (await refused(service, conversation, chat))["params"]["field"] == "/payload/to/0"
    await asked(service, conversation, sending(from_=WHATSAPP_OF_US, to=[WHATSAPP_OF_KIRAN]))
    await perform(service)
    conversation = await traffic.only_conversation(service)
    owned = traffic.member(conversation, KIRAN)["addresses"]
    assert [(one["channel"], one["address"]) for one in owned] == [("SMS", KIRAN), ("WHATSAPP", f"whatsapp:{KIRAN}")]


async def test_a_participant_who_wrote_from_elsewhere_must_be_named_by_address_or_forced(service: Service) -> None:
    """Our own explicit message to the other phone changes which one is chosen, not where the customer wrote."""
    conversation = await with_kiran(service, SMS_OF_KIRAN, OTHER_SMS)
    customer = conversation["participants"][0]["id"]
    asks = await write(service, conversation, SMS_OF_KIRAN)
    await write(service, conversation, SMS_OF_US)  # to the other phone
    by_name = {"participantId": customer, "channel": "SMS"}
    problem = await refused(service, conversation, sending(to=[by_name]))
    assert problem["params"] == {"field": "/payload/to/0", "value": customer}
    assert f"reached at {OTHER_PHONE} on SMS, but this customer wrote last from {KIRAN} on SMS" in problem["message"]
    assert '"force": true' in problem["message"]
    assert problem["details"]["lastInbound"] == {
        **SMS_OF_KIRAN,
        "participantId": customer,
        "communicationId": asks["id"],
        "occurredAt": asks["occurredAt"],
    }
    assert problem["details"]["wouldReach"] == {**OTHER_SMS, "participantId": customer}
    elsewhere = {**by_name, "address": "+15550000009"}  # none of theirs: the participant counts, and nobody meant it
    await refused(service, conversation, sending(to=[elsewhere]))
    for payload, reached in (
        (sending(to=[{**by_name, "address": "+1 555 987 6543"}]), OTHER_PHONE),
        (sending(to=[OTHER_SMS]), OTHER_PHONE),
        (sending(to=[by_name], force=True), OTHER_PHONE),
        (sending(to=[SMS_OF_KIRAN], force=False), KIRAN),
    ):
        message = await resolved(service, await asked(service, conversation, payload))
        assert message["to"][0]["address"] == reached


async def test_words_count_by_when_they_were_said_and_from_which_number(service: Service) -> None:
    conversation = await with_kiran(service, SMS_OF_KIRAN, WHATSAPP_OF_KIRAN, OTHER_SMS)
    to = [{"participantId": conversation["participants"][0]["id"], "channel": "WHATSAPP"}]
    by_whatsapp = sending(from_=WHATSAPP_OF_US, to=to)
    await asked(service, conversation, by_whatsapp)  # nothing has been written yet
    await write(service, conversation, SMS_OF_KIRAN)
    await asked(service, conversation, by_whatsapp)  # the same number on another channel
    await write(service, conversation, OTHER_SMS, occurredAt="2020-01-01T00:00:00Z")
    await asked(service, conversation, by_whatsapp)  # said earlier
    await write(service, conversation, OTHER_SMS)
    refusal(await ask(service, conversation, by_whatsapp), 400, 20001)


async def test_two_participants_of_one_profile_are_one_customer(service: Service) -> None:
    conversation, (first, second) = await two_of_one_profile(service, ONE_PROFILE, ONE_PROFILE)
    await write(service, conversation, OTHER_SMS)
    problem = await refused(service, conversation, sending(to=[{"participantId": first["id"]}]))
    assert problem["details"]["lastInbound"]["participantId"] == second["id"]
    assert problem["details"]["wouldReach"] == {**SMS_OF_KIRAN, "participantId": first["id"]}
    both = sending(to=[{"participantId": one["id"]} for one in (second, first)])
    assert (await refused(service, conversation, both))["params"]["field"] == "/payload/to/1"
    await asked(service, conversation, sending(to=[{"participantId": second["id"]}]))


async def test_two_customers_of_two_profiles_are_not(service: Service) -> None:
    conversation, (first, _) = await two_of_one_profile(service, ONE_PROFILE, f"{ONE_PROFILE[:-1]}b")
    await write(service, conversation, OTHER_SMS)
    await asked(service, conversation, sending(to=[{"participantId": first["id"]}]))


async def test_whoever_is_unknown_writes_like_a_customer_and_our_side_does_not(service: Service) -> None:
    for of_type, is_refused in (("UNKNOWN", True), ("HUMAN_AGENT", False)):
        member = {"type": of_type, "addresses": [KIM, SMS_OF_KIRAN]}
        conversation = await make_conversation(service, member)
        await write(service, conversation, KIM, channelId="CH1")
        person = traffic.member(conversation, "kim")["id"]
        answer = await ask(service, conversation, sending(to=[{"participantId": person, "channel": "SMS"}]))
        assert (answer.status_code == 400) == is_refused, answer.text


async def test_messages_are_not_from_a_customer(service: Service) -> None:
    conversation = await between_kiran_and_us(service)
    customer = traffic.member(conversation, KIRAN)["id"]
    for sender in (SMS_OF_KIRAN, {"participantId": customer}, WHATSAPP_OF_KIRAN):
        problem = await refused(service, conversation, sending(from_=sender, to=[SMS_OF_US]))
        assert problem["params"]["field"] == "/payload/from"
        assert f"belongs to participant {customer}, a CUSTOMER" in problem["message"]


async def test_whoever_lost_the_address_meanwhile_gets_nothing(service: Service) -> None:
    """As when profiles are taken apart again. Who was named by the address is met there, whoever has it."""
    conversation, (first, second) = await two_of_one_profile(service, ONE_PROFILE, ONE_PROFILE)
    to_first = await asked(service, conversation, sending(to=[{"participantId": first["id"]}]))
    to_address = await asked(service, conversation, sending(to=[SMS_OF_KIRAN]))
    await put(service, conversation, first)
    await put(service, conversation, second, OTHER_SMS, SMS_OF_KIRAN)
    assert await perform(service) == 2
    failed = await now(service, to_first)
    assert (failed["status"], failed["related"]) == ("FAILED", {})
    assert failed["failureReason"] == f"participant {first['id']} no longer has the address {KIRAN} on SMS"
    assert (await now(service, to_address))["status"] == "COMPLETED"
    (communication,) = await traffic.communications(service, conversation)
    assert communication["recipients"][0]["participantId"] == second["id"]


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.booleans(),
    st.lists(st.tuples(st.sampled_from(["hears", "tells", "asks"]), st.integers(0, 1)), min_size=4, max_size=8),
)
async def test_what_is_accepted_reaches_who_wrote_last(
    service: Service, are_one: bool, happenings: list[tuple[str, int]]
) -> None:
    conversation, people = await two_of_one_profile(service, ONE_PROFILE, ONE_PROFILE[:-1] + ("a" if are_one else "b"))
    phones = (SMS_OF_KIRAN, OTHER_SMS)
    wrote: list[int] = []
    for what, who in happenings:
        if what == "hears":
            await write(service, conversation, phones[who])
            wrote.append(who)
        elif what == "tells":
            await asked(service, conversation, sending(to=[phones[who]]))
        else:
            theirs = [one for one in wrote if are_one or one == who]
            answer = await ask(service, conversation, sending(to=[{"participantId": people[who]["id"]}]))
            assert (answer.status_code == 202) == (not theirs or theirs[-1] == who), answer.text
    await traffic.change(service, conversation, status="CLOSED")
    gone = await service.api.delete(f"/v2/ControlPlane/Configurations/{conversation['configurationId']}")
    assert gone.status_code == 202, gone.text  # an account has ten at most
