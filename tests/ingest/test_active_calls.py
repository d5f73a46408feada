"""Calls that say which configuration they belong to are attached as soon as they connect, before anything is said."""

import json

import pytest

from tests.support import traffic
from tests.support.app import Service
from tests.support.calls import (
    CALL,
    CONFIGURATION,
    CONVERSATION,
    OTHER_CALL,
    SILENT,
    addresses,
    connected,
    other_process,
    poll,
    tell_call,
    tell_fragment,
)
from tests.support.factories import make_configuration
from tests.support.memory import new_profile, new_store
from tests.support.traffic import BY_ADDRESSES, BY_ADDRESSES_AND_CHANNEL, BY_PROFILE, KIRAN, OTHER_PHONE, US
from tests.support.webhooks import VOICE, post_json


async def test_a_call_is_found_as_soon_as_it_is_connected(service: Service) -> None:
    configuration_id = await make_configuration(service, channelSettings=SILENT)
    await tell_call(service, **{CONFIGURATION: configuration_id})
    conversation = await traffic.only_conversation(service)
    assert await poll(service) == [conversation["id"]]
    assert (conversation["configurationId"], conversation["status"]) == (configuration_id, "ACTIVE")
    assert traffic.roles(conversation) == {KIRAN: "CUSTOMER", US: "AGENT"}
    assert [addresses(one) for one in conversation["participants"]] == [{"VOICE": CALL}] * 2
    assert traffic.member(conversation, KIRAN)["profileId"] is not None
    assert await traffic.texts(service) == [[]]
    created, *added = await traffic.events(service)
    assert [created.type, *(event.type for event in added)] == ["CONVERSATION_CREATED", *["PARTICIPANT_ADDED"] * 2]
    assert [event.data for event in added] == conversation["participants"]


@pytest.mark.parametrize(
    "name", ["ConversationConfiguration", "conversationConfiguration", "CONVERSATIONCONFIGURATION"]
)
async def test_the_name_is_read_in_upper_and_lower_case(service: Service, name: str) -> None:
    configuration_id = await make_configuration(service, channelSettings=SILENT)
    await tell_call(service, **{name: configuration_id})
    (found,) = await poll(service)
    await tell_call(service, CallSid=OTHER_CALL, **{name.lower().replace("configuration", "id"): found})
    assert await poll(service, OTHER_CALL) == [found]


async def test_other_attributes_are_ignored(service: Service) -> None:
    await make_configuration(service, channelSettings=SILENT)
    await tell_call(service, ConversationSid="CH1", ConversationConfigurationSid="x", Conversation="y")
    await tell_call(service, **{CONFIGURATION: "  ", CONVERSATION: ""})
    assert await traffic.conversations(service) == []


async def test_webhooks_in_json_attach_too(service: Service) -> None:
    configuration_id = await make_configuration(service, channelSettings=SILENT)
    body = {"AccountSid": service.account.account_id, **connected(conversationConfiguration=configuration_id)}
    assert (await post_json(service, json.dumps(body).encode(), path=VOICE)).status_code == 200
    assert len(await poll(service)) == 1


@pytest.mark.parametrize("fields", [{}, {"CallStatus": "completed"}, {"TranscriptionEvent": "transcription-started"}])
async def test_a_repeat_changes_nothing(service: Service, fields: dict[str, str]) -> None:
    told = {CONFIGURATION: await make_configuration(service, channelSettings=SILENT)}
    await tell_call(service, **told)
    async with other_process(service) as other:
        before, rows = await traffic.conversations(service), await traffic.row_counts(service)
        for one in (service, other):
            service.clock.advance(minutes=5)
            await tell_call(one, **told, **fields)
            await tell_call(one, **fields)
        assert await traffic.conversations(service) == before
        assert await traffic.row_counts(service) == rows


async def test_the_next_call_of_a_pair_takes_the_addresses_over(service: Service) -> None:
    told = {CONFIGURATION: await make_configuration(service, channelSettings=SILENT)}
    await tell_call(service, **told)
    await tell_call(service, CallSid=OTHER_CALL, **told)
    conversation = await traffic.only_conversation(service)
    assert await poll(service, OTHER_CALL) == [conversation["id"]]
    assert [addresses(one) for one in conversation["participants"]] == [{"VOICE": OTHER_CALL}] * 2
    assert (await traffic.event_types(service))[3:] == ["PARTICIPANT_UPDATED"] * 2
    before = await traffic.row_counts(service)
    await tell_call(service, CallStatus="completed", **told)
    assert await traffic.only_conversation(service) == conversation
    assert await traffic.row_counts(service) == before


@pytest.mark.parametrize(("grouping", "expected"), [(BY_ADDRESSES, 1), (BY_ADDRESSES_AND_CHANNEL, 2), (BY_PROFILE, 1)])
async def test_a_call_groups_with_what_its_customer_has_written(service: Service, grouping: str, expected: int) -> None:
    settings = {"SMS": traffic.channel(*traffic.both_ways())}
    configuration_id = await make_configuration(service, conversationGroupingType=grouping, channelSettings=settings)
    await traffic.message(service, KIRAN, US)
    await tell_call(service, **{CONFIGURATION: configuration_id})
    conversations = await traffic.conversations(service)
    assert len(conversations) == expected
    assert await poll(service) == [conversations[-1]["id"]]


async def test_another_phone_of_one_profile_joins_by_profile(service: Service) -> None:
    store = await new_store(service)
    profile = await new_profile(service, store, phone=KIRAN)
    path = f"/v1/Stores/{store}/Profiles/{profile}/Identifiers"
    assert (await service.api.post(path, json={"idType": "phone", "value": OTHER_PHONE})).status_code == 202
    configuration_id = await make_configuration(service, conversationGroupingType=BY_PROFILE, memoryStoreId=store)
    await traffic.message(service, KIRAN, US)
    await tell_call(service, From=OTHER_PHONE, **{CONFIGURATION: configuration_id})
    conversation = await traffic.only_conversation(service)
    assert await poll(service) == [conversation["id"]]
    customer = traffic.member(conversation, OTHER_PHONE)
    assert (customer["name"], customer["profileId"], addresses(customer)) == (
        KIRAN,
        profile,
        {"SMS": None, "VOICE": CALL},
    )


async def test_an_outgoing_call_is_attached_the_other_way_round(service: Service) -> None:
    configuration_id = await make_configuration(service, channelSettings=SILENT)
    await tell_call(service, From=US, To=KIRAN, Direction="outbound-api", **{CONFIGURATION: configuration_id})
    assert traffic.roles(await traffic.only_conversation(service)) == {US: "AGENT", KIRAN: "CUSTOMER"}


async def test_our_numbers_tell_the_customer_where_the_direction_does_not(service: Service) -> None:
    configuration_id = await make_configuration(service, channelSettings=SILENT)
    assert (await service.api.post("/orchestrator/v1/Numbers", json={"address": US})).is_success
    await tell_call(service, From=US, To=KIRAN, Direction="", **{CONFIGURATION: configuration_id})
    assert traffic.roles(await traffic.only_conversation(service)) == {US: "AGENT", KIRAN: "CUSTOMER"}


async def test_a_call_that_names_only_itself_is_attached_when_its_ends_are_told(service: Service) -> None:
    configuration_id = await make_configuration(service, channelSettings=SILENT)
    await tell_call(service, From="", To="", Direction="", **{CONFIGURATION: configuration_id})
    assert await traffic.conversations(service) == []
    async with other_process(service) as other:
        await tell_call(other)
    (found,) = await poll(service)
    before = await traffic.event_types(service)
    await tell_call(service, CallStatus="completed")
    await tell_fragment(service)
    assert await traffic.texts(service) == [["hello"]]
    assert await traffic.event_types(service) == [*before, "COMMUNICATION_CREATED"]
    assert (await traffic.only_conversation(service))["id"] == found


async def test_the_attribute_may_come_after_the_ends_and_without_them(service: Service) -> None:
    configuration_id = await make_configuration(service, channelSettings=SILENT)
    await tell_call(service)
    async with other_process(service) as other:
        await tell_call(other, From="", To="", Direction="", **{CONFIGURATION: configuration_id})
    assert len(await poll(service)) == 1
