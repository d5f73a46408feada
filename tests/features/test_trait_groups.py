"""Trait groups over HTTP: the built-in one, those of a store, and their definitions."""

import base64
import json
from typing import Any

import httpx
import pytest

from orchestrator.memory.trait_group_changes import MOST_GROUPS, MOST_TRAITS
from tests.support.app import ORIGIN, Service
from tests.support.memory import assert_refused, new_phone, new_profile, new_store, post_profile, profile_traits

PROMOTED = {"email", "whatsapp", "phone", "chat"}
PLAIN = {"firstName", "lastName", "street", "city", "state", "postalCode", "country"}
TIER = {"dataType": "STRING", "description": "Silver or gold"}


@pytest.fixture
async def store(service: Service) -> str:
    return await new_store(service)


def path(store: str, name: str = "") -> str:
    return f"/v1/ControlPlane/Stores/{store}/TraitGroups" + (f"/{name}" if name else "")


def shown(**definition: Any) -> dict[str, Any]:
    """A definition as it is answered."""
    return {"validationRule": None, "idTypePromotion": None, **definition}


async def create(service: Service, store: str, name: str, traits: Any = None, **more: Any) -> httpx.Response:
    return await service.api.post(path(store), json={"displayName": name, "traits": traits or {}, **more})


async def patch(service: Service, store: str, name: str, **body: Any) -> httpx.Response:
    return await service.api.patch(path(store, name), json=body)


async def fetched(service: Service, store: str, name: str, **query: Any) -> dict[str, Any]:
    response = await service.api.get(path(store, name), params=query)
    assert response.status_code == 200, response.text
    group: dict[str, Any] = response.json()
    return group


async def names(service: Service, store: str, **query: Any) -> list[str]:
    response = await service.api.get(path(store), params=query)
    assert response.status_code == 200, response.text
    return [group["displayName"] for group in response.json()["traitGroups"]]


async def rows(service: Service, store: str) -> list[Any]:
    return await service.fetch("select * from trait_groups where store_id = $1 order by name", store)


async def test_every_store_has_the_group_contact(service: Service, store: str) -> None:
    found = await fetched(service, store, "Contact", orderBy="ASC")
    group = found["traitGroup"]
    assert (group["displayName"], group["version"]) == ("Contact", 1)
    assert group["traits"] == {
        **{name: shown(dataType="STRING") for name in PLAIN},
        **{name: shown(dataType="STRING", idTypePromotion=name) for name in PROMOTED},
    }
    assert found["meta"] == {"key": "traits", "pageSize": 11}
    listed = (await service.api.get(path(store))).json()
    assert [set(one) for one in listed["traitGroups"]] == [{"displayName", "description", "version"}]
    assert listed["meta"] == {"key": "traitGroups", "pageSize": 1}
    assert await rows(service, store) == []


async def test_a_group_is_made_with_its_definitions(service: Service, store: str) -> None:
    rule = {"ruleType": "NUMBER", "min": 0, "max": 1.5}
    traits = {
        "Tier": TIER,
        "points": {"dataType": "NUMBER", "validationRule": rule},
        "memberId": {"dataType": "STRING", "idTypePromotion": "chat", "description": None, "validationRule": None},
    }
    response = await create(service, store, "Loyalty-1.a_b", traits, description="Regulars")
    assert response.status_code == 202
    assert set(response.json()) == {"message", "statusUrl"}
    operation = await service.api.get(response.headers["Location"])
    assert response.headers["Location"] == f"{ORIGIN}/v1/ControlPlane/Operations/{response.headers['Operation-Id']}"
    assert operation.json()["result"] == {"type": "RESOURCE_ID", "id": "Loyalty-1.a_b"}

    answer = await service.api.get(path(store, "Loyalty-1.a_b"))
    assert answer.json()["traitGroup"] == {
        "displayName": "Loyalty-1.a_b",
        "description": "Regulars",
        "traits": {
            "tier": shown(**TIER),
            "points": shown(dataType="NUMBER", validationRule=rule),
            "memberId": shown(dataType="STRING", idTypePromotion="chat"),
        },
        "version": 1,
    }
    tag = json.loads(base64.b64decode(answer.headers["ETag"].strip('"')))
    assert tag == {"id": "Loyalty-1.a_b", "version": 1}
    assert await names(service, store) == ["Loyalty-1.a_b", "Contact"]
    assert await names(service, store, orderBy="asc") == ["Contact", "Loyalty-1.a_b"]


async def test_a_group_needs_nothing_but_a_name(service: Service, store: str) -> None:
    bodies: tuple[dict[str, Any], ...] = ({}, {"description": None, "traits": None}, {"traits": {}})
    for number, body in enumerate(bodies):
        assert (await service.api.post(path(store), json={"displayName": f"g{number}", **body})).status_code == 202
        assert (await fetched(service, store, f"g{number}"))["traitGroup"] == {
            "displayName": f"g{number}",
            "traits": {},
            "version": 1,
        }


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/displayName"),
        ({"displayName": ""}, "/displayName"),
        ({"displayName": "a b"}, "/displayName"),
        ({"displayName": "x" * 65}, "/displayName"),
        ({"displayName": "ä"}, "/displayName"),
        ({"displayName": "a", "description": "x" * 1025}, "/description"),
        ({"displayName": "a", "unknown": 1}, "/unknown"),
        ({"displayName": "a", "traits": []}, "/traits"),
        ({"displayName": "a", "traits": {f"t{n}": TIER for n in range(96)}}, "/traits"),
        ({"displayName": "a", "traits": {"tier": TIER, "Tier": TIER}}, "/traits"),
        ({"displayName": "a", "traits": {"t": {}}}, "/traits/t/dataType"),
        ({"displayName": "a", "traits": {"t": {"dataType": ""}}}, "/traits/t/dataType"),
        ({"displayName": "a", "traits": {"t": {"dataType": "string"}}}, "/traits/t/dataType"),
        ({"displayName": "a", "traits": {"t": {"dataType": "STRING", "displayName": "T"}}}, "/traits/t/displayName"),
        ({"displayName": "a", "traits": {"1t": TIER}}, "/traits/1t"),
        ({"displayName": "a", "traits": {"a b": TIER}}, "/traits/a b"),
        ({"displayName": "a", "traits": {"": TIER}}, "/traits/"),
        ({"displayName": "a", "traits": {"t" * 65: TIER}}, "/traits/" + "t" * 65),
        ({"displayName": "a", "traits": {"t": {**TIER, "idTypePromotion": "shoe"}}}, "/traits/t/idTypePromotion"),
        ({"displayName": "a", "traits": {"t": {**TIER, "idTypePromotion": "x" * 31}}}, "/traits/t/idTypePromotion"),
        (
            {"displayName": "a", "traits": {"t": {"dataType": "ARRAY", "idTypePromotion": "phone"}}},
            "/traits/t/idTypePromotion",
        ),
    ],
)
async def test_a_wrong_body_is_refused_by_pointer(service: Service, store: str, body: Any, pointer: str) -> None:
    response = await service.api.post(path(store), json=body)
    assert assert_refused(response, 400, 520046, names=pointer)["params"]["field"] == pointer
    assert await rows(service, store) == []


@pytest.mark.parametrize(
    ("data_type", "rule", "pointer"),
    [
        ("STRING", {}, "/ruleType"),
        ("STRING", {"ruleType": "TEXT"}, "/ruleType"),
        ("STRING", {"ruleType": "STRING", "pattern": "("}, "/pattern"),
        ("STRING", {"ruleType": "STRING", "pattern": "(?=a)"}, "/pattern"),
        ("STRING", {"ruleType": "STRING", "pattern": r"(\w{1000}){1000}"}, "/pattern"),
        ("STRING", {"ruleType": "STRING", "pattern": "x" * 1001}, "/pattern"),
        ("STRING", {"ruleType": "STRING", "minLength": -1}, "/minLength"),
        ("STRING", {"ruleType": "STRING", "maxLength": 0}, "/maxLength"),
        ("STRING", {"ruleType": "STRING", "maxLength": 10**30}, "/maxLength"),
        ("STRING", {"ruleType": "STRING", "minLength": 3, "maxLength": 2}, ""),
        ("STRING", {"ruleType": "STRING", "min": 3}, ""),
        ("STRING", {"ruleType": "STRING", "unknown": 3}, "/unknown"),
        ("NUMBER", {"ruleType": "NUMBER", "min": "0"}, "/min"),
        ("NUMBER", {"ruleType": "NUMBER", "min": True}, "/min"),
        ("NUMBER", {"ruleType": "NUMBER", "max": 10**30}, "/max"),
        ("NUMBER", {"ruleType": "NUMBER", "min": 2, "max": 1}, ""),
        ("ARRAY", {"ruleType": "ARRAY", "minItems": -1}, "/minItems"),
        ("ARRAY", {"ruleType": "ARRAY", "minItems": 2, "maxItems": 1}, ""),
        ("BOOLEAN", {"ruleType": "BOOLEAN", "min": 1}, ""),
    ],
)
async def test_a_wrong_rule_is_refused_by_pointer(
    service: Service, store: str, data_type: str, rule: Any, pointer: str
) -> None:
    response = await create(service, store, "a", {"t": {"dataType": data_type, "validationRule": rule}})
    pointer = f"/traits/t/validationRule{pointer}"
    assert assert_refused(response, 400, 520046, names=pointer)["params"]["field"] == pointer
    assert await rows(service, store) == []


async def test_a_rule_is_of_the_type_of_its_trait(service: Service, store: str) -> None:
    response = await create(
        service, store, "a", {"t": {"dataType": "STRING", "validationRule": {"ruleType": "NUMBER"}}}
    )
    assert_refused(response, 400, 520046, names="/traits/t: ")
    assert await rows(service, store) == []


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
async def test_what_is_no_number_is_no_bound(service: Service, store: str, number: str) -> None:
    rule = f'{{"ruleType": "NUMBER", "min": {number}}}'
    body = f'{{"displayName": "a", "traits": {{"t": {{"dataType": "NUMBER", "validationRule": {rule}}}}}}}'
    response = await service.api.post(path(store), content=body, headers={"Content-Type": "application/json"})
    assert_refused(response, 400, 520046, names="/traits/t/validationRule/min")


async def test_a_name_is_used_once(service: Service, store: str) -> None:
    await create(service, store, "Loyalty", {"tier": TIER})
    for name in ("Loyalty", "Contact"):
        refusal = assert_refused(await create(service, store, name), 409, 520055, names=name)
        assert refusal["params"] == {"field": "/displayName", "value": name}
    assert (await fetched(service, store, "Loyalty"))["traitGroup"]["traits"] == {"tier": shown(**TIER)}
    assert (await create(service, await new_store(service), "Loyalty")).status_code == 202


async def test_a_store_has_at_most_fifty_groups(service: Service, store: str) -> None:
    for number in range(MOST_GROUPS - 1):
        assert (await create(service, store, f"group{number}")).status_code == 202
    refusal = assert_refused(await create(service, store, "one-more"), 400, 520053, names="50")
    assert refusal["details"] == {"limit": 50}
    assert len(await names(service, store, pageSize=100)) == MOST_GROUPS
    assert (await service.api.delete(path(store, "group7"))).status_code == 202
    assert (await create(service, store, "one-more")).status_code == 202


async def test_a_group_has_at_most_as_many_traits_as_a_profile(service: Service, store: str) -> None:
    await create(service, store, "wide", {f"t{number}": TIER for number in range(95)})
    fits = {f"u{number}": TIER for number in range(MOST_TRAITS - 95)}
    assert (await patch(service, store, "wide", traits=fits)).status_code == 202
    refusal = assert_refused(await patch(service, store, "wide", traits={"v": TIER}), 400, 520054, names="99")
    assert refusal["details"] == {"limit": 99}
    assert (await patch(service, store, "wide", traits={"v": TIER, "t0": {"dataType": ""}})).status_code == 202


async def test_pages_of_groups_keep_what_was_asked_for(service: Service, store: str) -> None:
    for number in range(4):
        await create(service, store, f"group{number}", {"tier": TIER})
    query = {"PageSize": "2", "orderBy": "ASC", "includeTraits": "True"}
    first = (await service.api.get(path(store), params=query)).json()
    assert [group["displayName"] for group in first["traitGroups"]] == ["Contact", "group0"]
    assert first["traitGroups"][1]["traits"] == {"tier": shown(**TIER)}
    assert first["meta"]["pageSize"] == 2
    second = (await service.api.get(path(store), params={"pageToken": first["meta"]["nextToken"]})).json()
    assert [group["displayName"] for group in second["traitGroups"]] == ["group1", "group2"]
    assert all(group["traits"] for group in second["traitGroups"])
    back = (await service.api.get(path(store), params={"pageToken": second["meta"]["previousToken"]})).json()
    assert back["traitGroups"] == first["traitGroups"]


async def test_the_traits_of_a_group_are_paged(service: Service, store: str) -> None:
    await create(service, store, "wide", {f"t{number}": TIER for number in range(5)})
    first = await fetched(service, store, "wide", pageSize=2, orderBy="ASC")
    assert sorted(first["traitGroup"]["traits"]) == ["t0", "t1"]
    assert (first["meta"]["key"], first["meta"]["pageSize"]) == ("traits", 2)
    second = await fetched(service, store, "wide", pageToken=first["meta"]["nextToken"])
    assert sorted(second["traitGroup"]["traits"]) == ["t2", "t3"]
    assert sorted((await fetched(service, store, "wide", pageSize=1))["traitGroup"]["traits"]) == ["t4"]
    bare = await fetched(service, store, "wide", includeTraits="false")
    assert bare == {"traitGroup": {"displayName": "wide", "version": 1}, "meta": {"key": "traits", "pageSize": 0}}


@pytest.mark.parametrize(
    "query", [{"includeTraits": "maybe"}, {"pageSize": "101"}, {"orderBy": "up"}, {"pageToken": "x"}]
)
async def test_a_wrong_query_is_refused(service: Service, store: str, query: dict[str, str]) -> None:
    for address in (path(store), path(store, "Contact")):
        assert_refused(await service.api.get(address, params=query), 400, 520046, names=next(iter(query)))


async def test_a_patch_changes_what_it_names(service: Service, store: str) -> None:
    await create(service, store, "Loyalty", {"tier": TIER, "points": {"dataType": "NUMBER"}}, description="Regulars")
    changes = {
        "tier": {"dataType": "ARRAY"},
        "since": {"dataType": "STRING"},
        "points": {"dataType": "", "description": "x"},
    }
    assert (await patch(service, store, "Loyalty", traits=changes)).status_code == 202
    group = (await fetched(service, store, "Loyalty"))["traitGroup"]
    assert group["traits"] == {"tier": shown(dataType="ARRAY"), "since": shown(dataType="STRING")}
    assert (group["description"], group["version"]) == ("Regulars", 2)
    assert (await patch(service, store, "Loyalty", description="All of them")).status_code == 202
    group = (await fetched(service, store, "Loyalty"))["traitGroup"]
    assert (group["description"], group["version"], len(group["traits"])) == ("All of them", 3, 2)
    nothing = {"traits": {"never": {"dataType": ""}}, "description": None}
    assert (await patch(service, store, "Loyalty", **nothing)).status_code == 202
    assert (await fetched(service, store, "Loyalty"))["traitGroup"] == {**group, "version": 4}


async def test_a_patch_may_depend_on_the_version(service: Service, store: str) -> None:
    for name in ("Loyalty", "Contact"):
        if name == "Loyalty":
            await create(service, store, name, {"tier": TIER})
        tag = (await service.api.get(path(store, name))).headers["ETag"]
        body = {"description": "Another"}
        for header in (tag, "*"):
            response = await service.api.patch(path(store, name), json=body, headers={"If-Match": header})
            assert response.status_code == 202, response.text
        stale = await service.api.patch(path(store, name), json={"description": "x"}, headers={"If-Match": tag})
        assert_refused(stale, 412, 520043, names="If-Match")
        group = (await fetched(service, store, name))["traitGroup"]
        assert (group["description"], group["version"]) == ("Another", 3)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"displayName": "Other"}, "/displayName"),
        ({"description": 1}, "/description"),
        ({"traits": {"tier": None}}, "/traits/tier"),
        ({"traits": {"tier": {"dataType": "TEXT"}}}, "/traits/tier/dataType"),
        ({"traits": {"tier": {"dataType": "STRING", "idTypePromotion": "shoe"}}}, "/traits/tier/idTypePromotion"),
        ({"traits": {"x": {"dataType": "STRING", "validationRule": {"ruleType": "STRING", "pattern": "["}}}},
         "/traits/x/validationRule/pattern"),
    ],
)  # fmt: skip
async def test_a_wrong_patch_is_refused_by_pointer(service: Service, store: str, body: Any, pointer: str) -> None:
    await create(service, store, "Loyalty", {"tier": TIER})
    before = await rows(service, store)
    response = await service.api.patch(path(store, "Loyalty"), json=body)
    assert assert_refused(response, 400, 520046, names=pointer)["params"]["field"] == pointer
    assert await rows(service, store) == before


async def test_contact_can_grow(service: Service, store: str) -> None:
    traits = {
        "preferredLanguage": {"dataType": "STRING"},
        "firstName": {"dataType": ""},
        "phone": {"dataType": "STRING", "description": "Mobile"},
    }
    assert (await patch(service, store, "Contact", traits=traits)).status_code == 202
    group = (await fetched(service, store, "Contact"))["traitGroup"]
    assert set(group["traits"]) == (PROMOTED | PLAIN | {"preferredLanguage"}) - {"firstName"}
    assert group["traits"]["phone"] == shown(dataType="STRING", description="Mobile", idTypePromotion="phone")
    assert (group["version"], group["description"]) == (2, "How somebody can be reached.")
    assert await names(service, store) == ["Contact"]


@pytest.mark.parametrize("name", sorted(PROMOTED))
@pytest.mark.parametrize(
    "definition", [{"dataType": ""}, {"dataType": "NUMBER"}, {"dataType": "STRING", "idTypePromotion": "other"}]
)
async def test_what_traffic_writes_is_protected(service: Service, store: str, name: str, definition: Any) -> None:
    if "idTypePromotion" in definition:
        definition = {**definition, "idTypePromotion": "email" if name == "chat" else "chat"}
    refusal = assert_refused(await patch(service, store, "Contact", traits={name: definition}), 400, 520050, names=name)
    assert refusal["params"]["field"] == f"/traits/{name}"
    assert await rows(service, store) == []


async def test_contact_stays(service: Service, store: str) -> None:
    assert_refused(await service.api.delete(path(store, "Contact")), 400, 520050, names="Contact")
    assert await names(service, store) == ["Contact"]


async def test_a_group_takes_its_values_along(service: Service, store: str) -> None:
    await create(service, store, "Loyalty", {"tier": TIER, "points": {"dataType": "NUMBER"}})
    await create(service, store, "Kept", {"tier": TIER})
    phone = new_phone()
    traits = {"Contact": {"phone": phone}, "Loyalty": {"tier": "gold", "points": 3}, "Kept": {"tier": "gold"}}
    profile_id = (await post_profile(service, store, traits)).json()["id"]
    await patch(service, store, "Loyalty", traits={"points": {"dataType": ""}})
    assert await profile_traits(service, store, profile_id) == {**traits, "Loyalty": {"tier": "gold"}}
    response = await service.api.delete(path(store, "Loyalty"), headers={"Accept": "*/*"})
    assert response.status_code == 202
    assert (await service.api.get(response.headers["Location"])).json()["result"]["id"] == "Loyalty"
    assert await profile_traits(service, store, profile_id) == {"Contact": {"phone": phone}, "Kept": {"tier": "gold"}}
    assert_refused(await service.api.get(path(store, "Loyalty")), 404, 520047, names="Loyalty")
    await create(service, store, "Loyalty", {"tier": TIER})
    assert "Loyalty" not in await profile_traits(service, store, profile_id)


async def test_a_group_that_feeds_a_rule_cannot_go(service: Service, store: str) -> None:
    await create(service, store, "Work", {"phone": {"dataType": "STRING", "idTypePromotion": "phone"}, "tier": TIER})
    refusal = assert_refused(await service.api.delete(path(store, "Work")), 409, 20409, names="Work.phone")
    assert refusal["details"] == {"trait": "Work.phone", "matchingRule": "phone"}
    await patch(service, store, "Work", traits={"phone": {"dataType": ""}})
    assert (await service.api.delete(path(store, "Work"))).status_code == 202


@pytest.mark.parametrize("name", ["Nothing", "contact", "a%00b", "%EF%BF%BD", "x" * 300, "a%20b"])
async def test_unknown_groups(service: Service, store: str, name: str) -> None:
    assert_refused(await service.api.get(path(store, name)), 404, 520047)
    assert_refused(await service.api.patch(path(store, name), json={"description": "x"}), 404, 520047)
    assert_refused(await service.api.delete(path(store, name)), 404, 520047)


async def test_groups_of_other_stores_and_accounts_do_not_exist(service: Service, store: str) -> None:
    await create(service, store, "Loyalty", {"tier": TIER})
    other = await new_store(service)
    assert_refused(await service.api.get(path(other, "Loyalty")), 404, 520047)
    profile = await new_profile(service, other, phone=new_phone())
    async with service.client(await service.new_account()) as api:
        assert_refused(await api.get(path(store)), 404, 520041)
        assert_refused(await api.get(path(store, "Loyalty")), 404, 520041)
        assert_refused(await api.post(path(store), json={"displayName": "Mine"}), 404, 520041)
        assert_refused(await api.patch(path(store, "Loyalty"), json={"description": "x"}), 404, 520041)
        assert_refused(await api.delete(path(store, "Loyalty")), 404, 520041)
    assert await profile_traits(service, other, profile)
    assert await names(service, store) == ["Loyalty", "Contact"]


async def test_malformed_stores_forms_and_strangers(service: Service, store: str) -> None:
    assert_refused(await service.api.get(path("x")), 400, 520049)
    assert_refused(await service.api.post(path("x"), json={}), 400, 520049)
    assert_refused(await service.api.post(path(store), data={"displayName": "x"}), 415, 20415)
    async with service.client() as api:
        assert_refused(await api.post(path(store), json={"displayName": "x"}), 401, 20003)
    assert await rows(service, store) == []
