"""Which side of a message is ours, and which profile the other side has."""

from tests.support import traffic
from tests.support.app import Service, running_service
from tests.support.factories import make_configuration
from tests.support.memory import identifiers_of, new_profile, new_store
from tests.support.traffic import BY_PROFILE, KIRAN, OTHER_PHONE, US

ANYTHING = {"SMS": traffic.channel(("*", "*"))}


async def register(service: Service, address: str) -> None:
    response = await service.api.post("/orchestrator/v1/Numbers", json={"address": address})
    assert response.status_code == 201, response.text


async def profiles(service: Service) -> int:
    return len(await service.fetch("select from profiles where account_id = $1", service.account.account_id))


async def test_the_literal_of_a_rule_is_ours(service: Service) -> None:
    await make_configuration(service)
    await traffic.message(service, KIRAN, US)
    assert (await traffic.only_trace(service))["sides"] == {
        "author": "CUSTOMER",
        "recipient": "AGENT",
        "toldBy": "rule",
    }


async def test_a_literal_of_any_configuration_is_ours(service: Service) -> None:
    await make_configuration(service, channelSettings={"VOICE": traffic.channel(("*", US))})
    await make_configuration(service, channelSettings=ANYTHING)
    await traffic.message(service, US, KIRAN)
    assert traffic.roles(await traffic.only_conversation(service)) == {US: "AGENT", KIRAN: "CUSTOMER"}


async def test_a_registered_number_decides_over_rules_and_direction(service: Service) -> None:
    await register(service, f"whatsapp:{US}")
    await make_configuration(service, channelSettings={"SMS": traffic.channel((KIRAN, "*"))})
    await traffic.message(service, KIRAN, US, Direction="outbound-api")
    assert (await traffic.only_trace(service))["sides"] == {
        "author": "CUSTOMER",
        "recipient": "AGENT",
        "toldBy": "number",
    }


async def test_two_registered_numbers_are_both_agents(service: Service) -> None:
    await register(service, US)
    await register(service, OTHER_PHONE)
    await make_configuration(service, channelSettings=ANYTHING)
    await traffic.message(service, OTHER_PHONE, US, Direction="inbound")
    assert traffic.roles(await traffic.only_conversation(service)) == {OTHER_PHONE: "AGENT", US: "AGENT"}
    assert await profiles(service) == 0


async def test_direction_decides_when_nothing_else_does(service: Service) -> None:
    await make_configuration(service, channelSettings=ANYTHING)
    await traffic.message(service, "+15550000000", US, Direction="inbound")
    await traffic.message(service, "+15550000001", US, SmsStatus="received")
    await traffic.message(service, "+15550000002", US, Direction="outbound-api")
    await traffic.message(service, "+15550000003", US, Direction="outbound-reply")
    sides = [(await traffic.trace(service, said))["sides"] for (said,) in await traffic.everything_said(service)]
    inbound = {"author": "CUSTOMER", "recipient": "AGENT", "toldBy": "direction"}
    outbound = {"author": "AGENT", "recipient": "CUSTOMER", "toldBy": "direction"}
    assert sides == [inbound, inbound, outbound, outbound]


async def test_neither_side_known_and_one_has_a_profile(service: Service) -> None:
    store = await new_store(service)
    profile = await new_profile(service, store, phone=OTHER_PHONE)
    await make_configuration(service, channelSettings=ANYTHING, memoryStoreId=store)
    await traffic.message(service, KIRAN, OTHER_PHONE)
    conversation = await traffic.only_conversation(service)
    assert traffic.roles(conversation) == {KIRAN: "UNKNOWN", OTHER_PHONE: "CUSTOMER"}
    assert traffic.member(conversation, OTHER_PHONE)["profileId"] == profile
    assert (await traffic.only_trace(service))["sides"]["toldBy"] == "profile"
    assert await profiles(service) == 1


async def test_neither_side_known_and_nobody_has_a_profile(service: Service) -> None:
    await make_configuration(service, channelSettings=ANYTHING, conversationGroupingType=BY_PROFILE)
    await traffic.message(service, KIRAN, US, "question")
    await traffic.message(service, US, KIRAN, "answer")
    conversation = await traffic.only_conversation(service)
    assert traffic.roles(conversation) == {KIRAN: "UNKNOWN", US: "UNKNOWN"}
    assert [one["profileId"] for one in conversation["participants"]] == [None, None]
    assert await profiles(service) == 0


async def test_neither_side_known_and_both_have_profiles(service: Service) -> None:
    store = await new_store(service)
    for phone in (KIRAN, OTHER_PHONE):
        await new_profile(service, store, phone=phone)
    await make_configuration(service, channelSettings=ANYTHING, memoryStoreId=store)
    await traffic.message(service, KIRAN, OTHER_PHONE)
    conversation = await traffic.only_conversation(service)
    assert traffic.roles(conversation) == {KIRAN: "UNKNOWN", OTHER_PHONE: "UNKNOWN"}
    assert [one["profileId"] for one in conversation["participants"]] == [None, None]


async def test_an_unknown_participant_who_is_recognised_later_becomes_the_customer(service: Service) -> None:
    store = await new_store(service)
    await make_configuration(service, channelSettings=ANYTHING, memoryStoreId=store)
    await traffic.message(service, KIRAN, US)
    profile = await new_profile(service, store, phone=KIRAN)
    await traffic.message(service, KIRAN, US)
    conversation = await traffic.only_conversation(service)
    customer = traffic.member(conversation, KIRAN)
    assert (customer["type"], customer["profileId"]) == ("CUSTOMER", profile)
    last_two = (await traffic.events(service))[-2:]
    assert [event.type for event in last_two] == ["PARTICIPANT_UPDATED", "COMMUNICATION_CREATED"]
    assert last_two[0].data == customer


async def test_a_profile_found_by_phone_gains_the_whatsapp_identifier(service: Service) -> None:
    store = await new_store(service)
    profile = await new_profile(service, store, phone=KIRAN)
    await make_configuration(service, memoryStoreId=store)
    await traffic.message(service, f"whatsapp:{KIRAN}", f"whatsapp:{US}")
    found = await traffic.only_trace(service)
    assert found["profile"] == {
        "profileId": profile,
        "outcome": "found",
        "identifier": {"idType": "phone", "value": KIRAN},
    }
    assert (await identifiers_of(service, store, profile))["whatsapp"] == [f"whatsapp:{KIRAN}"]


async def test_a_new_customer_gets_a_profile(service: Service) -> None:
    store = await new_store(service)
    await make_configuration(service, memoryStoreId=store)
    await traffic.message(service, KIRAN, US)
    found = await traffic.only_trace(service)
    assert (found["profile"]["outcome"], found["profile"]["identifier"]["value"]) == ("created", KIRAN)
    lookup = await service.api.post(f"/v1/Stores/{store}/Profiles/Lookup", json={"idType": "phone", "value": KIRAN})
    assert lookup.json()["profiles"] == [found["profile"]["profileId"]]


async def test_profiles_are_only_looked_up_where_the_setting_says_so(database_url: str) -> None:
    async with running_service(database_url, passive_profile_creation=False) as service:
        await make_configuration(service)
        await traffic.message(service, KIRAN, US)
        assert traffic.roles(await traffic.only_conversation(service)) == {KIRAN: "UNKNOWN", US: "AGENT"}
        assert await profiles(service) == 0


async def test_a_deleted_memory_store_stops_nothing(service: Service) -> None:
    store = await new_store(service)
    await make_configuration(service, memoryStoreId=store, conversationGroupingType=BY_PROFILE)
    assert (await service.api.delete(f"/v1/ControlPlane/Stores/{store}")).status_code == 202
    await traffic.message(service, KIRAN, US)
    customer = traffic.member(await traffic.only_conversation(service), KIRAN)
    assert (customer["type"], customer["profileId"]) == ("CUSTOMER", None)
    found = await traffic.only_trace(service)
    assert found["diagnostics"] == [530003, 530004]
    assert found["profile"] is None


async def test_an_address_without_identifier_is_a_customer_without_profile(service: Service) -> None:
    await make_configuration(service)
    await traffic.message(service, "AcmeShop", US)
    customer = traffic.member(await traffic.only_conversation(service), "AcmeShop")
    assert (customer["type"], customer["profileId"]) == ("CUSTOMER", None)
    assert (await traffic.only_trace(service))["diagnostics"] == [530001]
