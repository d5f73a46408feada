"""Somebody whose number is written in two ways is one person to the traffic."""

import asyncio
from typing import Any

import pytest

from orchestrator.domain.addresses import Channel, parse
from orchestrator.domain.identity import Identifier, recognition
from orchestrator.domain.linking import LINKED, Linking
from orchestrator.kernel.unit import Unit
from orchestrator.memory import identity
from orchestrator.memory.identity import Resolution, Subject
from tests.support import traffic
from tests.support.app import Service, running_service
from tests.support.factories import make_configuration
from tests.support.memory import (
    identifiers_of,
    new_profile,
    new_store,
    profile_traits,
    rows_of_store,
    until_somebody_waits_for,
)
from tests.support.traffic import BY_PROFILE, US

PAIRS = {
    "Brazil": ("+5511987654321", "+551187654321"),
    "Argentina": ("+5491123456789", "+541123456789"),
    "Mexico": ("+5215512345678", "+525512345678"),
}
LONG, SHORT = PAIRS["Brazil"]


@pytest.fixture
async def store(service: Service) -> str:
    return await new_store(service)


def subject(service: Service, store: str, channel: Channel, number: str, linking: Linking = LINKED) -> Subject:
    by = recognition(parse(channel, number), linking=linking)
    assert by is not None
    return Subject(service.account.account_id, store, by)


async def recognise(service: Service, *subjects: Subject) -> list[Resolution]:
    async with service.units.begin() as unit:
        resolved = await identity.recognise_or_create(unit, subjects)
    return [resolved[one] for one in subjects]


async def captures_by_profile(service: Service, store: str) -> None:
    settings = {name: traffic.channel(*traffic.both_ways()) for name in ("SMS", "WHATSAPP")}
    await make_configuration(
        service, memoryStoreId=store, conversationGroupingType=BY_PROFILE, channelSettings=settings
    )


async def landed(service: Service) -> list[Any]:
    """The trace of each communication, in order, as far as it is about the profile."""
    (said,) = await traffic.everything_said(service)
    return [(await traffic.trace(service, one))["profile"] for one in said]


@pytest.mark.parametrize("country", PAIRS)
@pytest.mark.parametrize("order", [1, -1])
async def test_the_other_form_joins_the_conversation(service: Service, store: str, country: str, order: int) -> None:
    first, second = PAIRS[country][::order]
    await captures_by_profile(service, store)
    await traffic.message(service, first, US)
    await traffic.message(service, f"whatsapp:{second}", f"whatsapp:{US}")
    await traffic.message(service, second, US)

    created, found, again = await landed(service)
    profile_id = created["profileId"]
    phones = [{"idType": "phone", "value": number} for number in (first, second)]
    assert created == {"profileId": profile_id, "outcome": "created", "identifier": phones[0]}
    assert found == {"profileId": profile_id, "outcome": "found", "identifier": phones[0], "variantOf": second}
    assert again == {"profileId": profile_id, "outcome": "found", "identifier": phones[1]}
    held = await identifiers_of(service, store, profile_id)
    assert sorted(held.pop("phone")) == sorted([first, second])
    assert held == {"whatsapp": [f"whatsapp:{second}"]}, "and no form that nobody used"
    assert await profile_traits(service, store, profile_id) == {"Contact": {"phone": first}}


async def test_from_whatsapp_to_sms(service: Service, store: str) -> None:
    by_whatsapp, by_sms = await recognise(service, subject(service, store, Channel.WHATSAPP, SHORT)) + await recognise(
        service, subject(service, store, Channel.SMS, LONG)
    )
    assert by_sms == Resolution(by_whatsapp.profile_id, "found", Identifier("phone", SHORT), Identifier("phone", LONG))
    assert by_whatsapp.profile_id is not None
    assert await profile_traits(service, store, by_whatsapp.profile_id) == {
        "Contact": {"phone": SHORT, "whatsapp": f"whatsapp:{SHORT}"}
    }


async def test_whatsapp_alone_finds_whatsapp_alone(service: Service, store: str) -> None:
    unlinked = Linking(phone_and_whatsapp=False)
    made = await recognise(service, subject(service, store, Channel.WHATSAPP, LONG, unlinked))
    [found] = await recognise(service, subject(service, store, Channel.WHATSAPP, SHORT, unlinked))
    assert (found.profile_id, found.outcome) == (made[0].profile_id, "found")
    assert found.profile_id is not None
    held = await identifiers_of(service, store, found.profile_id)
    assert {id_type: set(values) for id_type, values in held.items()} == {
        "whatsapp": {f"whatsapp:{LONG}", f"whatsapp:{SHORT}"}
    }


async def test_two_forms_in_one_batch_are_one_stranger(service: Service, store: str) -> None:
    batch = [
        subject(service, store, channel, number)
        for number in (LONG, SHORT, *PAIRS["Mexico"])
        for channel in (Channel.WHATSAPP, Channel.SMS)
    ]
    *brazilian, a, b, c, d = [one.profile_id for one in await recognise(service, *batch)]
    assert len(set(brazilian)) == 1
    assert a == b == c == d != brazilian[0]
    profiles, identifiers, _ = await rows_of_store(service, store)
    assert (len(profiles), len(identifiers)) == (2, 8)


async def test_the_form_that_was_used_goes_first(service: Service, store: str) -> None:
    known = {number: await new_profile(service, store, phone=number) for number in (LONG, SHORT)}
    for number, other in ((LONG, SHORT), (SHORT, LONG)):
        [found] = await recognise(service, subject(service, store, Channel.SMS, number))
        expected = Resolution(known[number], "found", Identifier("phone", number), ambiguous=(known[other],))
        assert found == expected


async def test_at_the_same_instant_both_forms_make_one_profile(service: Service, store: str) -> None:
    """Played step by step: the second one waits before it looks."""
    one, other = (subject(service, store, Channel.SMS, number) for number in (LONG, SHORT))
    async with service.units.begin() as unit:
        first = (await identity.recognise_or_create(unit, [one]))[one]
        second = asyncio.create_task(recognise(service, other))
        await until_somebody_waits_for(unit)
    [found] = await second
    assert (first.outcome, found.outcome) == ("created", "found")
    assert found.profile_id == first.profile_id


async def test_a_crowd_in_all_forms_makes_one_profile_for_each_number(service: Service, store: str) -> None:
    async def arrive(turn: int) -> list[str | None]:
        channel = (Channel.SMS, Channel.WHATSAPP)[turn % 2]
        numbers = [pair[turn % 3 % 2] for pair in PAIRS.values()][:: (-1) ** turn]
        found = await recognise(service, *(subject(service, store, channel, number) for number in numbers))
        return [one.profile_id for one in found][:: (-1) ** turn]

    answers = await asyncio.gather(*(arrive(turn) for turn in range(12)))
    assert all(answer == answers[0] for answer in answers)
    profiles, identifiers, _ = await rows_of_store(service, store)
    assert (len(profiles), len(identifiers)) == (3, 12)


async def test_a_number_without_another_form_waits_for_nobody(service: Service, store: str) -> None:
    async def locks(unit: Unit) -> int:
        held = "select count(*) from pg_locks where locktype = 'advisory' and mode = 'ExclusiveLock' and pid = $1"
        count: int = await unit.driver.fetchval(held, await unit.driver.fetchval("select pg_backend_pid()"))
        return count

    for number, held in (("+15551234567", 0), ("+551132654321", 0), (LONG, 1)):
        async with service.units.begin() as unit:
            await identity.recognise_or_create(unit, [subject(service, store, Channel.WHATSAPP, number)])
            assert await locks(unit) == held


async def test_lookup_stays_exact(service: Service, store: str) -> None:
    await new_profile(service, store, phone=LONG)
    response = await service.api.post(f"/v1/Stores/{store}/Profiles/Lookup", json={"idType": "phone", "value": SHORT})
    assert response.json() == {"normalizedValue": SHORT, "profiles": []}


async def test_a_participant_is_introduced_by_the_other_form(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, phone=LONG)
    configuration = await make_configuration(service, memoryStoreId=store)
    addresses = [{"channel": "SMS", "address": SHORT}, {"channel": "EMAIL", "address": "k@example.com"}]
    response = await service.api.post(
        "/v2/Conversations",
        json={
            "configurationId": configuration,
            "participants": [{"type": "CUSTOMER", "addresses": addresses}],
        },
    )
    assert response.status_code < 300, response.text
    conversation = await traffic.only_conversation(service)
    assert [one["profileId"] for one in conversation["participants"]] == [profile_id]
    held = await identifiers_of(service, store, profile_id)
    assert {id_type: set(values) for id_type, values in held.items()} == {
        "phone": {LONG, SHORT},
        "email": {"k@example.com"},
    }


async def test_without_the_setting_they_are_two_people(database_url: str) -> None:
    async with running_service(database_url, match_number_variants=False) as service:
        await captures_by_profile(service, await new_store(service))
        for number in (LONG, SHORT):
            await traffic.message(service, number, US)
        assert len(await traffic.conversations(service)) == 2


async def test_everything_that_a_newcomer_brings_is_shown(service: Service, store: str) -> None:
    configuration = await make_configuration(service, memoryStoreId=store)
    addresses = [
        {"channel": "WHATSAPP", "address": "whatsapp:+15551234567"},
        {"channel": "EMAIL", "address": "K@example.com"},
        {"channel": "CHAT", "address": "client:kiran"},
        {"channel": "SMS", "address": "+15559876543"},
    ]
    response = await service.api.post(
        "/v2/Conversations",
        json={"configurationId": configuration, "participants": [{"type": "CUSTOMER", "addresses": addresses}]},
    )
    assert response.status_code < 300, response.text
    [kiran] = (await traffic.only_conversation(service))["participants"]
    assert await profile_traits(service, store, kiran["profileId"]) == {
        "Contact": {
            "phone": "+15551234567",
            "whatsapp": "whatsapp:+15551234567",
            "email": "k@example.com",
            "chat": "kiran",
        }
    }


@pytest.mark.parametrize("rules", [None, ["phone", "whatsapp", "email", "chat"]])
async def test_of_several_profiles_the_first_rule_decides(
    service: Service, store: str, rules: list[str] | None
) -> None:
    by_phone = await new_profile(service, store, phone=LONG)
    by_whatsapp = await new_profile(service, store, whatsapp=LONG)
    if rules is not None:
        path = f"/v1/ControlPlane/Stores/{store}/IdentityResolutionSettings"
        settings = (await service.api.get(path)).json()
        body = {"identifierConfigs": settings["identifierConfigs"], "matchingRules": rules}
        assert (await service.api.put(path, json=body)).status_code == 202
    await captures_by_profile(service, store)
    await traffic.message(service, f"whatsapp:{LONG}", f"whatsapp:{US}")
    [profile] = await landed(service)
    chosen, other = (by_phone, by_whatsapp) if rules else (by_whatsapp, by_phone)
    assert (profile["profileId"], profile["ambiguous"]) == (chosen, [other])
    assert profile["identifier"]["idType"] == ("phone" if rules else "whatsapp")


async def test_of_several_profiles_with_one_value_the_oldest_is_meant(service: Service, store: str) -> None:
    path = f"/v1/ControlPlane/Stores/{store}/IdentityResolutionSettings"
    settings = (await service.api.get(path)).json()
    configs = [one | {"enforceUnique": one["idType"] != "phone"} for one in settings["identifierConfigs"]]
    body = {"identifierConfigs": configs, "matchingRules": settings["matchingRules"]}
    assert (await service.api.put(path, json=body)).status_code == 202
    shared = [await new_profile(service, store, phone=LONG, chat=name) for name in ("a", "b", "c")]
    [found] = await recognise(service, subject(service, store, Channel.SMS, LONG))
    oldest, *others = sorted(shared)
    assert found == Resolution(oldest, "found", Identifier("phone", LONG), ambiguous=tuple(others))
