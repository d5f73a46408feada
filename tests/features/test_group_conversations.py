"""Conversations of more than two: which traffic finds them, by whichever pair of their participants."""

import time
from typing import Any

import pytest

from tests.support import traffic
from tests.support.app import Service
from tests.support.conversations import (
    agent,
    close,
    conflict,
    create,
    customer,
    keys_of,
    on,
    people,
    post,
    sms,
    someone,
    whatsapp,
)
from tests.support.factories import make_configuration
from tests.support.memory import new_profile, new_store
from tests.support.refusals import refusal
from tests.support.traffic import BY_ADDRESSES, BY_ADDRESSES_AND_CHANNEL, BY_PROFILE, KIRAN, OTHER_PHONE, US

DESK = "+16505550100"
BOTH_OURS = {"SMS": traffic.channel(*traffic.both_ways(US), *traffic.both_ways(DESK))}


async def group(service: Service, grouping: str, **channels: Any) -> dict[str, Any]:
    """Two customers and two of us."""
    return await create(
        service,
        customer(sms(KIRAN)),
        customer(sms(OTHER_PHONE)),
        agent(sms(US)),
        someone("HUMAN_AGENT", sms(DESK)),
        configurationId=await make_configuration(
            service, conversationGroupingType=grouping, channelSettings=channels or BOTH_OURS
        ),
    )


@pytest.mark.parametrize("grouping", [BY_ADDRESSES, BY_ADDRESSES_AND_CHANNEL])
async def test_each_customer_reaches_it_by_each_of_us(service: Service, grouping: str) -> None:
    conversation = await group(service, grouping)
    pairs = [(them, ours) for them in (KIRAN, OTHER_PHONE) for ours in (US, DESK)]
    prefix = "addresses" if grouping == BY_ADDRESSES else "channel SMS"
    assert await keys_of(service, conversation) == {f"{prefix} {them} {ours}" for them, ours in map(sorted, pairs)}
    for them, ours in pairs:
        await traffic.message(service, them, ours)
        await traffic.message(service, ours, them)
    joined = await traffic.only_conversation(service)
    assert joined["participants"] == conversation["participants"]
    assert len(await traffic.communications(service, joined)) == 8


async def test_what_one_side_says_among_itself_is_another_conversation(service: Service) -> None:
    conversation = await group(service, BY_ADDRESSES, SMS=traffic.channel(("*", "*")))
    await traffic.message(service, KIRAN, OTHER_PHONE)
    await traffic.message(service, US, DESK)
    found = await traffic.conversations(service)
    assert [len(await traffic.communications(service, one)) for one in found] == [0, 1, 1]
    assert found[0] == conversation


async def test_the_profile_of_each_customer_leads_to_it(service: Service) -> None:
    conversation = await group(service, BY_PROFILE)
    profiles = [one["profileId"] for one in conversation["participants"]]
    assert await keys_of(service, conversation) == {f"profile {profiles[0]}", f"profile {profiles[1]}"}
    for them, ours in ((KIRAN, US), (OTHER_PHONE, DESK)):
        await traffic.message(service, them, ours)
    assert len(await traffic.communications(service, await traffic.only_conversation(service))) == 2


async def test_every_pair_stands_in_the_way_and_closing_frees_them_all(service: Service) -> None:
    conversation = await group(service, BY_ADDRESSES)
    pairs = [(customer(sms(them)), agent(sms(ours))) for them in (KIRAN, OTHER_PHONE) for ours in (US, DESK)]
    for pair in pairs:
        conflict(await post(service, *pair, configurationId=conversation["configurationId"]), conversation)
    await close(service, conversation)
    assert await keys_of(service, conversation) == set()
    for pair in pairs:
        await create(service, *pair, configurationId=conversation["configurationId"])


async def test_one_of_those_in_the_way_is_named(service: Service) -> None:
    configuration_id = await make_configuration(service)
    one = await create(service, customer(sms(KIRAN)), agent(sms(US)), configurationId=configuration_id)
    await create(service, customer(sms(OTHER_PHONE)), agent(sms(US)), configurationId=configuration_id)
    both = (customer(sms(KIRAN)), customer(sms(OTHER_PHONE)), agent(sms(US)))
    conflict(await post(service, *both, configurationId=configuration_id), one)


async def test_with_an_unknown_one_everybody_may_talk(service: Service) -> None:
    conversation = await create(
        service,
        customer(sms(KIRAN)),
        agent(sms(US)),
        someone("UNKNOWN", sms(DESK)),
        someone(None, sms(OTHER_PHONE)),
        configurationId=await make_configuration(service, memoryStoreId=await new_store(service)),
    )
    pairs = [(KIRAN, US), (DESK, KIRAN), (KIRAN, OTHER_PHONE), (DESK, US), (OTHER_PHONE, US), (DESK, OTHER_PHONE)]
    assert await keys_of(service, conversation) == {"addresses {} {}".format(*sorted(pair)) for pair in pairs}


@pytest.mark.parametrize(
    ("grouping", "conversations"), [(BY_ADDRESSES, 1), (BY_ADDRESSES_AND_CHANNEL, 2), (BY_PROFILE, 1)]
)
async def test_another_channel_joins_where_channels_are_one(
    service: Service, grouping: str, conversations: int
) -> None:
    configuration_id = await make_configuration(service, conversationGroupingType=grouping)
    created = await create(service, customer(sms(KIRAN)), agent(sms(US)), configurationId=configuration_id)
    await traffic.message(service, f"whatsapp:{KIRAN}", f"whatsapp:{US}")
    found = await traffic.conversations(service)
    assert len(found) == conversations
    assert await keys_of(service, found[-1])
    channels = [[own["channel"] for own in one["addresses"]] for one in found[0]["participants"]]
    assert channels == ([["SMS", "WHATSAPP"]] * 2 if conversations == 1 else [["SMS"]] * 2)
    assert [one["id"] for one in found[0]["participants"]] == [one["id"] for one in created["participants"]]


async def test_a_chat_customer_is_reached_by_the_phone_of_the_same_profile(service: Service) -> None:
    store_id = await new_store(service)
    profile_id = await new_profile(service, store_id, phone=KIRAN)
    configuration_id = await make_configuration(service, conversationGroupingType=BY_PROFILE, memoryStoreId=store_id)
    chat = customer(on("CHAT", "kiran", "CH1"), profileId=profile_id)
    conversation = await create(service, chat, configurationId=configuration_id)
    await traffic.message(service, KIRAN, US)
    joined = await traffic.only_conversation(service)
    assert joined["id"] == conversation["id"]
    kiran, us = joined["participants"]
    assert [own["channel"] for own in kiran["addresses"]] == ["CHAT", "SMS"]
    assert (kiran["profileId"], us["type"]) == (profile_id, "AGENT")
    conflict(await post(service, chat, configurationId=configuration_id), conversation)


def phones(count: int) -> list[list[dict[str, Any]]]:
    """Fifty numbers for each of so many people."""
    return [[sms(f"+1555{person:03d}{number:04d}") for number in range(50)] for person in range(count)]


async def test_as_many_pairs_as_a_conversation_can_hold(service: Service) -> None:
    configuration_id = await make_configuration(service)
    us, *them = phones(5)
    many = (agent(*us), *(customer(*owned) for owned in them))
    full = await create(service, *many, configurationId=configuration_id)
    assert len(await keys_of(service, full)) == 10_000
    before = await traffic.row_counts(service)
    newcomer = customer(whatsapp(KIRAN))
    answers = [
        await post(service, *many, newcomer, configurationId=configuration_id),
        await post(service, *[someone(None, *owned) for owned in them], configuration={}),
        await service.api.post(people(full), json=newcomer),
    ]
    for answer, pairs in zip(answers, (10_050, 15_000, 10_050), strict=True):
        error = refusal(answer, 400, 20001)
        assert error["details"] == {"limit": 10_000}
        assert str(pairs) in error["message"]
    assert await traffic.row_counts(service) == before


async def test_a_request_for_millions_of_pairs_is_refused_at_once(service: Service) -> None:
    everybody = [someone(None, *owned) for owned in phones(50)]
    started = time.perf_counter()
    answer = await post(service, *everybody, configuration={})
    assert "3062500" in refusal(answer, 400, 20001)["message"]
    assert time.perf_counter() - started < 5, "making them all takes half a minute"
