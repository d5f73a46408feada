"""Many profiles in one request."""

import asyncio
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


def path(store: str) -> str:
    return f"/v1/Stores/{store}/Profiles/Bulk"


async def put(service: Service, store: str, *contacts: dict[str, Any]) -> httpx.Response:
    body = {"profiles": [{"traits": {"Contact": contact}} for contact in contacts]}
    return await service.api.put(path(store), json=body)


async def outcome(service: Service, response: httpx.Response) -> dict[str, Any]:
    """What the operation tells."""
    assert response.status_code == 202, response.text
    operation = (await service.api.get(response.json()["statusUrl"])).json()
    assert operation["status"] == "COMPLETED"
    result: dict[str, Any] = operation["result"]
    return result


async def found(service: Service, store: str, phone: str) -> list[str]:
    body = {"idType": "phone", "value": phone}
    response = await service.api.post(f"/v1/Stores/{store}/Profiles/Lookup", json=body)
    profiles: list[str] = response.json()["profiles"]
    return profiles


async def test_profiles_are_made_and_added_to(service: Service, store: str) -> None:
    phones = [new_phone() for _ in range(3)]
    known = await new_profile(service, store, phone=phones[0], firstName="Kiran", city="Springfield")
    contacts = [
        {"phone": phones[0], "firstName": "K.", "email": "k@example.com"},
        {"phone": phones[1], "firstName": "Ann"},
        {"phone": phones[2], "shoeSize": "44"},
    ]
    response = await put(service, store, *contacts)
    assert set(response.json()) == {"message", "operationId", "createdAt", "statusUrl"}
    assert response.headers["Operation-Id"] == response.json()["operationId"]
    assert response.headers["Location"] == response.json()["statusUrl"]
    assert await outcome(service, response) == {
        "type": "RESOURCE_ID", "id": store, "written": 3, "skipped": 0, "skips": []
    }  # fmt: skip
    assert await profile_traits(service, store, known) == {
        "Contact": {"phone": phones[0], "firstName": "K.", "city": "Springfield", "email": "k@example.com"}
    }
    assert await identifiers_of(service, store, known) == {"email": ["k@example.com"], "phone": [phones[0]]}
    [ann], [other] = await found(service, store, phones[1]), await found(service, store, phones[2])
    assert (await profile_traits(service, store, ann))["Contact"]["firstName"] == "Ann"
    assert await profile_traits(service, store, other) == {"Contact": {"phone": phones[2]}}


async def test_the_same_person_twice_is_one_profile(service: Service, store: str) -> None:
    phone, other = new_phone(), new_phone()
    response = await put(
        service,
        store,
        {"phone": phone, "email": "k@example.com", "city": "Springfield", "state": "IL"},
        {"email": "K@example.com", "chat": "kiran", "city": "Chicago"},
        {"chat": "kiran", "phone": other},
    )
    assert (await outcome(service, response))["written"] == 3
    [profile_id] = await found(service, store, phone)
    assert await profile_traits(service, store, profile_id) == {
        "Contact": {"phone": other, "email": "K@example.com", "chat": "kiran", "city": "Chicago", "state": "IL"}
    }
    held = {"email": ["k@example.com"], "phone": sorted([phone, other]), "chat": ["kiran"]}
    assert await identifiers_of(service, store, profile_id) == held


async def test_what_is_wrong_with_one_does_not_keep_the_others(service: Service, store: str) -> None:
    first = await new_profile(service, store, phone="+15551234567")
    await new_profile(service, store, email="k@example.com")
    good = [new_phone(), new_phone()]
    response = await put(
        service,
        store,
        {"phone": good[0]},
        {"firstName": "Nobody"},
        {"phone": "+15551234567", "email": "k@example.com", "city": "x"},
        {"phone": new_phone(), "city": 44},
        {"phone": good[1]},
    )
    result = await outcome(service, response)
    assert (result["written"], result["skipped"]) == (3, 2)
    assert [skip["index"] for skip in result["skips"]] == [1, 3]
    nobody, wrong = (skip["message"] for skip in result["skips"])
    assert "Contact.phone" in nobody
    assert wrong.startswith("/traits/Contact/city: ")
    assert all([await found(service, store, phone) for phone in good])
    assert (await profile_traits(service, store, first))["Contact"]["city"] == "x"


async def test_a_thousand_at_once(service: Service, store: str) -> None:
    phones = [new_phone() for _ in range(1000)]
    for city in ("Springfield", "Chicago"):
        response = await put(service, store, *({"phone": phone, "city": city} for phone in phones))
        assert (await outcome(service, response))["written"] == 1000
    rows = await service.fetch("select value from profile_traits where store_id = $1 and name = 'city'", store)
    assert [row["value"] for row in rows] == ["Chicago"] * 1000


async def test_a_hundred_skips_are_told(service: Service, store: str) -> None:
    result = await outcome(service, await put(service, store, *({"city": "x"} for _ in range(120))))
    assert (result["written"], result["skipped"], len(result["skips"])) == (0, 120, 100)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/profiles"),
        ({"profiles": []}, "/profiles"),
        ({"profiles": None}, "/profiles"),
        ({"profiles": [{"traits": {"Contact": {"phone": "+15551234567"}}}] * 1001}, "/profiles"),
        ({"profiles": [{"traits": {"Contact": {"phone": "+15551234567"}}}, {}]}, "/profiles/1/traits"),
        ({"profiles": [{"traits": {"Contact": {"phone": "+15551234567"}}}, {"traits": {}, "id": 1}]}, "/profiles/1/id"),
        ({"profiles": [{"traits": {"Contact": {"phone": {"a": 1}}}}]}, "/profiles/0/traits/Contact/phone"),
        ({"profiles": [{"traits": {"Contact": {"phone": "+15551234567"}}}], "more": 1}, "/more"),
    ],
)
async def test_a_wrong_body_writes_nothing(service: Service, store: str, body: Any, pointer: str) -> None:
    response = await service.api.put(path(store), json=body)
    assert assert_refused(response, 400, 400, names=pointer)["params"]["field"] == pointer
    assert await rows_of_store(service, store) == [[], [], []]


async def test_foreign_accounts_strangers_and_forms(service: Service, store: str) -> None:
    body = {"profiles": [{"traits": {"Contact": {"phone": new_phone()}}}]}
    async with service.client(await service.new_account()) as api:
        assert_refused(await api.put(path(store), json=body), 404, 520041)
    async with service.client() as api:
        assert_refused(await api.put(path(store), json=body), 401, 20003)
    assert_refused(await service.api.put(path(store), data={"profiles": "x"}), 415, 20415)
    assert await rows_of_store(service, store) == [[], [], []]


async def test_batches_and_single_profiles_race_for_the_same_people(service: Service, store: str) -> None:
    phones = [new_phone() for _ in range(20)]
    contacts = [{"phone": phone, "email": f"{phone[1:]}@example.com"} for phone in phones]
    answers = await asyncio.gather(
        put(service, store, *contacts),
        put(service, store, *contacts[::-1]),
        put(service, store, *({"email": one["email"], "phone": one["phone"]} for one in contacts)),
        *(post_profile(service, store, {"Contact": {"phone": one["phone"]}}) for one in contacts[:8]),
    )
    assert {answer.status_code for answer in answers} == {202}
    assert len(await service.fetch("select from profiles where store_id = $1", store)) == 20
    keys = await service.fetch("select id_type, value from profile_identifiers where store_id = $1", store)
    assert len(keys) == len(set(keys)) == 40
