"""Memory stores and their operations over HTTP."""

import asyncio
import base64
import json
from datetime import datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import CheckConstraint, Column, insert

from orchestrator.kernel.ids import MEMORY_STORE, OPERATION, new_id
from orchestrator.memory import stores
from orchestrator.memory.service import adopt_store
from orchestrator.memory.upsert import create_profile
from orchestrator.tables import metadata
from tests.support.app import ORIGIN, Service
from tests.support.memory import (
    assert_refused,
    new_phone,
    new_profile,
    new_store,
    post_profile,
    rows_of_store,
    until_somebody_waits_for,
)

STORES = "/v1/ControlPlane/Stores"
OPERATIONS = "/v1/ControlPlane/Operations/"


async def listed(service: Service, **query: Any) -> list[str]:
    response = await service.api.get(STORES, params=query)
    assert response.status_code == 200, response.text
    ids: list[str] = response.json()["stores"]
    return ids


async def stored(service: Service) -> list[Any]:
    query = "select id, display_name from memory_stores where account_id = $1"
    return await service.fetch(query, service.account.account_id)


async def test_create_answers_with_an_operation_that_names_the_store(service: Service) -> None:
    body = {"displayName": "customer-care", "description": "Who they are"}
    response = await service.api.post(STORES, json=body)
    assert response.status_code == 202
    assert set(response.json()) == {"message", "statusUrl"}
    operation_id = response.headers["Operation-Id"]
    assert response.headers["Location"] == response.json()["statusUrl"] == ORIGIN + OPERATIONS + operation_id
    assert response.headers["Retry-After"].isdigit()

    operation = await service.api.get(response.json()["statusUrl"])
    assert operation.status_code == 200
    assert operation.headers["Operation-Id"] == operation_id
    store_id = operation.json()["result"]["id"]
    assert operation.json() == {
        "operationId": operation_id,
        "status": "COMPLETED",
        "createdAt": operation.json()["createdAt"],
        "completedAt": operation.json()["createdAt"],
        "statusUrl": ORIGIN + OPERATIONS + operation_id,
        "result": {"type": "RESOURCE_ID", "id": store_id},
        "error": None,
    }

    store = await service.api.get(f"{STORES}/{store_id}")
    assert store.json() == {
        "id": store_id,
        "displayName": "customer-care",
        "description": "Who they are",
        "status": "ACTIVE",
        "intelligenceServiceId": None,
        "version": 1,
    }
    tag = store.headers["ETag"]
    assert tag.startswith('"')
    assert json.loads(base64.b64decode(tag.strip('"'))) == {"id": store_id, "version": 1}


async def test_description_may_be_left_out(service: Service) -> None:
    for extra in ({}, {"description": None}, {"unknownMember": 1}):
        store_id = await new_store(service, **extra)
        assert "description" not in (await service.api.get(f"{STORES}/{store_id}")).json()


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/displayName"),
        ({"displayName": ""}, "/displayName"),
        ({"displayName": "under_score"}, "/displayName"),
        ({"displayName": "line\n"}, "/displayName"),
        ({"displayName": "x" * 65}, "/displayName"),
        ({"displayName": None}, "/displayName"),
        ({"displayName": "fine", "description": ""}, "/description"),
        ({"displayName": "fine", "description": "x" * 129}, "/description"),
        ({"displayName": "fine", "description": "\x00"}, "/description"),
        ([], "(body)"),
    ],
)
async def test_a_wrong_body_is_refused_by_name(service: Service, body: Any, pointer: str) -> None:
    response = await service.api.post(STORES, json=body)
    refusal = assert_refused(response, 400, 520046, names=pointer)
    assert refusal["params"]["field"] == pointer
    assert await stored(service) == []


async def test_half_a_surrogate_pair_is_refused(service: Service) -> None:
    for field in ("displayName", "description"):
        body = json.dumps({"displayName": "fine", field: "\ud800"})
        response = await service.api.post(STORES, content=body, headers={"Content-Type": "application/json"})
        assert_refused(response, 400, 520046, names=f"/{field}")
    assert await stored(service) == []


async def test_a_name_is_used_once_per_account(service: Service) -> None:
    await service.api.post(STORES, json={"displayName": "twins"})
    refusal = assert_refused(await service.api.post(STORES, json={"displayName": "twins"}), 409, 520045, names="twins")
    assert refusal["params"] == {"field": "/displayName", "value": "twins"}
    assert len(await stored(service)) == 1
    another = await service.new_account()
    async with service.client(another) as api:
        assert (await api.post(STORES, json={"displayName": "twins"})).status_code == 202


async def test_concurrent_creations_of_one_name_make_one_store(service: Service) -> None:
    answers = await asyncio.gather(*(service.api.post(STORES, json={"displayName": "race"}) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 7
    assert len(await stored(service)) == 1


async def test_an_account_has_at_most_fifteen_stores(service: Service) -> None:
    answers = await asyncio.gather(
        *(service.api.post(STORES, json={"displayName": f"store-{number}"}) for number in range(20))
    )
    assert sorted(answer.status_code for answer in answers) == [202] * 15 + [400] * 5
    for answer in answers:
        if answer.status_code == 400:
            assert assert_refused(answer, 400, 520044, names="15")["details"] == {"limit": 15}
    assert len(await stored(service)) == 15

    taken = (await stored(service))[0]["display_name"]
    assert_refused(await service.api.post(STORES, json={"displayName": taken}), 409, 520045)
    assert (await service.api.delete(f"{STORES}/{(await listed(service))[0]}")).status_code == 202
    await new_store(service)


async def test_the_fifteenth_store_is_made_once(service: Service) -> None:
    for _ in range(14):
        await new_store(service)
    async with service.units.begin() as unit:
        await stores.create_store(unit, service.account.account_id, display_name="fifteenth", description=None)
        another = asyncio.create_task(service.api.post(STORES, json={"displayName": "sixteenth"}))
        await until_somebody_waits_for(unit)
    assert_refused(await another, 400, 520044)
    assert len(await stored(service)) == 15


async def test_list_is_pages_of_bare_ids_newest_first(service: Service) -> None:
    ids = [await new_store(service) for _ in range(5)]
    assert await listed(service) == ids[::-1]
    assert await listed(service, orderBy="ASC") == ids

    first = (await service.api.get(STORES, params={"PageSize": 2, "OrderBy": "asc"})).json()
    assert first["stores"] == ids[:2]
    assert first["meta"]["key"] == "stores"
    assert first["meta"]["pageSize"] == 2
    assert "previousToken" not in first["meta"]
    # The token alone carries the size and the order.
    second = (await service.api.get(STORES, params={"pageToken": first["meta"]["nextToken"]})).json()
    assert second["stores"] == ids[2:4]
    last = (await service.api.get(STORES, params={"pageToken": second["meta"]["nextToken"]})).json()
    assert last["stores"] == ids[4:]
    assert last["meta"]["pageSize"] == 1
    assert "nextToken" not in last["meta"]
    back = (await service.api.get(STORES, params={"pageToken": last["meta"]["previousToken"]})).json()
    assert back["stores"] == ids[2:4]


async def test_an_empty_list_still_names_its_key(service: Service) -> None:
    response = await service.api.get(STORES, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert response.json() == {"stores": [], "meta": {"key": "stores", "pageSize": 0}}


@pytest.mark.parametrize(
    "query", [{"pageSize": "101"}, {"pageSize": "0"}, {"pageSize": "x"}, {"orderBy": "UP"}, {"pageToken": "?"}]
)
async def test_a_wrong_list_query_is_refused(service: Service, query: dict[str, str]) -> None:
    assert_refused(await service.api.get(STORES, params=query), 400, 520046, names=next(iter(query)))


async def test_delete_takes_everything_with_it(service: Service) -> None:
    store_id, kept = await new_store(service, displayName="again"), await new_store(service)
    profile_id = await new_profile(service, store_id, phone=new_phone())
    other_id = await new_profile(service, kept, phone=new_phone())
    response = await service.api.delete(f"{STORES}/{store_id}", headers={"Accept": "*/*"})
    assert response.status_code == 202
    assert set(response.json()) == {"message", "statusUrl"}
    operation = (await service.api.get(response.headers["Location"])).json()
    assert (operation["status"], operation["result"]["id"]) == ("COMPLETED", store_id)

    profiles = f"/v1/Stores/{store_id}/Profiles"
    answers = [
        await service.api.get(f"{STORES}/{store_id}"),
        await service.api.delete(f"{STORES}/{store_id}"),
        await service.api.get(profiles),
        await service.api.get(f"{profiles}/{profile_id}"),
        await service.api.post(profiles, json={"traits": {"Contact": {"phone": new_phone()}}}),
        await service.api.post(f"{profiles}/Lookup", json={"idType": "phone", "value": new_phone()}),
        await service.api.get(f"{profiles}/{profile_id}/Identifiers"),
    ]
    for answer in answers:
        assert_refused(answer, 404, 520041, names=store_id)
    assert await listed(service) == [kept]
    assert await rows_of_store(service, store_id) == [[], [], []]
    assert (await service.api.get(f"/v1/Stores/{kept}/Profiles/{other_id}")).status_code == 200
    assert await new_store(service, displayName="again") != store_id


async def test_delete_forgets_no_table(service: Service) -> None:
    """Every table that names a store, those that are yet to come among them."""
    tables = [table for table in metadata.sorted_tables if "store_id" in table.c]
    assert {"trait_groups", "identity_settings", "observations", "profiles"} <= {table.name for table in tables}
    store_id, kept = await new_store(service), await new_store(service)
    for store in (store_id, kept):
        for table in tables:
            columns = [column for column in table.c if not column.nullable]
            values = {"account_id": service.account.account_id, "store_id": store}
            async with service.units.begin() as unit:
                row = {column.name: values.get(column.name, sample(column, unit.now)) for column in columns}
                await unit.connection.execute(insert(table).values(row))
    assert (await service.api.delete(f"{STORES}/{store_id}")).status_code == 202
    for table in tables:
        rows = await service.fetch(f"select store_id from {table.name} where store_id = any ($1)", [store_id, kept])
        assert [row["store_id"] for row in rows] == [kept], table.name


def sample(column: Column[Any], now: datetime) -> Any:
    """Any value that the column holds."""
    if allowed := [check for check in column.table.constraints if isinstance(check, CheckConstraint)]:
        named = [str(check.sqltext) for check in allowed if str(check.sqltext).startswith(f"{column.name} in ")]
        if named:
            return named[0].split("'")[1]
    kind = column.type.python_type
    if kind is datetime:
        return now
    return {} if kind is object else kind()


async def test_a_patch_changes_what_it_names(service: Service) -> None:
    store_id = await new_store(service, displayName="before", description="As it was")
    response = await service.api.patch(f"{STORES}/{store_id}", json={"displayName": "after", "description": None})
    assert response.status_code == 202
    assert set(response.json()) == {"message", "statusUrl"}
    operation = (await service.api.get(response.headers["Location"])).json()
    assert operation["result"] == {"type": "RESOURCE_ID", "id": store_id}
    store = (await service.api.get(f"{STORES}/{store_id}")).json()
    assert (store["displayName"], store["description"], store["version"]) == ("after", "As it was", 2)
    again = await service.api.patch(f"{STORES}/{store_id}", json={"description": "Now", "displayName": "after", "x": 1})
    assert again.status_code == 202
    store = (await service.api.get(f"{STORES}/{store_id}")).json()
    assert (store["displayName"], store["description"], store["version"]) == ("after", "Now", 3)
    assert await new_store(service, displayName="before") != store_id


async def test_a_patch_may_depend_on_the_version(service: Service) -> None:
    store_id = await new_store(service)
    tag = (await service.api.get(f"{STORES}/{store_id}")).headers["ETag"]
    body = {"description": "Another"}
    for header in (tag, "*"):
        response = await service.api.patch(f"{STORES}/{store_id}", json=body, headers={"If-Match": header})
        assert response.status_code == 202
    for header in (tag, tag.strip('"'), '"x"'):
        stale = await service.api.patch(f"{STORES}/{store_id}", json={"description": "x"}, headers={"If-Match": header})
        assert_refused(stale, 412, 520043, names="If-Match")
    store = (await service.api.get(f"{STORES}/{store_id}")).json()
    assert (store["description"], store["version"]) == ("Another", 3)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "(body)"),
        ({"displayName": None, "description": None}, "(body)"),
        ({"unknown": 1}, "(body)"),
        ({"displayName": ""}, "/displayName"),
        ({"displayName": "under_score"}, "/displayName"),
        ({"displayName": "x" * 65}, "/displayName"),
        ({"description": ""}, "/description"),
        ({"description": "x" * 129}, "/description"),
        ({"description": "\x00"}, "/description"),
    ],
)
async def test_a_wrong_patch_is_refused_by_name(service: Service, body: Any, pointer: str) -> None:
    store_id = await new_store(service)
    before = await service.fetch("select * from memory_stores where id = $1", store_id)
    response = await service.api.patch(f"{STORES}/{store_id}", json=body)
    assert assert_refused(response, 400, 520046, names=pointer)["params"]["field"] == pointer
    assert await service.fetch("select * from memory_stores where id = $1", store_id) == before


async def test_a_store_cannot_take_the_name_of_another(service: Service) -> None:
    stores_of_account = [await new_store(service, displayName=name) for name in ("one", "two")]
    refusal = assert_refused(
        await service.api.patch(f"{STORES}/{stores_of_account[1]}", json={"displayName": "one"}),
        409,
        520045,
        names="one",
    )
    assert refusal["params"] == {"field": "/displayName", "value": "one"}
    answers = await asyncio.gather(
        *(service.api.patch(f"{STORES}/{one}", json={"displayName": "three"}) for one in stores_of_account)
    )
    assert sorted(answer.status_code for answer in answers) == [202, 409]
    await service.api.delete(f"{STORES}/{stores_of_account[0]}")
    freed = await service.api.patch(f"{STORES}/{stores_of_account[1]}", json={"displayName": "one"})
    assert freed.status_code == 202


async def test_delete_waits_for_profiles_that_are_being_written(service: Service) -> None:
    store_id, account = await new_store(service), service.account.account_id
    async with service.units.begin() as unit:
        store = await stores.serving_store(unit, account, store_id, writing=True)
        await create_profile(unit, store, {"Contact": {"phone": new_phone()}})
        deleted = asyncio.create_task(service.api.delete(f"{STORES}/{store_id}"))
        await until_somebody_waits_for(unit)
    assert (await deleted).status_code == 202
    assert await rows_of_store(service, store_id) == [[], [], []]


async def test_nothing_is_written_into_a_store_that_is_being_deleted(service: Service) -> None:
    store_id, account = await new_store(service), service.account.account_id
    async with service.units.begin() as unit:
        await stores.delete_store(unit, account, store_id)
        posted = asyncio.create_task(post_profile(service, store_id, {"Contact": {"phone": new_phone()}}))
        await until_somebody_waits_for(unit)
    assert_refused(await posted, 404, 520041)
    assert await rows_of_store(service, store_id) == [[], [], []]


async def test_stores_of_other_accounts_do_not_exist(service: Service) -> None:
    store_id = await new_store(service)
    created = await service.api.post(STORES, json={"displayName": "mine"})
    async with service.client(await service.new_account()) as api:
        assert_refused(await api.get(f"{STORES}/{store_id}"), 404, 520041, names=store_id)
        assert_refused(await api.delete(f"{STORES}/{store_id}"), 404, 520041)
        assert_refused(await api.patch(f"{STORES}/{store_id}", json={"displayName": "theirs"}), 404, 520041)
        assert_refused(await api.get(OPERATIONS + created.headers["Operation-Id"]), 404, 520052)
        assert (await api.get(STORES)).json()["stores"] == []
    assert (await service.api.get(f"{STORES}/{store_id}")).status_code == 200


@pytest.mark.parametrize(
    "store_id", ["x", "mem_store_1", "mem_store_91234567890123456789012345", "mem_store_%00", "conv_" + "0" * 26]
)
async def test_malformed_store_ids(service: Service, store_id: str) -> None:
    profiles = f"/v1/Stores/{store_id}/Profiles"
    assert_refused(await service.api.get(f"{STORES}/{store_id}"), 400, 520049)
    assert_refused(await service.api.delete(f"{STORES}/{store_id}"), 400, 520049)
    assert_refused(await service.api.patch(f"{STORES}/{store_id}", json={}), 400, 520049)
    assert_refused(await service.api.get(profiles), 400, 520049)
    assert_refused(await service.api.post(profiles, json={}), 400, 520049)


async def test_unknown_store(service: Service) -> None:
    assert_refused(await service.api.get(f"{STORES}/{new_id(MEMORY_STORE)}"), 404, 520041)


async def test_unknown_and_malformed_operations(service: Service) -> None:
    assert_refused(await service.api.get(OPERATIONS + new_id(OPERATION)), 404, 520052)
    assert_refused(await service.api.get(OPERATIONS + "anything"), 404, 520052)
    assert_refused(await service.api.get(OPERATIONS + "a%00b"), 400, 520051)
    assert_refused(await service.api.get(OPERATIONS + "x" * 513), 400, 520051)


async def test_operations_are_kept_for_seven_days(service: Service) -> None:
    path = (await service.api.post(STORES, json={"displayName": "old"})).headers["Location"]
    service.clock.advance(days=6, hours=23)
    assert (await service.api.get(path)).status_code == 200
    service.clock.advance(hours=2)
    assert_refused(await service.api.get(path), 404, 520052)


async def test_forms_and_strangers_are_refused(service: Service) -> None:
    form = await service.api.post(STORES, data={"displayName": "form"})
    assert_refused(form, 415, 20415)
    async with service.client() as api:
        assert_refused(await api.post(STORES, json={"displayName": "stranger"}), 401, 20003)
        assert_refused(await api.get(STORES), 401, 20003)
    assert await stored(service) == []


async def adopt(service: Service, store_id: str) -> None:
    async with service.units.begin() as unit:
        await adopt_store(unit, service.account.account_id, store_id)


async def fetched(service: Service, store_id: str) -> httpx.Response:
    return await service.api.get(f"{STORES}/{store_id}")


async def test_an_unknown_store_is_adopted_once(service: Service) -> None:
    store_id = new_id(MEMORY_STORE)
    await asyncio.gather(*(adopt(service, store_id) for _ in range(12)))
    assert len(await stored(service)) == 1
    adopted = (await fetched(service, store_id)).json()
    assert (adopted["displayName"], adopted["status"]) == (f"store-{store_id[-26:]}", "ACTIVE")
    async with service.client(await service.new_account()) as api:
        assert_refused(await api.get(f"{STORES}/{store_id}"), 404, 520041)


async def test_adopting_keeps_what_is_there(service: Service) -> None:
    store_id = await new_store(service, displayName="kept", description="as it was")
    before = (await fetched(service, store_id)).json()
    await adopt(service, store_id)
    assert (await fetched(service, store_id)).json() == before


async def test_a_deleted_store_is_not_adopted_again(service: Service) -> None:
    store_id = await new_store(service)
    await service.api.delete(f"{STORES}/{store_id}")
    await adopt(service, store_id)
    assert_refused(await fetched(service, store_id), 404, 520041)


async def test_adoption_finds_a_free_name_and_ignores_the_limit(service: Service) -> None:
    for _ in range(15):
        await new_store(service)
    number = new_id(MEMORY_STORE)[-26:]
    for store_id in (f"mem_store_{number}", f"mem_service_{number}"):
        await adopt(service, store_id)
        assert (await fetched(service, store_id)).json()["displayName"].startswith(f"store-{number}")
    assert_refused(await service.api.post(STORES, json={"displayName": "one-more"}), 400, 520044)
