"""A profile's identifiers over HTTP."""

import asyncio
from typing import Any

import httpx
import pytest

from orchestrator.domain.identifiers import MAX_VALUES
from orchestrator.kernel.ids import PROFILE, new_id
from orchestrator.memory import identifiers
from orchestrator.memory.stores import serving_store
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
    until_somebody_waits_for,
)


@pytest.fixture
async def store(service: Service) -> str:
    return await new_store(service)


def path(store: str, profile_id: str) -> str:
    return f"/v1/Stores/{store}/Profiles/{profile_id}/Identifiers"


async def add(service: Service, store: str, profile_id: str, id_type: str, value: str) -> httpx.Response:
    return await service.api.post(path(store, profile_id), json={"idType": id_type, "value": value})


async def found_by(service: Service, store: str, id_type: str, value: str) -> list[str]:
    response = await service.api.post(f"/v1/Stores/{store}/Profiles/Lookup", json={"idType": id_type, "value": value})
    profiles: list[str] = response.json()["profiles"]
    return profiles


async def test_kirans_other_phone_is_linked(service: Service, store: str) -> None:
    kiran = await new_profile(service, store, phone="+15551234567", firstName="Kiran")
    service.clock.advance(minutes=1)
    response = await add(service, store, kiran, "phone", "+1 (555) 987-6543")
    assert response.status_code == 202
    assert set(response.json()) == {"message"}
    assert await found_by(service, store, "phone", "+15559876543") == [kiran]
    assert await found_by(service, store, "phone", "+15551234567") == [kiran]

    listed = await service.api.get(path(store, kiran))
    assert listed.json() == {"identifiers": [{"idType": "phone", "values": ["+15551234567", "+15559876543"]}]}
    one = await service.api.get(f"{path(store, kiran)}/phone")
    assert one.json() == {"idType": "phone", "values": ["+15551234567", "+15559876543"]}
    # An identifier is not a trait.
    assert await profile_traits(service, store, kiran) == {"Contact": {"phone": "+15551234567", "firstName": "Kiran"}}


async def test_types_are_listed_in_the_order_of_their_priority(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, chat="kiran")
    for id_type, value in [("phone", "+15551234567"), ("email", "K@example.com"), ("whatsapp", "+15551234567")]:
        assert (await add(service, store, profile_id, id_type, value)).status_code == 202
    listed = (await service.api.get(path(store, profile_id))).json()["identifiers"]
    assert [one["idType"] for one in listed] == ["email", "whatsapp", "phone", "chat"]
    assert listed[1] == {"idType": "whatsapp", "values": ["whatsapp:+15551234567"]}


async def test_adding_what_the_profile_has_changes_nothing(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, phone="+15551234567")
    before = await rows_of_store(service, store)
    service.clock.advance(minutes=1)
    assert (await add(service, store, profile_id, "phone", "555-123-4567")).status_code == 202
    assert await rows_of_store(service, store) == before


async def test_with_another_profiles_value_the_two_are_one(service: Service, store: str) -> None:
    holder = await new_profile(service, store, phone="+15551234567")
    profile_id = await new_profile(service, store, email="k@example.com")
    assert (await add(service, store, profile_id, "phone", "5551234567")).status_code == 202
    held = {"email": ["k@example.com"], "phone": ["+15551234567"]}
    assert await identifiers_of(service, store, holder) == held
    assert await found_by(service, store, "email", "k@example.com") == [holder]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"idType": "pushUserID", "value": "x"}, "/idType"),
        ({"idType": "PHONE", "value": "+15559876543"}, "/idType"),
        ({"idType": "x", "value": "+15559876543"}, "/idType"),
        ({"idType": "phone", "value": "12"}, "/value"),
        ({"idType": "phone", "value": None}, "/value"),
        ({"idType": "chat", "value": "x" * 256}, "/value"),
        ({"idType": "chat", "value": " "}, "/value"),
        ({"idType": "email", "value": "a\x00b"}, "/value"),
        ({}, "/idType"),
    ],
)
async def test_a_wrong_body_is_refused_by_pointer(service: Service, store: str, body: Any, pointer: str) -> None:
    profile_id = await new_profile(service, store, phone="+15551234567")
    before = await rows_of_store(service, store)
    response = await service.api.post(path(store, profile_id), json=body)
    assert assert_refused(response, 400, 400, names=pointer)["params"]["field"] == pointer
    assert await rows_of_store(service, store) == before


async def test_forms_are_refused(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, phone="+15551234567")
    form = await service.api.post(path(store, profile_id), data={"idType": "phone", "value": "+15559876543"})
    assert_refused(form, 415, 20415)
    assert await identifiers_of(service, store, profile_id) == {"phone": ["+15551234567"]}


async def test_unknown_profiles_and_foreign_accounts(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, phone="+15551234567")
    other = await new_store(service)
    body = {"idType": "phone", "value": "+15559876543"}
    for wrong in (path(store, new_id(PROFILE)), path(store, "x"), path(other, profile_id)):
        assert_refused(await service.api.get(wrong), 404, 20404)
        assert_refused(await service.api.get(f"{wrong}/phone"), 404, 20404)
        assert_refused(await service.api.post(wrong, json=body), 404, 20404)
        assert_refused(await service.api.delete(f"{wrong}/phone"), 404, 20404)
        change = {"idType": "phone", "oldValue": "+15551234567", "newValue": "+15559876543"}
        assert_refused(await service.api.patch(f"{wrong}/phone", json=change), 404, 20404)
    async with service.client(await service.new_account()) as api:
        mine = path(store, profile_id)
        assert_refused(await api.get(mine), 404, 520041)
        assert_refused(await api.get(f"{mine}/phone"), 404, 520041)
        assert_refused(await api.post(mine, json=body), 404, 520041)
        assert_refused(await api.delete(f"{mine}/phone"), 404, 520041)
        assert_refused(await api.patch(f"{mine}/phone", json=change), 404, 520041)
    assert await identifiers_of(service, store, profile_id) == {"phone": ["+15551234567"]}


async def test_a_type_the_profile_does_not_have(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, phone="+15551234567")
    for id_type in ("email", "pushUserID"):
        assert_refused(await service.api.get(f"{path(store, profile_id)}/{id_type}"), 404, 20404, names=id_type)
        assert_refused(await service.api.delete(f"{path(store, profile_id)}/{id_type}"), 404, 20404, names=id_type)


async def with_three_phones(service: Service, store: str) -> tuple[str, list[str]]:
    phones = [new_phone() for _ in range(3)]
    profile_id = await new_profile(service, store, phone=phones[2], email="k@example.com")
    for phone in (phones[0], phones[1]):
        service.clock.advance(minutes=1)
        await add(service, store, profile_id, "phone", phone)
    return profile_id, [phones[2], phones[0], phones[1]]


async def test_delete_removes_the_oldest_value(service: Service, store: str) -> None:
    profile_id, phones = await with_three_phones(service, store)
    response = await service.api.delete(f"{path(store, profile_id)}/phone")
    assert response.status_code == 202
    assert set(response.json()) == {"message"}
    held = {"email": ["k@example.com"], "phone": phones[1:]}
    assert await identifiers_of(service, store, profile_id) == held
    assert await found_by(service, store, "phone", phones[0]) == []
    # The trait it came from stays; the value is free for somebody else.
    assert (await profile_traits(service, store, profile_id))["Contact"]["phone"] == phones[0]
    assert await new_profile(service, store, phone=phones[0]) != profile_id


@pytest.mark.parametrize("query", [{"removeAll": "true"}, {"RemoveAll": "True"}])
async def test_delete_removes_all_values(service: Service, store: str, query: dict[str, str]) -> None:
    profile_id, _ = await with_three_phones(service, store)
    response = await service.api.delete(f"{path(store, profile_id)}/phone", params=query)
    assert response.status_code == 202
    assert await identifiers_of(service, store, profile_id) == {"email": ["k@example.com"]}
    assert_refused(await service.api.delete(f"{path(store, profile_id)}/phone"), 404, 20404)
    assert (await service.api.delete(f"{path(store, profile_id)}/email?removeAll=false")).status_code == 202
    assert (await service.api.get(path(store, profile_id))).json() == {"identifiers": []}
    assert (await service.api.get(f"/v1/Stores/{store}/Profiles/{profile_id}")).status_code == 200


async def test_a_wrong_remove_all_is_refused(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, phone="+15551234567")
    response = await service.api.delete(f"{path(store, profile_id)}/phone", params={"removeAll": "maybe"})
    assert_refused(response, 400, 400, names="removeAll")
    assert await identifiers_of(service, store, profile_id) == {"phone": ["+15551234567"]}


async def replace(service: Service, store: str, profile_id: str, id_type: str, old: str, new: str) -> httpx.Response:
    body = {"idType": id_type, "oldValue": old, "newValue": new}
    return await service.api.patch(f"{path(store, profile_id)}/{id_type}", json=body)


async def test_a_value_is_put_in_place_of_another(service: Service, store: str) -> None:
    profile_id, phones = await with_three_phones(service, store)
    service.clock.advance(minutes=1)
    new = new_phone()
    response = await replace(service, store, profile_id, "phone", phones[1][2:], f" {new[1:]} ")
    assert response.status_code == 202
    assert set(response.json()) == {"message"}
    assert (await identifiers_of(service, store, profile_id))["phone"] == [phones[0], phones[2], new]
    assert await found_by(service, store, "phone", new) == [profile_id]
    assert await found_by(service, store, "phone", phones[1]) == []
    # One that the profile has already: the old one goes, and nothing comes.
    assert (await replace(service, store, profile_id, "phone", phones[0], new)).status_code == 202
    assert (await identifiers_of(service, store, profile_id))["phone"] == [phones[2], new]
    before = await rows_of_store(service, store)
    assert (await replace(service, store, profile_id, "phone", new, new[2:])).status_code == 202
    assert await rows_of_store(service, store) == before


async def test_with_a_replacement_that_another_profile_has_the_two_are_one(service: Service, store: str) -> None:
    holder = await new_profile(service, store, phone="+15551234567")
    profile_id = await new_profile(service, store, phone="+15559876543", email="k@example.com")
    response = await replace(service, store, profile_id, "phone", "+15559876543", "+15551234567")
    assert response.status_code == 202
    held = {"email": ["k@example.com"], "phone": ["+15551234567"]}
    assert await identifiers_of(service, store, holder) == held
    assert await found_by(service, store, "phone", "+15559876543") == []


@pytest.mark.parametrize(
    ("body", "status", "names"),
    [
        ({"idType": "phone", "oldValue": "+15550000000", "newValue": "+15559876543"}, 404, "+15550000000"),
        ({"idType": "email", "oldValue": "+15551234567", "newValue": "+15559876543"}, 400, "/idType"),
        ({"idType": "phone", "oldValue": "+15551234567", "newValue": "12"}, 400, "/newValue"),
        ({"idType": "phone", "oldValue": "12", "newValue": "+15559876543"}, 400, "/oldValue"),
        ({"idType": "phone", "oldValue": "+15551234567"}, 400, "/newValue"),
        ({"idType": "phone", "newValue": "+15559876543"}, 400, "/oldValue"),
        ({"oldValue": "+15551234567", "newValue": "+15559876543"}, 400, "/idType"),
        ({"idType": "phone", "oldValue": "+15551234567", "newValue": "\x00"}, 400, "/newValue"),
        ({"idType": "phone", "oldValue": "+15551234567", "newValue": "1" * 256}, 400, "/newValue"),
    ],
)
async def test_a_wrong_replacement_is_refused(service: Service, store: str, body: Any, status: int, names: str) -> None:
    profile_id = await new_profile(service, store, phone="+15551234567")
    before = await rows_of_store(service, store)
    response = await service.api.patch(f"{path(store, profile_id)}/phone", json=body)
    assert_refused(response, status, 20404 if status == 404 else 400, names=names)
    assert await rows_of_store(service, store) == before


async def test_a_replacement_of_a_type_that_the_store_does_not_have(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, phone="+15551234567")
    assert_refused(await replace(service, store, profile_id, "userId", "a", "b"), 400, 400, names="/idType")
    assert_refused(await replace(service, store, profile_id, "email", "a@b.c", "b@b.c"), 404, 20404, names="a@b.c")


async def test_concurrent_replacements_replace_once(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, phone="+15551234567")
    phones = [new_phone() for _ in range(5)]
    answers = await asyncio.gather(
        *(replace(service, store, profile_id, "phone", "+15551234567", phone) for phone in phones)
    )
    assert sorted(answer.status_code for answer in answers) == [202] + [404] * 4
    assert len((await identifiers_of(service, store, profile_id))["phone"]) == 1


async def test_concurrent_deletes_remove_one_value_each(service: Service, store: str) -> None:
    profile_id, phones = await with_three_phones(service, store)
    async with service.units.begin() as unit:
        held = await serving_store(unit, service.account.account_id, store, writing=True)
        await identifiers.remove(unit, held, profile_id, "phone", every=False)
        another = asyncio.create_task(service.api.delete(f"{path(store, profile_id)}/phone"))
        await until_somebody_waits_for(unit)
    assert (await another).status_code == 202
    assert (await identifiers_of(service, store, profile_id))["phone"] == phones[2:]


async def test_concurrent_adds_make_all_of_them_one_profile(service: Service, store: str) -> None:
    profiles = [await new_profile(service, store, phone=new_phone()) for _ in range(6)]
    answers = await asyncio.gather(*(add(service, store, one, "email", "k@example.com") for one in profiles))
    assert {answer.status_code for answer in answers} == {202}
    assert await found_by(service, store, "email", "k@example.com") == profiles[:1]
    assert len((await identifiers_of(service, store, profiles[0]))["phone"]) == 6


async def test_adds_and_upserts_of_the_same_values_do_not_wait_for_each_other(service: Service, store: str) -> None:
    phone, mail = new_phone(), "k@example.com"
    one, two = [await new_profile(service, store, phone=new_phone()) for _ in range(2)]
    answers = await asyncio.gather(
        add(service, store, one, "phone", phone),
        add(service, store, two, "email", mail),
        *(post_profile(service, store, {"Contact": {"phone": phone, "email": mail}}) for _ in range(6)),
    )
    # 308: it was merged into the other one before its own request was served.
    assert {answer.status_code for answer in answers} <= {202, 308}
    assert len(await found_by(service, store, "phone", phone)) == 1
    assert await found_by(service, store, "email", mail) == await found_by(service, store, "phone", phone)


async def test_a_hundred_values_of_a_type_are_kept(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, chat="chat-0", email="k@example.com")
    for number in range(1, MAX_VALUES + 2):
        service.clock.advance(seconds=1)
        await add(service, store, profile_id, "chat", f"chat-{number}")
    held = await identifiers_of(service, store, profile_id)
    assert held["chat"] == [f"chat-{number}" for number in range(2, MAX_VALUES + 2)]
    assert held["email"] == ["k@example.com"]
