"""Provider traffic lands in the right conversations: the seed document's example, and who takes part."""

import asyncio
from itertools import permutations

import pytest

from tests.support import traffic
from tests.support.app import Service
from tests.support.factories import make_configuration
from tests.support.memory import identifiers_of, new_profile, new_store
from tests.support.traffic import BY_ADDRESSES, BY_ADDRESSES_AND_CHANNEL, BY_PROFILE, KIRAN, OTHER_PHONE, US


async def sms(service: Service, customer: str = KIRAN) -> None:
    await traffic.message(service, customer, US, "by sms")


async def call(service: Service, customer: str = KIRAN) -> None:
    await traffic.speech(service, customer, US, "by phone")


async def whatsapp(service: Service, customer: str = KIRAN) -> None:
    await traffic.message(service, f"whatsapp:{customer}", f"whatsapp:{US}", "by whatsapp")


async def other_phone(service: Service) -> None:
    await traffic.message(service, OTHER_PHONE, US, "from the other phone")


async def link_both_phones(service: Service) -> str:
    """A store in which both of Kiran's phones belong to one profile."""
    store = await new_store(service)
    profile = await new_profile(service, store, phone=KIRAN)
    response = await service.api.post(
        f"/v1/Stores/{store}/Profiles/{profile}/Identifiers", json={"idType": "phone", "value": OTHER_PHONE}
    )
    assert response.status_code == 202, response.text
    return store


@pytest.mark.parametrize(
    ("grouping", "expected"),
    [
        (BY_ADDRESSES_AND_CHANNEL, [["by sms"], ["by phone"], ["by whatsapp"], ["from the other phone"]]),
        (BY_ADDRESSES, [["by sms", "by phone", "by whatsapp"], ["from the other phone"]]),
        (BY_PROFILE, [["by sms", "by phone", "by whatsapp", "from the other phone"]]),
    ],
)
async def test_kirans_four_contacts_group_as_the_seed_document_says(
    service: Service, grouping: str, expected: list[list[str]]
) -> None:
    store = await link_both_phones(service)
    await make_configuration(service, conversationGroupingType=grouping, memoryStoreId=store)
    for contact in (sms, call, whatsapp, other_phone):
        await contact(service)
    assert await traffic.texts(service) == expected


async def test_four_contacts_of_one_profile_have_two_participants(service: Service) -> None:
    store = await link_both_phones(service)
    await make_configuration(service, conversationGroupingType=BY_PROFILE, memoryStoreId=store)
    for contact in (sms, call, whatsapp, other_phone):
        await contact(service)
    conversation = await traffic.only_conversation(service)
    customer, agent = conversation["participants"]
    assert (customer["type"], agent["type"]) == ("CUSTOMER", "AGENT")
    assert [(one["channel"], one["address"]) for one in customer["addresses"]] == [
        ("SMS", KIRAN),
        ("VOICE", KIRAN),
        ("WHATSAPP", f"whatsapp:{KIRAN}"),
        ("SMS", OTHER_PHONE),
    ]
    identifiers = await identifiers_of(service, store, customer["profileId"])
    assert identifiers == {"phone": [KIRAN, OTHER_PHONE], "whatsapp": [f"whatsapp:{KIRAN}"]}


async def test_one_number_is_one_customer_whichever_channel_came_first(service: Service) -> None:
    await make_configuration(service, conversationGroupingType=BY_PROFILE)
    orders = [*permutations([sms, call, whatsapp])]
    for position, order in enumerate(orders):
        for contact in order:
            await contact(service, f"+1555123{position:04d}")
    found = await traffic.texts(service)
    assert [sorted(of_one) for of_one in found] == [["by phone", "by sms", "by whatsapp"]] * len(orders)
    profiles = await service.fetch("select from profiles where account_id = $1", service.account.account_id)
    assert len(profiles) == len(orders)


async def test_contacts_on_several_channels_at_one_instant_are_one_customer(service: Service) -> None:
    await make_configuration(service, conversationGroupingType=BY_PROFILE)
    for number in range(5):
        await asyncio.gather(*(contact(service, f"+1555123{number:04d}") for contact in (sms, whatsapp, call, sms)))
    found = await traffic.texts(service)
    assert [sorted(of_one) for of_one in found] == [["by phone", "by sms", "by sms", "by whatsapp"]] * 5
    assert {len(one["participants"]) for one in await traffic.conversations(service)} == {2}
    for conversation in await traffic.conversations(service):
        sequences = [event.sequence for event in await traffic.events(service, conversation)]
        assert sequences == list(range(1, len(sequences) + 1))


async def test_both_directions_are_one_conversation(service: Service) -> None:
    for grouping in (BY_PROFILE, BY_ADDRESSES, BY_ADDRESSES_AND_CHANNEL):
        await make_configuration(service, conversationGroupingType=grouping)
    await traffic.message(service, KIRAN, US, "question")
    await traffic.message(service, US, KIRAN, "answer")
    await traffic.message(service, KIRAN, US, "thanks")
    assert await traffic.texts(service) == [["question", "answer", "thanks"]] * 3


async def test_an_outbound_message_is_from_the_agent_to_the_customer(service: Service) -> None:
    await make_configuration(service)
    await traffic.message(service, US, KIRAN, "your parcel has left")
    conversation = await traffic.only_conversation(service)
    agent, customer = traffic.member(conversation, US), traffic.member(conversation, KIRAN)
    assert (agent["type"], agent["profileId"]) == ("AGENT", None)
    assert customer["type"] == "CUSTOMER"
    assert customer["profileId"].startswith("mem_profile_")
    (said,) = await traffic.communications(service, conversation)
    assert said["author"] == {"address": US, "channel": "SMS", "participantId": agent["id"]}
    assert [one["participantId"] for one in said["recipients"]] == [customer["id"]]


async def test_a_message_on_the_wire(service: Service) -> None:
    configuration_id = await make_configuration(service)
    sid = await traffic.message(service, KIRAN, US, "my parcel?")
    conversation = await traffic.only_conversation(service)
    assert conversation["configurationId"] == configuration_id
    assert (conversation["status"], conversation["name"]) == ("ACTIVE", None)
    (said,) = await traffic.communications(service, conversation)
    author, recipient = conversation["participants"]
    assert said == {
        "id": said["id"],
        "conversationId": conversation["id"],
        "accountId": service.account.account_id,
        "author": {"address": KIRAN, "channel": "SMS", "participantId": author["id"]},
        "content": {"type": "TEXT", "text": "my parcel?"},
        "channelId": sid,
        "resourceId": sid,
        "recipients": [
            {"address": US, "channel": "SMS", "participantId": recipient["id"], "deliveryStatus": "DELIVERED"}
        ],
        "createdAt": said["createdAt"],
        "updatedAt": said["createdAt"],
        "occurredAt": said["createdAt"],
    }


async def test_participants_have_names_and_whoever_speaks_is_a_participant(service: Service) -> None:
    await make_configuration(service, conversationGroupingType=BY_PROFILE)
    for contact in (sms, call, whatsapp, other_phone):
        await contact(service)
    for conversation in await traffic.conversations(service):
        members = {one["id"]: one for one in conversation["participants"]}
        assert all(one["name"] == one["addresses"][0]["address"] for one in members.values())
        for said in await traffic.communications(service, conversation):
            for end in (said["author"], *said["recipients"]):
                owned = members[end["participantId"]]["addresses"]
                assert (end["channel"], end["address"]) in [(one["channel"], one["address"]) for one in owned]


async def test_our_second_number_is_the_same_agent(service: Service) -> None:
    second = "+16505550123"
    rules = (*traffic.both_ways(), *traffic.both_ways(second))
    await make_configuration(
        service, conversationGroupingType=BY_PROFILE, channelSettings={"SMS": traffic.channel(*rules)}
    )
    await traffic.message(service, KIRAN, US)
    await traffic.message(service, second, KIRAN)
    conversation = await traffic.only_conversation(service)
    assert traffic.roles(conversation) == {KIRAN: "CUSTOMER", US: "AGENT"}
    agent = traffic.member(conversation, second)
    assert [one["address"] for one in agent["addresses"]] == [US, second]
    said = (await traffic.communications(service, conversation))[-1]
    assert said["author"]["participantId"] == agent["id"]


async def test_an_rcs_sender_id_is_ours_and_its_customer_is_known_by_phone(service: Service) -> None:
    sender = "rcs:brand_acme_agent"
    settings = {"SMS": traffic.channel(*traffic.both_ways()), "RCS": traffic.channel(*traffic.both_ways(sender))}
    await make_configuration(service, conversationGroupingType=BY_PROFILE, channelSettings=settings)
    await traffic.message(service, KIRAN, US, "by sms")
    await traffic.message(service, sender, f"rcs:{KIRAN}", "by rcs")
    await traffic.message(service, f"rcs:{KIRAN}", sender, "answer by rcs")
    conversation = await traffic.only_conversation(service)
    assert traffic.roles(conversation) == {KIRAN: "CUSTOMER", US: "AGENT"}
    assert traffic.member(conversation, f"rcs:{KIRAN}")["type"] == "CUSTOMER"
    assert traffic.member(conversation, sender)["type"] == "AGENT"
    channels = [one["author"]["channel"] for one in await traffic.communications(service, conversation)]
    assert channels == ["SMS", "RCS", "RCS"]
