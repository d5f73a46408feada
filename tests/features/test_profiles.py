"""Profiles over HTTP: upsert by identity, reading, listing, looking up."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.support.app import Service
from tests.support.memory import (
    assert_refused,
    identifiers_of,
    new_phone,
    new_profile,
    new_store,
    post_profile,
    profile_traits,
    rows_of_store,
)


@pytest.fixture
async def store(service: Service) -> str:
    return await new_store(service)


async def look_up(service: Service, store: str, id_type: str, value: str) -> httpx.Response:
    return await service.api.post(f"/v1/Stores/{store}/Profiles/Lookup", json={"idType": id_type, "value": value})


async def listed(service: Service, store: str, **query: Any) -> dict[str, Any]:
    response = await service.api.get(f"/v1/Stores/{store}/Profiles", params=query)
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


async def test_a_profile_is_made_with_its_traits_and_identifiers(service: Service, store: str) -> None:
    contact = {
        "firstName": "Kiran",
        "lastName": "Rao",
        "email": " Kiran@Example.com ",
        "phone": "1-555-123-4567",
        "whatsapp": "+1 555 123 4567",
        "chat": "kiran-web",
        "street": "1 Main St",
        "city": "Springfield",
        "state": "IL",
        "postalCode": "62701",
        "country": "US",
    }
    response = await post_profile(service, store, {"Contact": contact})
    assert response.status_code == 202
    assert set(response.json()) == {"id", "message"}
    profile_id = response.json()["id"]

    profile = (await service.api.get(f"/v1/Stores/{store}/Profiles/{profile_id}")).json()
    assert set(profile) == {"id", "createdAt", "traits"}
    assert profile["id"] == profile_id
    assert len(profile["createdAt"]) == len("2026-02-03T09:15:04Z")
    assert profile["traits"] == {"Contact": contact}
    assert await identifiers_of(service, store, profile_id) == {
        "email": ["kiran@example.com"],
        "whatsapp": ["whatsapp:+15551234567"],
        "phone": ["+15551234567"],
        "chat": ["kiran-web"],
    }


async def test_the_same_identifier_in_another_form_is_the_same_profile(service: Service, store: str) -> None:
    first = await new_profile(service, store, phone="+15551234567", firstName="Kiran", city="Springfield")
    again = await new_profile(service, store, phone="(555) 123-4567", firstName="Kiran R.", email="k@example.com")
    assert again == first
    assert await profile_traits(service, store, first) == {
        "Contact": {
            "phone": "(555) 123-4567",
            "firstName": "Kiran R.",
            "city": "Springfield",
            "email": "k@example.com",
        }
    }
    assert await identifiers_of(service, store, first) == {"email": ["k@example.com"], "phone": ["+15551234567"]}
    by_mail = await new_profile(service, store, phone="+15559876543", email="K@example.com")
    assert by_mail == first
    assert (await identifiers_of(service, store, first))["phone"] == ["+15551234567", "+15559876543"]


async def test_traits_that_do_not_change_keep_their_time(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, phone="+15551234567", city="Springfield", state="IL")
    service.clock.advance(hours=1)
    await new_profile(service, store, phone="+15551234567", city="Chicago", state="IL")
    query = "select name, updated_at from profile_traits where profile_id = $1"
    times = dict(await service.fetch(query, profile_id))
    assert times["city"] > times["state"] == times["phone"]


async def test_identifiers_of_two_profiles_make_them_one(service: Service, store: str) -> None:
    first = await new_profile(service, store, phone="+15551234567")
    await new_profile(service, store, email="k@example.com", city="Springfield")
    contact = {"phone": "5551234567", "email": "K@Example.com", "chat": "new", "firstName": "Kiran"}
    response = await post_profile(service, store, {"Contact": contact})
    assert (response.status_code, response.json()["id"]) == (202, first)
    assert await profile_traits(service, store, first) == {"Contact": {**contact, "city": "Springfield"}}
    assert (await listed(service, store))["profiles"] == [first]
    for id_type, value in (("phone", "+15551234567"), ("email", "k@example.com"), ("chat", "new")):
        assert (await look_up(service, store, id_type, value)).json()["profiles"] == [first]


@pytest.mark.parametrize(
    "traits",
    [
        {},
        {"Contact": {}},
        {"Contact": {"firstName": "Kiran"}},
        {"Contact": {"phone": None, "email": None}},
        {"Contact": {"phone": "unknown", "email": "  "}},
        {"Contacts": {"phone": "+15551234567"}},
        {"contact": {"phone": "+15551234567"}},
        {"Loyalty": {"points": 3, "vip": True, "tags": ["a", 1, False], "rate": 0.5}},
    ],
)
async def test_without_an_identifier_there_is_no_profile(service: Service, store: str, traits: Any) -> None:
    refusal = assert_refused(await post_profile(service, store, traits), 400, 400, names="Contact.phone")
    assert refusal["params"]["field"] == "/traits"
    assert await rows_of_store(service, store) == [[], [], []]


async def test_undeclared_traits_are_dropped(service: Service, store: str) -> None:
    traits = {
        "Contact": {"phone": "+15551234567", "shoeSize": 44, "constructor": "x"},
        "IVR": {"path": "main>support", "steps": ["1", "2"], "lost": None},
    }
    response = await post_profile(service, store, traits)
    assert response.status_code == 202
    assert await profile_traits(service, store, response.json()["id"]) == {"Contact": {"phone": "+15551234567"}}


async def test_a_promoted_trait_that_cannot_be_an_identifier_stays_a_trait(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, phone="ask at the desk", email="k@example.com")
    assert (await profile_traits(service, store, profile_id))["Contact"]["phone"] == "ask at the desk"
    assert await identifiers_of(service, store, profile_id) == {"email": ["k@example.com"]}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/traits"),
        ({"traits": None}, "/traits"),
        ({"traits": []}, "/traits"),
        ({"traits": {"Contact": "x"}}, "/traits/Contact"),
        ({"traits": {"Contact": {"phone": "+15551234567"}}, "profileId": "x"}, "/profileId"),
        ({"traits": {"Contact": {"phone": 15551234567}}}, "/traits/Contact/phone"),
        ({"traits": {"Contact": {"phone": "+15551234567", "firstName": True}}}, "/traits/Contact/firstName"),
        ({"traits": {"Contact": {"phone": "+15551234567", "city": ["a"]}}}, "/traits/Contact/city"),
        ({"traits": {"Contact": {"phone": {"work": "+15551234567"}}}}, "/traits/Contact/phone"),
        ({"traits": {"Contact": {"phone": "+15551234567"}, "X": {"y": {"z": 1}}}}, "/traits/X/y"),
        ({"traits": {"Contact": {"phone": "+15551234567"}, "X": {"y": [["z"]]}}}, "/traits/X/y"),
        ({"traits": {"Contact": {"phone": "+15551234567"}, "X": {"y": [None]}}}, "/traits/X/y"),
        ({"traits": {"Contact": {"phone": "+15551234567", "city": "\x00"}}}, "/traits/Contact/city"),
        ({"traits": {"Contact": {"phone": "+15551234567", "city": "\ud800"}}}, "/traits/Contact/city"),
        ({"traits": {"Contact": {"phone": "+15551234567", "a/~": {}}}}, "/traits/Contact/a~1~0"),
        ({"traits": {f"group{number}": {} for number in range(51)}}, "/traits"),
        ({"traits": {"Contact": {f"trait{number}": 1 for number in range(100)}}}, "/traits/Contact"),
    ],
)
async def test_a_wrong_body_is_refused_by_pointer(service: Service, store: str, body: Any, pointer: str) -> None:
    response = await service.api.post(
        f"/v1/Stores/{store}/Profiles", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert assert_refused(response, 400, 400, names=pointer)["params"]["field"] == pointer
    assert await rows_of_store(service, store) == [[], [], []]


async def test_forms_and_strangers_are_refused(service: Service, store: str) -> None:
    path = f"/v1/Stores/{store}/Profiles"
    assert_refused(await service.api.post(path, data={"traits": "x"}), 415, 20415)
    assert_refused(await service.api.post(f"{path}/Lookup", data={"idType": "phone", "value": "1"}), 415, 20415)
    async with service.client() as api:
        assert_refused(await api.post(path, json={"traits": {"Contact": {"phone": "+15551234567"}}}), 401, 20003)
    assert await rows_of_store(service, store) == [[], [], []]


async def test_concurrent_posts_of_one_person_make_one_profile(service: Service, store: str) -> None:
    phone = new_phone()
    contacts: list[dict[str, str]] = [
        {"phone": phone, "email": "k@example.com"},
        {"email": "K@example.com", "chat": "kiran", "phone": phone},
        {"phone": phone[2:], "whatsapp": phone},
    ]
    answers = await asyncio.gather(
        *(post_profile(service, store, {"Contact": contacts[number % 3]}) for number in range(30))
    )
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    held = await identifiers_of(service, store, answers[0].json()["id"])
    assert set(held) == {"email", "whatsapp", "phone", "chat"}
    assert all(len(values) == 1 for values in held.values())
    assert len((await listed(service, store))["profiles"]) == 1


async def test_concurrent_posts_that_overlap_never_share_an_identifier(service: Service, store: str) -> None:
    """Halves of one person race with the whole: whoever is first decides, nothing is lost, nobody waits for ever."""
    for number in range(12):
        phone, mail = new_phone(), f"race{number}@example.com"
        whole, half, other = {"phone": phone, "email": mail}, {"phone": phone}, {"email": mail}
        answers = await asyncio.gather(
            *(post_profile(service, store, {"Contact": contact}) for contact in (half, whole, other, whole))
        )
        assert {answer.status_code for answer in answers} == {202}
        [by_phone] = (await look_up(service, store, "phone", phone)).json()["profiles"]
        [by_mail] = (await look_up(service, store, "email", mail)).json()["profiles"]
        assert by_phone == by_mail == min(answer.json()["id"] for answer in answers)
    keys = await service.fetch("select id_type, value from profile_identifiers where store_id = $1", store)
    assert len(keys) == len(set(keys)) == 24
    orphans = """
        select 1 from profile_identifiers i where store_id = $1
        and not exists (select from profiles p where p.store_id = i.store_id and p.id = i.profile_id)
    """
    assert await service.fetch(orphans, store) == []


async def test_a_list_is_pages_of_bare_ids_newest_first(service: Service, store: str) -> None:
    assert await listed(service, store) == {"profiles": [], "meta": {"key": "profiles", "pageSize": 0}}
    ids = [await new_profile(service, store, phone=new_phone()) for _ in range(5)]
    assert (await listed(service, store))["profiles"] == ids[::-1]
    first = await listed(service, store, PAGESIZE=2, orderBy="ASC")
    assert first["profiles"] == ids[:2]
    second = await listed(service, store, pageToken=first["meta"]["nextToken"])
    assert (second["profiles"], second["meta"]["pageSize"]) == (ids[2:4], 2)
    assert (await listed(service, store, pageToken=second["meta"]["nextToken"]))["profiles"] == ids[4:]
    assert (await listed(service, store, pageSize=1000))["profiles"] == ids[::-1]
    path = f"/v1/Stores/{store}/Profiles"
    assert_refused(await service.api.get(path, params={"pageSize": 1001}), 400, 400, names="pageSize")
    assert_refused(await service.api.get(path, params={"orderBy": "new"}), 400, 400, names="orderBy")


async def test_trait_groups_filter(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, phone="+15551234567")
    await service.fetch(
        "insert into profile_traits values ($1, $2, $3, 'Loyalty', 'points', '3', now())",
        service.account.account_id,
        store,
        profile_id,
    )
    contact, loyalty = {"Contact": {"phone": "+15551234567"}}, {"Loyalty": {"points": 3}}
    path = f"/v1/Stores/{store}/Profiles/{profile_id}"
    for query, expected in [
        ({}, contact | loyalty),
        ({"traitGroups": "Contact"}, contact),
        ({"TraitGroups": "Loyalty,Nothing"}, loyalty),
        ({"traitGroups": "Contact,Loyalty"}, contact | loyalty),
        ({"traitGroups": "Nothing"}, {}),
        ({"traitGroups": ""}, contact | loyalty),
    ]:
        assert (await service.api.get(path, params=query)).json()["traits"] == expected


@pytest.mark.parametrize(
    "profile_id", ["mem_profile_01kgh3m8qce0m9x2t6v4b7r5zn", "x", "mem_profile_1", "a%00b", "Lookup"]
)
async def test_unknown_profiles(service: Service, store: str, profile_id: str) -> None:
    assert_refused(await service.api.get(f"/v1/Stores/{store}/Profiles/{profile_id}"), 404, 20404)


async def test_profiles_of_other_stores_and_accounts_do_not_exist(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, phone="+15551234567")
    other = await new_store(service)
    assert_refused(await service.api.get(f"/v1/Stores/{other}/Profiles/{profile_id}"), 404, 20404, names=profile_id)
    assert (await look_up(service, other, "phone", "+15551234567")).json()["profiles"] == []
    async with service.client(await service.new_account()) as api:
        path = f"/v1/Stores/{store}/Profiles"
        body = {"traits": {"Contact": {"phone": "+15551234567", "firstName": "Mallory"}}}
        assert_refused(await api.get(f"{path}/{profile_id}"), 404, 520041)
        assert_refused(await api.get(path), 404, 520041)
        assert_refused(await api.post(path, json=body), 404, 520041)
        assert_refused(await api.post(f"{path}/Lookup", json={"idType": "phone", "value": "x"}), 404, 520041)
    assert await profile_traits(service, store, profile_id) == {"Contact": {"phone": "+15551234567"}}


async def test_lookup(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, phone="+15551234567", email="k@example.com")
    for id_type, value, normalised in [
        ("phone", "555 123 4567", "+15551234567"),
        ("phone", "whatsapp:+15551234567", "+15551234567"),
        ("email", "K @Example.com", "k@example.com"),
    ]:
        response = await look_up(service, store, id_type, value)
        assert response.status_code == 200
        assert response.json() == {"normalizedValue": normalised, "profiles": [profile_id]}


async def test_lookup_is_exact(service: Service, store: str) -> None:
    """Phone and WhatsApp of one number meet when traffic is recognised, not here."""
    assert service.settings.link_phone_and_whatsapp
    await new_profile(service, store, phone="+15551234567")
    response = await look_up(service, store, "whatsapp", "+15551234567")
    assert response.json() == {"normalizedValue": "whatsapp:+15551234567", "profiles": []}
    assert len((await listed(service, store))["profiles"]) == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"idType": "pushUserID", "value": "x"}, "/idType"),
        ({"idType": "Phone", "value": "+15551234567"}, "/idType"),
        ({"idType": "p", "value": "+15551234567"}, "/idType"),
        ({"idType": "x" * 31, "value": "+15551234567"}, "/idType"),
        ({"idType": "phone", "value": "nobody"}, "/value"),
        ({"idType": "phone", "value": ""}, "/value"),
        ({"idType": "email", "value": "x" * 256}, "/value"),
        ({"idType": "email", "value": "a\x00b"}, "/value"),
        ({"idType": "phone", "value": 15551234567}, "/value"),
        ({"idType": "phone"}, "/value"),
        ({"value": "+15551234567"}, "/idType"),
    ],
)
async def test_a_wrong_lookup_is_refused(service: Service, store: str, body: Any, pointer: str) -> None:
    response = await service.api.post(f"/v1/Stores/{store}/Profiles/Lookup", json=body)
    assert assert_refused(response, 400, 400, names=pointer)["params"]["field"] == pointer


async def test_a_store_that_is_not_active_cannot_serve(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, phone="+15551234567")
    await service.fetch("update memory_stores set status = 'FAILED' where id = $1", store)
    before = await rows_of_store(service, store)
    path = f"/v1/Stores/{store}/Profiles"
    for response in (
        await service.api.get(path),
        await service.api.get(f"{path}/{profile_id}"),
        await post_profile(service, store, {"Contact": {"phone": new_phone()}}),
        await look_up(service, store, "phone", "+15551234567"),
    ):
        assert assert_refused(response, 409, 520042, names=store)["details"] == {"status": "FAILED"}
    assert await rows_of_store(service, store) == before
    assert (await service.api.get(f"/v1/ControlPlane/Stores/{store}")).json()["status"] == "FAILED"
