"""Traits of profiles over HTTP: what definitions admit, changing some or all of them, and their list."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from orchestrator.kernel.ids import PROFILE, new_id
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

PHONE = "+15551234567"
CUSTOM = {
    "tier": {"dataType": "STRING", "validationRule": {"ruleType": "STRING", "pattern": "^(silver|gold)$"}},
    "code": {"dataType": "STRING", "validationRule": {"ruleType": "STRING", "minLength": 2, "maxLength": 4}},
    "points": {"dataType": "NUMBER", "validationRule": {"ruleType": "NUMBER", "min": 0, "max": 10.5}},
    "any": {"dataType": "NUMBER", "validationRule": {"ruleType": "NUMBER"}},
    "vip": {"dataType": "BOOLEAN", "validationRule": {"ruleType": "BOOLEAN"}},
    "tags": {"dataType": "ARRAY", "validationRule": {"ruleType": "ARRAY", "minItems": 1, "maxItems": 2}},
}


@pytest.fixture
async def store(service: Service) -> str:
    """A store with a group of every type of trait."""
    store = await new_store(service)
    await define(service, store, "Custom", CUSTOM)
    return store


async def define(service: Service, store: str, name: str, traits: Any) -> None:
    groups = f"/v1/ControlPlane/Stores/{store}/TraitGroups"
    response = await service.api.post(groups, json={"displayName": name, "traits": traits})
    assert response.status_code == 202, response.text


def path(store: str, profile_id: str) -> str:
    return f"/v1/Stores/{store}/Profiles/{profile_id}"


async def send(service: Service, method: str, address: str, traits: Any) -> httpx.Response:
    content = json.dumps({"traits": traits})
    return await service.api.request(method, address, content=content, headers={"Content-Type": "application/json"})


FITS = [
    {"tier": "gold"},
    {"code": "ab"},
    {"code": "äöüß"},
    {"points": 0, "any": -5},
    {"points": 10.5, "any": 1e300},
    {"any": 2**63 - 1},
    {"any": -(2**63 - 1)},
    {"any": 0.1},
    {"vip": False},
    {"tags": ["a"]},
    {"tags": [1, True]},
]


@pytest.mark.parametrize("values", FITS)
async def test_values_are_kept_as_they_are(service: Service, store: str, values: Any) -> None:
    response = await post_profile(service, store, {"Contact": {"phone": PHONE}, "Custom": values})
    assert response.status_code == 202, response.text
    profile_id = response.json()["id"]
    assert (await profile_traits(service, store, profile_id))["Custom"] == values
    assert (await send(service, "PATCH", path(store, profile_id), {"Custom": values})).status_code == 202
    assert (await profile_traits(service, store, profile_id))["Custom"] == values


WRONG = [
    ("tier", "bronze"),
    ("tier", "gold\n"),
    ("tier", 1),
    ("tier", ["gold"]),
    ("tier", "x" * 10_001),
    ("code", "a"),
    ("code", "abcde"),
    ("points", -1),
    ("points", 10.6),
    ("points", "1"),
    ("points", True),
    ("any", 2**63),
    ("any", 10**400),
    ("any", float("nan")),
    ("any", float("inf")),
    ("vip", 1),
    ("vip", "true"),
    ("tags", []),
    ("tags", [1, 2, 3]),
    ("tags", "a"),
    ("tags", [{"a": 1}]),
    ("tags", [10**30]),
    ("tags", [None]),
    ("tags", ["\x00"]),
]


@pytest.mark.parametrize(("name", "value"), WRONG)
async def test_what_a_trait_cannot_hold_is_refused(service: Service, store: str, name: str, value: Any) -> None:
    profile_id = await new_profile(service, store, phone=PHONE)
    before = await rows_of_store(service, store)
    given = {"Contact": {"email": "k@example.com", "phone": PHONE}, "Custom": {name: value}}
    for method, address in [
        ("POST", f"/v1/Stores/{store}/Profiles"),
        ("PATCH", path(store, profile_id)),
        ("PUT", path(store, profile_id)),
    ]:
        refusal = assert_refused(await send(service, method, address, given), 400, 400, names=f"/traits/Custom/{name}")
        assert refusal["params"]["field"] == f"/traits/Custom/{name}"
    assert await rows_of_store(service, store) == before


async def test_a_pattern_cannot_hold_the_service_up(service: Service, store: str) -> None:
    await define(service, store, "Slow", {
        "text": {"dataType": "STRING", "validationRule": {"ruleType": "STRING", "pattern": "^(a+)+$"}}
    })  # fmt: skip
    given = {"Contact": {"phone": PHONE}, "Slow": {"text": "a" * 9_000 + "!"}}
    assert_refused(await asyncio.wait_for(post_profile(service, store, given), 5), 400, 400, names="/traits/Slow/text")


async def test_names_begin_with_a_small_letter(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, Phone=PHONE, FirstName="Kiran")
    assert await profile_traits(service, store, profile_id) == {"Contact": {"phone": PHONE, "firstName": "Kiran"}}
    patched = await send(service, "PATCH", path(store, profile_id), {"Contact": {"FirstName": "K."}})
    assert patched.status_code == 202
    twice = {"Contact": {"firstName": "a", "FirstName": "b"}}
    assert_refused(await send(service, "PATCH", path(store, profile_id), twice), 400, 400, names="given twice")
    assert (await profile_traits(service, store, profile_id))["Contact"]["firstName"] == "K."


async def test_a_number_can_be_an_identifier(service: Service, store: str) -> None:
    await define(service, store, "Account", {"number": {"dataType": "NUMBER", "idTypePromotion": "chat"}})
    profile_id = (await post_profile(service, store, {"Account": {"number": 4711}})).json()["id"]
    assert await identifiers_of(service, store, profile_id) == {"chat": ["4711"]}


async def test_a_definition_counts_from_then_on(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, phone=PHONE, city="chat-7")
    group = f"/v1/ControlPlane/Stores/{store}/TraitGroups/Contact"
    city = {"dataType": "STRING", "idTypePromotion": "chat"}
    assert (await service.api.patch(group, json={"traits": {"city": city}})).status_code == 202
    assert await identifiers_of(service, store, profile_id) == {"phone": [PHONE]}
    assert (await send(service, "PATCH", path(store, profile_id), {"Contact": {"city": "chat-8"}})).status_code == 202
    assert await identifiers_of(service, store, profile_id) == {"phone": [PHONE], "chat": ["chat-8"]}


async def test_a_patch_changes_what_it_names(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, phone=PHONE, city="Springfield", state="IL")
    service.clock.advance(hours=1)
    given = {"Contact": {"city": "Chicago", "state": None, "street": None, "phone": PHONE}, "Custom": {"vip": True}}
    response = await send(service, "PATCH", path(store, profile_id), given)
    assert response.status_code == 202
    assert set(response.json()) == {"message"}
    assert await profile_traits(service, store, profile_id) == {
        "Contact": {"phone": PHONE, "city": "Chicago"},
        "Custom": {"vip": True},
    }
    listed = (await service.api.get(f"{path(store, profile_id)}/Traits", params={"orderBy": "ASC"})).json()["traits"]
    times = {one["name"]: one["timestamp"] for one in listed}
    assert times["phone"] < times["city"] == times["vip"]
    empty: tuple[dict[str, Any], ...] = ({}, {"Contact": {}})
    for nothing in empty:
        assert (await send(service, "PATCH", path(store, profile_id), nothing)).status_code == 202


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize(
    ("given", "pointer", "names"),
    [
        ({"Contact": {"shoeSize": "44"}}, "/traits/Contact/shoeSize", "Contact.shoeSize"),
        ({"Contact": {"shoeSize": None}}, "/traits/Contact/shoeSize", "Contact.shoeSize"),
        ({"contact": {"city": "x"}}, "/traits/contact", "contact"),
        ({"IVR": {}}, "/traits/IVR", "IVR"),
        ({"a/~": {}}, "/traits/a~1~0", "a/~"),
        ({"Contact": {"a/b": 1}}, "/traits/Contact/a~1b", "a/b"),
    ],
)
async def test_undeclared_traits_are_refused(
    service: Service, store: str, method: str, given: Any, pointer: str, names: str
) -> None:
    profile_id = await new_profile(service, store, phone=PHONE)
    before = await rows_of_store(service, store)
    given = {"Custom": {"vip": True}, **given}
    refusal = assert_refused(await send(service, method, path(store, profile_id), given), 400, 400, names=names)
    assert refusal["params"]["field"] == pointer
    assert await rows_of_store(service, store) == before


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/traits"),
        ({"traits": None}, "/traits"),
        ({"traits": []}, "/traits"),
        ({"traits": {}, "id": "x"}, "/id"),
        ({"traits": {"Contact": {"city": {"a": 1}}}}, "/traits/Contact/city"),
        ({"traits": {"Contact": {"city": "\x00"}}}, "/traits/Contact/city"),
        ({"traits": {"Contact": {"city\x00": "x"}}}, "/traits/Contact/city\x00"),
        ({"traits": {"Contact": {f"t{number}": 1 for number in range(100)}}}, "/traits/Contact"),
    ],
)
async def test_a_wrong_body_is_refused_by_pointer(
    service: Service, store: str, method: str, body: Any, pointer: str
) -> None:
    profile_id = await new_profile(service, store, phone=PHONE)
    before = await rows_of_store(service, store)
    response = await service.api.request(method, path(store, profile_id), json=body)
    assert assert_refused(response, 400, 400)["params"]["field"] == pointer
    assert await rows_of_store(service, store) == before


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_a_promoted_trait_adds_its_identifier(service: Service, store: str, method: str) -> None:
    profile_id = await new_profile(service, store, phone=PHONE, email="k@example.com")
    service.clock.advance(hours=1)
    given = {"Contact": {"phone": "(555) 987-6543", "email": None, "whatsapp": "no number"}}
    assert (await send(service, method, path(store, profile_id), given)).status_code == 202
    assert await profile_traits(service, store, profile_id) == {
        "Contact": {"phone": "(555) 987-6543", "whatsapp": "no number"}
    }
    held = {"email": ["k@example.com"], "phone": [PHONE, "+15559876543"]}
    assert await identifiers_of(service, store, profile_id) == held


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
async def test_with_somebody_elses_identifier_the_two_are_one(service: Service, store: str, method: str) -> None:
    holder = await new_profile(service, store, email="k@example.com")
    profile_id = await new_profile(service, store, phone=PHONE)
    given = {"Contact": {"email": "K@example.com", "chat": "new", "city": "x"}}
    response = await send(service, method, path(store, profile_id), given)
    assert response.status_code == 202
    held = {"email": ["k@example.com"], "phone": [PHONE], "chat": ["new"]}
    assert await identifiers_of(service, store, holder) == held
    kept = {"phone": PHONE} if method == "PATCH" else {}
    assert await profile_traits(service, store, holder) == {"Contact": {**given["Contact"], **kept}}


async def test_concurrent_patches_make_all_of_them_one_profile(service: Service, store: str) -> None:
    profiles = [await new_profile(service, store, phone=new_phone()) for _ in range(5)]
    given = {"Contact": {"email": "k@example.com"}}
    answers = await asyncio.gather(*(send(service, "PATCH", path(store, one), given) for one in profiles))
    assert {answer.status_code for answer in answers} == {202}
    assert (await identifiers_of(service, store, profiles[0]))["email"] == ["k@example.com"]
    assert (await service.api.get(f"/v1/Stores/{store}/Profiles")).json()["profiles"] == profiles[:1]


async def test_a_put_replaces_everything(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, phone=PHONE, city="Springfield", state="IL")
    created = (await service.api.get(path(store, profile_id))).json()["createdAt"]
    service.clock.advance(hours=1)
    response = await send(
        service, "PUT", path(store, profile_id), {"Contact": {"city": "Springfield"}, "Custom": {"vip": True}}
    )
    assert response.status_code == 202
    assert set(response.json()) == {"message"}
    assert (await service.api.get(path(store, profile_id))).json() == {
        "id": profile_id,
        "createdAt": created,
        "traits": {"Contact": {"city": "Springfield"}, "Custom": {"vip": True}},
    }
    listed = (await service.api.get(f"{path(store, profile_id)}/Traits")).json()["traits"]
    assert [one["name"] for one in listed] == ["vip", "city"]
    assert listed[0]["timestamp"] > listed[1]["timestamp"]
    assert (await send(service, "PUT", path(store, profile_id), {})).status_code == 202
    assert await profile_traits(service, store, profile_id) == {}
    assert await identifiers_of(service, store, profile_id) == {"phone": [PHONE]}


async def test_the_list_of_traits(service: Service, store: str) -> None:
    await define(service, store, "IVR", {"path": {"dataType": "STRING"}})
    first = {"Contact": {"phone": PHONE, "city": "Springfield"}, "Custom": {"tags": ["a"], "points": 3}}
    profile_id = (await post_profile(service, store, first)).json()["id"]
    service.clock.advance(hours=1)
    await send(service, "PATCH", path(store, profile_id), {"IVR": {"path": "main"}})
    listed = (await service.api.get(f"{path(store, profile_id)}/Traits")).json()
    assert listed["meta"] == {"key": "traits", "pageSize": 5}
    assert [(one["traitGroup"], one["name"], one["value"]) for one in listed["traits"]] == [
        ("IVR", "path", "main"),
        ("Custom", "tags", ["a"]),
        ("Custom", "points", 3),
        ("Contact", "phone", PHONE),
        ("Contact", "city", "Springfield"),
    ]
    assert set(listed["traits"][0]) == {"name", "value", "traitGroup", "timestamp"}
    assert len(listed["traits"][0]["timestamp"]) == len("2026-02-03T09:15:04Z")


async def test_the_list_of_traits_is_filtered_and_paged(service: Service, store: str) -> None:
    first = {"Contact": {"phone": PHONE, "city": "Springfield", "state": "IL"}, "Custom": {"points": 3}}
    profile_id = (await post_profile(service, store, first)).json()["id"]
    address = f"{path(store, profile_id)}/Traits"

    async def names(**query: Any) -> list[str]:
        return [one["name"] for one in (await service.api.get(address, params=query)).json()["traits"]]

    assert await names(traitGroups="Custom") == ["points"]
    assert await names(TraitGroups="Custom,Contact", orderBy="asc") == ["city", "phone", "state", "points"]
    assert await names(traitGroups="Nothing") == []
    assert await names(traitGroups="\x00") == []
    assert len(await names(traitGroups="")) == 4
    page = (await service.api.get(address, params={"traitGroups": "Contact", "pageSize": 2, "orderBy": "ASC"})).json()
    assert [one["name"] for one in page["traits"]] == ["city", "phone"]
    token = page["meta"]["nextToken"]
    page = (await service.api.get(address, params={"pageToken": token})).json()
    assert [one["name"] for one in page["traits"]] == ["state"]
    assert "nextToken" not in page["meta"]
    assert_refused(await service.api.get(address, params={"pageSize": "1001"}), 400, 400, names="pageSize")
    assert_refused(await service.api.get(address, params={"pageToken": "x"}), 400, 400, names="pageToken")


async def test_a_page_holds_at_most_a_hundred_traits(service: Service, store: str) -> None:
    for group in ("A", "B"):
        await define(service, store, group, {f"t{number}": {"dataType": "NUMBER"} for number in range(60)})
    values = {f"t{number}": number for number in range(60)}
    response = await post_profile(service, store, {"Contact": {"phone": PHONE}, "A": values, "B": values})
    address = f"{path(store, response.json()['id'])}/Traits"
    page = (await service.api.get(address, params={"pageSize": 1000})).json()
    assert page["meta"]["pageSize"] == len(page["traits"]) == 100
    rest = (await service.api.get(address, params={"pageToken": page["meta"]["nextToken"]})).json()
    assert len(rest["traits"]) == 21


async def test_a_deleted_profile_is_gone_with_all_that_was_known(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, phone=PHONE, city="Springfield")
    kept = await new_profile(service, store, email="k@example.com")
    account, now = service.account.account_id, service.clock.now()
    for one in (profile_id, kept):
        await service.fetch(
            "insert into observations values ($1, $2, 'o' || $3, $3, 'likes tea', 'test', $4, '[]', $4, $4)",
            account, store, one, now,
        )  # fmt: skip
        await service.fetch(
            "insert into observation_revisions values ($1, $2, 'o' || $3, 1, 'likes tea', 'test', $4, '[]', $4)",
            account, store, one, now,
        )  # fmt: skip
        await service.fetch(
            "insert into conversation_summaries values ($1, $2, 's' || $3, $3, 'c', 'tea', 'test', $4, $4, $4)",
            account, store, one, now,
        )  # fmt: skip
    await service.fetch("insert into profiles values ($1, $2, 'alias', $3, $4)", account, store, profile_id, now)
    response = await service.api.delete(path(store, profile_id), headers={"Accept": "*/*"})
    assert response.status_code == 202
    assert set(response.json()) == {"message"}
    for answer in (
        await service.api.get(path(store, profile_id)),
        await service.api.delete(path(store, profile_id)),
        await send(service, "PATCH", path(store, profile_id), {}),
        await send(service, "PUT", path(store, profile_id), {}),
        await service.api.get(f"{path(store, profile_id)}/Traits"),
        await service.api.get(f"{path(store, profile_id)}/Identifiers"),
    ):
        assert_refused(answer, 404, 20404, names=profile_id)
    left = [{one for row in rows for one in row if one in {kept, profile_id, "alias"}} for rows in
            await rows_of_store(service, store)]  # fmt: skip
    assert left == [{kept}] * 3
    for table, column in (("observations", "profile_id"), ("observation_revisions", "observation_id"),
                          ("conversation_summaries", "profile_id")):  # fmt: skip
        rows = await service.fetch(f"select {column} from {table} where store_id = $1", store)
        assert [row[0].removeprefix("o") for row in rows] == [kept]
    assert await new_profile(service, store, phone=PHONE) != profile_id


async def test_unknown_profiles_and_foreign_accounts(service: Service, store: str) -> None:
    profile_id = await new_profile(service, store, phone=PHONE)
    other = await new_store(service)
    for wrong in (path(store, new_id(PROFILE)), path(store, "x"), path(store, "a%00b"), path(other, profile_id)):
        for method in ("PATCH", "PUT"):
            assert_refused(await send(service, method, wrong, {"Contact": {"city": "x"}}), 404, 20404)
        assert_refused(await service.api.delete(wrong), 404, 20404)
        assert_refused(await service.api.get(f"{wrong}/Traits"), 404, 20404)
    async with service.client(await service.new_account()) as api:
        mine = path(store, profile_id)
        assert_refused(await api.patch(mine, json={"traits": {}}), 404, 520041)
        assert_refused(await api.put(mine, json={"traits": {}}), 404, 520041)
        assert_refused(await api.delete(mine), 404, 520041)
        assert_refused(await api.get(f"{mine}/Traits"), 404, 520041)
    assert await profile_traits(service, store, profile_id) == {"Contact": {"phone": PHONE}}
