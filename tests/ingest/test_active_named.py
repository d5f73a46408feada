"""Calls that name the very conversation where they belong."""

from tests.support import traffic
from tests.support.app import Service
from tests.support.calls import CALL, CONVERSATION, SILENT, addresses, create, poll, tell_call
from tests.support.factories import make_configuration
from tests.support.traffic import BY_ADDRESSES, KIRAN, US


async def test_a_call_is_found_in_the_conversation_that_it_names(service: Service) -> None:
    conversation = await create(service, await make_configuration(service, channelSettings=SILENT))
    await create(service, conversation["configurationId"])
    await tell_call(service, **{CONVERSATION: conversation["id"]})
    assert await poll(service) == [conversation["id"]]
    (found,) = [one for one in await traffic.conversations(service) if one["id"] == conversation["id"]]
    assert traffic.roles(found) == {KIRAN: "CUSTOMER", US: "AGENT"}
    assert await traffic.event_types(service, found) == ["CONVERSATION_CREATED", *["PARTICIPANT_ADDED"] * 2]


async def test_the_participants_that_a_caller_named_are_who_they_are(service: Service) -> None:
    people = [
        {"name": "Kiran", "type": "CUSTOMER", "addresses": [{"channel": "SMS", "address": KIRAN}]},
        {"name": "Bot", "type": "AI_AGENT", "addresses": [{"channel": "VOICE", "address": US}]},
    ]
    made = await create(service, await make_configuration(service), participants=people)
    await tell_call(service, **{CONVERSATION: made["id"]})
    conversation = await traffic.only_conversation(service)
    assert traffic.roles(conversation) == {"Kiran": "CUSTOMER", "Bot": "AI_AGENT"}
    assert addresses(traffic.member(conversation, KIRAN)) == {"SMS": None, "VOICE": CALL}
    assert addresses(traffic.member(conversation, US)) == {"VOICE": CALL}
    assert (await traffic.event_types(service))[3:] == ["PARTICIPANT_UPDATED"] * 2


async def test_a_conversation_of_its_own_settings_can_be_named(service: Service) -> None:
    conversation = await create(service, configuration={"conversationGroupingType": BY_ADDRESSES})
    await make_configuration(service, channelSettings=SILENT)
    await tell_call(service, **{CONVERSATION: conversation["id"]})
    assert await poll(service) == [conversation["id"]]
    assert traffic.member(await traffic.only_conversation(service), KIRAN)["profileId"] is None


async def test_a_conversation_that_is_named_gets_what_its_newcomers_write_elsewhere(service: Service) -> None:
    made = await create(service, await make_configuration(service))
    await tell_call(service, **{CONVERSATION: made["id"]})
    await traffic.message(service, KIRAN, US, "by sms")
    assert (await traffic.only_conversation(service))["id"] == made["id"]
    assert await traffic.texts(service) == [["by sms"]]


async def test_a_conversation_that_is_named_leaves_the_pairs_of_others_alone(service: Service) -> None:
    configuration_id = await make_configuration(service)
    await traffic.message(service, KIRAN, US, "by sms")
    made = await create(service, configuration_id)
    await tell_call(service, **{CONVERSATION: made["id"]})
    assert await poll(service) == [made["id"]]
    await traffic.message(service, KIRAN, US, "by sms again")
    assert await traffic.texts(service) == [["by sms", "by sms again"], []]
