"""Identity resolution settings over HTTP: what they may say, and what they do to what is written."""

import asyncio
import base64
import json
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from orchestrator.memory import identity_settings, stores, upsert
from orchestrator.memory.store import active_stores
from tests.support.app import ORIGIN, Service
from tests.support.memory import (
    assert_refused,
    identifiers_of,
    new_phone,
    new_profile,
    new_store,
    post_profile,
    until_somebody_waits_for,
)

RESERVED = ["email", "whatsapp", "phone", "chat"]
NORMAL = {"email": "email", "whatsapp": "trim", "phone": "phone", "chat": "trim"}


def config(id_type: str, **more: Any) -> dict[str, Any]:
    """A type as it is answered."""
    return {
        "idType": id_type,
        "matchingAlgo": "exact",
        "matchingThreshold": 75,
        "limit": 100,
        "limitPolicy": "fifo",
        "enforceUnique": True,
        "normalization": NORMAL.get(id_type, "trim"),
        **more,
    }


def settings(*configs: dict[str, Any], rules: list[str] | None = None) -> dict[str, Any]:
    """The defaults with these types, which may stand for those of their names, and with rules for all."""
    types = {name: config(name) for name in RESERVED} | {one["idType"]: one for one in configs}
    return {"identifierConfigs": list(types.values()), "matchingRules": list(types) if rules is None else rules}


def path(store: str) -> str:
    return f"/v1/ControlPlane/Stores/{store}/IdentityResolutionSettings"


@pytest.fixture
async def store(service: Service) -> str:
    return await new_store(service)


async def put(service: Service, store: str, body: Any) -> httpx.Response:
    return await service.api.put(path(store), json=body)


async def set_up(service: Service, store: str, *configs: dict[str, Any], rules: list[str] | None = None) -> None:
    response = await put(service, store, settings(*configs, rules=rules))
    assert response.status_code == 202, response.text


async def promote(service: Service, store: str, group: str, **promotions: str) -> None:
    """Make traits of a group whose values are identifiers."""
    traits = {name: {"dataType": "STRING", "idTypePromotion": id_type} for name, id_type in promotions.items()}
    groups = f"/v1/ControlPlane/Stores/{store}/TraitGroups"
    response = await service.api.post(groups, json={"displayName": group, "traits": traits})
    assert response.status_code == 202, response.text


async def fetched(service: Service, store: str) -> dict[str, Any]:
    response = await service.api.get(path(store))
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def look_up(service: Service, store: str, id_type: str, value: str) -> dict[str, Any]:
    response = await service.api.post(f"/v1/Stores/{store}/Profiles/Lookup", json={"idType": id_type, "value": value})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def add(service: Service, store: str, profile_id: str, id_type: str, value: str) -> httpx.Response:
    address = f"/v1/Stores/{store}/Profiles/{profile_id}/Identifiers"
    return await service.api.post(address, json={"idType": id_type, "value": value})


async def test_a_new_store_has_the_defaults(service: Service, store: str) -> None:
    answer = await service.api.get(path(store))
    assert answer.json() == {
        "identifierConfigs": [config(name) for name in RESERVED],
        "matchingRules": RESERVED,
        "version": 1,
    }
    assert json.loads(base64.b64decode(answer.headers["ETag"].strip('"'))) == {"id": store, "version": 1}


async def test_a_put_replaces_everything(service: Service, store: str) -> None:
    before = await fetched(service, store)
    # What clients do: take what is there, with its version, and add to it.
    before["identifierConfigs"].append({"idType": "userId"})
    before["matchingRules"].insert(0, "userId")
    response = await put(service, store, before)
    assert response.status_code == 202
    assert set(response.json()) == {"message", "statusUrl"}
    assert response.headers["Location"] == f"{ORIGIN}/v1/ControlPlane/Operations/{response.headers['Operation-Id']}"
    assert (await service.api.get(response.headers["Location"])).json()["result"]["id"] == store
    assert await fetched(service, store) == {
        "identifierConfigs": [*(config(name) for name in RESERVED), config("userId")],
        "matchingRules": ["userId", *RESERVED],
        "version": 2,
    }
    await set_up(service, store, config("phone", limit=2, limitPolicy="lifo"), rules=["phone"])
    assert await fetched(service, store) == {
        "identifierConfigs": [
            config(name, **({"limit": 2, "limitPolicy": "lifo"} if name == "phone" else {})) for name in RESERVED
        ],
        "matchingRules": ["phone"],
        "version": 3,
    }


async def test_what_is_left_out_is_as_the_type_has_it_from_the_start(service: Service, store: str) -> None:
    bare = [{"idType": name, "normalization": None, "limit": None} for name in [*RESERVED, "userId"]]
    await put(service, store, {"identifierConfigs": bare, "matchingRules": ["phone"]})
    assert (await fetched(service, store))["identifierConfigs"] == [config(name) for name in [*RESERVED, "userId"]]


async def test_choices_are_read_in_any_case(service: Service, store: str) -> None:
    loud = {"matchingAlgo": "FUZZY", "limitPolicy": "LIFO", "normalization": "None", "matchingThreshold": 50}
    with capture_logs() as logs:
        await set_up(service, store, {"idType": "userId", **loud})
    quiet = {"matchingAlgo": "fuzzy", "limitPolicy": "lifo", "normalization": "none", "matchingThreshold": 50}
    assert (await fetched(service, store))["identifierConfigs"][-1] == config("userId", **quiet)
    [warning] = [line for line in logs if line["log_level"] == "warning"]
    assert warning["id_type"] == "userId"
    assert "exact" in warning["event"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"identifierConfigs": None}, "/identifierConfigs"),
        ({"identifierConfigs": []}, "/identifierConfigs"),
        ({"matchingRules": []}, "/matchingRules"),
        ({"matchingRules": ["phone"] * 16}, "/matchingRules"),
        ({"matchingRules": ["phone", "phone"]}, "/matchingRules/1"),
        ({"matchingRules": ["phone", "shoe"]}, "/matchingRules/1"),
        ({"matchingRules": ["email AND phone"]}, "/matchingRules/0"),
        ({"matchingRules": ["email and  phone"]}, "/matchingRules/0"),
        ({"matchingRules": ["x" * 31]}, "/matchingRules/0"),
        ({"matchingRules": [1]}, "/matchingRules/0"),
        ({"matchingRules": ["a\x00"]}, "/matchingRules/0"),
        ({"matchingRules": "phone"}, "/matchingRules"),
    ],
)
async def test_wrong_settings_are_refused_by_pointer(service: Service, store: str, change: Any, pointer: str) -> None:
    response = await put(service, store, settings() | change)
    assert assert_refused(response, 400, 520046, names=pointer)["params"]["field"] == pointer
    assert await fetched(service, store) == {**settings(), "version": 1}


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({}, "/idType"),
        ({"idType": "x"}, "/idType"),
        ({"idType": "x" * 31}, "/idType"),
        ({"idType": "a b"}, "/idType"),
        ({"idType": "userId", "matchingAlgo": "close"}, "/matchingAlgo"),
        ({"idType": "userId", "matchingThreshold": 49}, "/matchingThreshold"),
        ({"idType": "userId", "matchingThreshold": 100}, "/matchingThreshold"),
        ({"idType": "userId", "limit": 0}, "/limit"),
        ({"idType": "userId", "limit": 101}, "/limit"),
        ({"idType": "userId", "limit": "1"}, "/limit"),
        ({"idType": "userId", "limitPolicy": "lru"}, "/limitPolicy"),
        ({"idType": "userId", "enforceUnique": "yes"}, "/enforceUnique"),
        ({"idType": "userId", "normalization": "upper"}, "/normalization"),
        ({"idType": "userId", "unknown": 1}, "/unknown"),
    ],
)
async def test_a_wrong_type_is_refused_by_pointer(service: Service, store: str, wrong: Any, pointer: str) -> None:
    body = settings()
    body["identifierConfigs"].append(wrong)
    pointer = f"/identifierConfigs/4{pointer}"
    assert assert_refused(await put(service, store, body), 400, 520046, names=pointer)["params"]["field"] == pointer
    assert (await fetched(service, store))["version"] == 1


@pytest.mark.parametrize("twin", ["phone", "Phone", "userid"])
async def test_a_type_is_there_once(service: Service, store: str, twin: str) -> None:
    body = settings(config("userId"))
    body["identifierConfigs"].append({"idType": twin})
    assert_refused(await put(service, store, body), 400, 520046, names=twin)
    body = settings()
    body["identifierConfigs"] = [{"idType": f"type{number}"} for number in range(16)]
    assert_refused(await put(service, store, body), 400, 520046, names="/identifierConfigs")


@pytest.mark.parametrize("missing", RESERVED)
async def test_reserved_types_are_carried_along(service: Service, store: str, missing: str) -> None:
    body = settings(rules=["phone" if missing != "phone" else "email"])
    body["identifierConfigs"] = [one for one in body["identifierConfigs"] if one["idType"] != missing]
    refusal = assert_refused(await put(service, store, body), 400, 520046, names=f"missing: {missing}")
    assert refusal["params"]["field"] == "/identifierConfigs"
    assert (await fetched(service, store))["version"] == 1


async def test_a_type_that_a_trait_is_promoted_to_stays(service: Service, store: str) -> None:
    await set_up(service, store, config("userId"))
    await promote(service, store, "Account", userId="userId")
    refusal = assert_refused(await put(service, store, settings()), 400, 520046, names="Account.userId")
    assert refusal["params"]["field"] == "/identifierConfigs"
    groups = f"/v1/ControlPlane/Stores/{store}/TraitGroups/Account"
    assert_refused(await service.api.delete(groups), 409, 20409, names="userId")
    await set_up(service, store, config("userId"), rules=RESERVED)
    assert (await service.api.delete(groups)).status_code == 202
    assert (await put(service, store, settings())).status_code == 202


async def test_a_put_may_depend_on_the_version(service: Service, store: str) -> None:
    tag = (await service.api.get(path(store))).headers["ETag"]
    for header in (tag, "*"):
        response = await service.api.put(path(store), json=settings(), headers={"If-Match": header})
        assert response.status_code == 202
    for header in (tag, tag.strip('"'), "x"):
        stale = await service.api.put(path(store), json=settings(config("userId")), headers={"If-Match": header})
        assert_refused(stale, 412, 520043, names="If-Match")
    assert await fetched(service, store) == {**settings(), "version": 3}


async def test_one_of_two_changes_of_a_version_is_made(service: Service, store: str) -> None:
    tag = (await service.api.get(path(store))).headers["ETag"]
    answers = await asyncio.gather(
        *(service.api.put(path(store), json=settings(), headers={"If-Match": tag}) for _ in range(6))
    )
    assert sorted(answer.status_code for answer in answers) == [202] + [412] * 5


async def test_settings_of_other_accounts_do_not_exist(service: Service, store: str) -> None:
    async with service.client(await service.new_account()) as api:
        assert_refused(await api.get(path(store)), 404, 520041)
        assert_refused(await api.put(path(store), json=settings()), 404, 520041)
    async with service.client() as api:
        assert_refused(await api.get(path(store)), 401, 20003)
    assert_refused(await service.api.get(path("x")), 400, 520049)
    assert_refused(await service.api.put(path(store), data={"matchingRules": "phone"}), 415, 20415)


async def test_a_type_of_the_stores_own(service: Service, store: str) -> None:
    await set_up(service, store, config("userId", normalization="none"))
    await promote(service, store, "Account", userId="userId")
    response = await post_profile(service, store, {"Account": {"userId": " A-1"}})
    assert response.status_code == 202, response.text
    profile_id = response.json()["id"]
    assert (await post_profile(service, store, {"Account": {"userId": " A-1"}})).json()["id"] == profile_id
    other = (await post_profile(service, store, {"Account": {"userId": "A-1"}})).json()["id"]
    assert other != profile_id
    assert await look_up(service, store, "userId", " A-1") == {"normalizedValue": " A-1", "profiles": [profile_id]}
    assert (await add(service, store, profile_id, "userId", "B-2")).status_code == 202
    assert await identifiers_of(service, store, profile_id) == {"userId": [" A-1", "B-2"]}
    assert (await add(service, store, other, "userId", "B-2")).status_code == 202
    assert (await look_up(service, store, "userId", "A-1"))["profiles"] == [profile_id]


@pytest.mark.parametrize(
    ("normalization", "value", "kept"),
    [
        ("trim", " A 1 ", "A 1"),
        ("none", " A 1 ", " A 1 "),
        ("email", " A 1@Example.com ", "a1@example.com"),
        ("phone", "tel:(555) 123-4567", "+15551234567"),
    ],
)
async def test_values_are_normalised_as_their_type_says(
    service: Service, store: str, normalization: str, value: str, kept: str
) -> None:
    await set_up(service, store, config("userId", normalization=normalization))
    await promote(service, store, "Account", userId="userId")
    profile_id = (await post_profile(service, store, {"Account": {"userId": value}})).json()["id"]
    assert await look_up(service, store, "userId", value) == {"normalizedValue": kept, "profiles": [profile_id]}
    assert await identifiers_of(service, store, profile_id) == {"userId": [kept]}


async def test_whatsapp_keeps_the_form_that_traffic_is_recognised_by(service: Service, store: str) -> None:
    await set_up(service, store, config("whatsapp", normalization="none"))
    found = await look_up(service, store, "whatsapp", "+1 555 123 4567")
    assert found["normalizedValue"] == "whatsapp:+15551234567"


@pytest.mark.parametrize(("policy", "kept"), [("fifo", [1, 2]), ("lifo", [0, 1])])
async def test_no_more_values_are_kept_than_the_limit(
    service: Service, store: str, policy: str, kept: list[int]
) -> None:
    await set_up(service, store, config("phone", limit=2, limitPolicy=policy))
    phones = [new_phone() for _ in range(3)]
    profile_id = await new_profile(service, store, phone=phones[0], email="k@example.com")
    for phone in phones[1:]:
        service.clock.advance(minutes=1)
        assert await new_profile(service, store, phone=phone, email="k@example.com") == profile_id
    held = {"email": ["k@example.com"], "phone": [phones[number] for number in kept]}
    assert await identifiers_of(service, store, profile_id) == held
    address = f"/v1/Stores/{store}/Profiles/{profile_id}/Identifiers/phone"
    assert (await service.api.delete(address)).status_code == 202
    held["phone"] = held["phone"][1:] if policy == "fifo" else held["phone"][:1]
    assert await identifiers_of(service, store, profile_id) == held


async def test_a_limit_counts_for_what_is_written_from_then_on(service: Service, store: str) -> None:
    phones = [new_phone() for _ in range(4)]
    profile_id = await new_profile(service, store, phone=phones[0], email="k@example.com")
    for phone in phones[1:3]:
        service.clock.advance(minutes=1)
        await add(service, store, profile_id, "phone", phone)
    await set_up(service, store, config("phone", limit=1))
    assert (await identifiers_of(service, store, profile_id))["phone"] == phones[:3]
    service.clock.advance(minutes=1)
    await add(service, store, profile_id, "phone", phones[3])
    assert (await identifiers_of(service, store, profile_id))["phone"] == phones[3:]


async def test_a_value_that_may_be_shared_names_nobody_alone(service: Service, store: str) -> None:
    shared = [config(name, enforceUnique=False) for name in ("tenant", "member")]
    await set_up(service, store, *shared)
    await promote(service, store, "Key", tenant="tenant", member="member")
    ann = (await post_profile(service, store, {"Key": {"tenant": "t1", "member": "m1"}})).json()["id"]
    ben = (await post_profile(service, store, {"Key": {"tenant": "t1", "member": "m2"}})).json()["id"]
    assert ann != ben
    assert (await look_up(service, store, "tenant", "t1"))["profiles"] == [ann, ben]
    # Two of different types name somebody, one alone does not, and neither do two of one type.
    assert (await post_profile(service, store, {"Key": {"tenant": "t1", "member": "m2"}})).json()["id"] == ben
    assert (await post_profile(service, store, {"Key": {"tenant": "t1"}})).json()["id"] not in {ann, ben}
    # What belongs to one profile only decides before them.
    phone = new_phone()
    carl = await new_profile(service, store, phone=phone)
    both = {"Contact": {"phone": phone}, "Key": {"tenant": "t1", "member": "m1"}}
    assert (await post_profile(service, store, both)).json()["id"] == carl
    assert (await look_up(service, store, "member", "m1"))["profiles"] == [ann, carl]
    assert (await add(service, store, ben, "member", "m1")).status_code == 202
    assert (await look_up(service, store, "member", "m1"))["profiles"] == [ann, ben, carl]


async def test_of_several_that_shared_values_name_the_earliest_is_meant(service: Service, store: str) -> None:
    await set_up(service, store, *(config(name, enforceUnique=False) for name in ("tenant", "member")))
    await promote(service, store, "Key", tenant="tenant", member="member")
    first = (await post_profile(service, store, {"Key": {"tenant": "t1", "member": "m1"}})).json()["id"]
    second = (await post_profile(service, store, {"Key": {"tenant": "t1", "member": "m2"}})).json()["id"]
    await add(service, store, second, "member", "m1")
    assert (await post_profile(service, store, {"Key": {"tenant": "t1", "member": "m1"}})).json()["id"] == first


async def test_concurrent_posts_of_shared_values_make_one_profile(service: Service, store: str) -> None:
    await set_up(service, store, *(config(name, enforceUnique=False) for name in ("tenant", "member")))
    await promote(service, store, "Key", tenant="tenant", member="member")
    key = {"Key": {"tenant": "t1", "member": "m1"}}
    answers = await asyncio.gather(*(post_profile(service, store, key) for _ in range(12)))
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_a_type_that_no_rule_names_does_not_match(service: Service, store: str) -> None:
    await set_up(service, store, rules=["email"])
    phone = new_phone()
    first, second = [await new_profile(service, store, phone=phone) for _ in range(2)]
    assert first != second
    assert (await look_up(service, store, "phone", phone))["profiles"] == [first, second]
    assert await identifiers_of(service, store, second) == {"phone": [phone]}
    by_mail = await new_profile(service, store, email="k@example.com", phone=phone)
    assert await new_profile(service, store, email="K@example.com", phone=new_phone()) == by_mail


async def test_nothing_is_written_while_settings_change(service: Service, store: str) -> None:
    async with service.units.begin() as unit:
        held = await stores.store_to_change(unit, service.account.account_id, store)
        posted = asyncio.create_task(post_profile(service, store, {"Contact": {"phone": new_phone()}}))
        await until_somebody_waits_for(unit)
        assert (await identity_settings.find(unit, held)).version == 1
    assert (await posted).status_code == 202
    async with service.units.begin() as unit:
        held = await stores.serving_store(unit, service.account.account_id, store, writing=True)
        await upsert.create_profile(unit, held, {"Contact": {"phone": new_phone()}})
        replaced = asyncio.create_task(put(service, store, settings()))
        await until_somebody_waits_for(unit)
    assert (await replaced).status_code == 202


async def test_traffic_does_not_wait_for_a_change(service: Service, store: str) -> None:
    """Recognition reads the stores, and locks none of them."""
    async with service.units.begin() as unit, service.units.begin() as traffic:
        await stores.store_to_change(unit, service.account.account_id, store)
        key = (service.account.account_id, store)
        assert await asyncio.wait_for(active_stores(traffic, [key]), 5) == {key}
