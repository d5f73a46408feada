"""Lists of configurations: order, pages, the filter, and what is refused."""

import pytest

from orchestrator.kernel.ids import MEMORY_STORE, new_id
from tests.support.app import Service
from tests.support.factories import configuration_body, make_configuration
from tests.support.refusals import refusal

PATH = "/v2/ControlPlane/Configurations"


async def test_newest_first_and_complete(service: Service) -> None:
    made = [await make_configuration(service) for _ in range(3)]
    body = (await service.api.get(PATH)).json()
    assert body["configurations"] == [
        (await service.api.get(f"{PATH}/{configuration_id}")).json() for configuration_id in made[::-1]
    ]
    assert body["meta"] == {"key": "configurations", "pageSize": 3}


@pytest.mark.parametrize(("size", "token"), [("pageSize", "pageToken"), ("PageSize", "PAGETOKEN")])
async def test_a_walk_there_and_back_sees_each_once(service: Service, size: str, token: str) -> None:
    made = [await make_configuration(service) for _ in range(3)]
    seen, query = [], {size: "1"}
    while True:
        page = (await service.api.get(PATH, params=query)).json()
        seen += [configuration["id"] for configuration in page["configurations"]]
        assert page["meta"]["pageSize"] == 1
        if "nextToken" not in page["meta"]:
            break
        query = {token: page["meta"]["nextToken"]}
    assert seen == made[::-1]
    back = []
    while "previousToken" in page["meta"]:
        page = (await service.api.get(PATH, params={token: page["meta"]["previousToken"]})).json()
        back += [configuration["id"] for configuration in page["configurations"]]
    assert back == made[1:]


async def test_the_memory_store_filter(service: Service) -> None:
    store_id = new_id(MEMORY_STORE)
    wanted = [await make_configuration(service, memoryStoreId=store_id) for _ in range(2)]
    moved = await make_configuration(service, memoryStoreId=store_id)
    await service.api.put(f"{PATH}/{moved}", json=configuration_body())
    query = {"memorystoreid": store_id, "PageSize": "1"}
    first = (await service.api.get(PATH, params=query)).json()
    second = (await service.api.get(PATH, params={"pageToken": first["meta"]["nextToken"]})).json()
    found = [page["configurations"][0]["id"] for page in (first, second)]
    assert found == wanted[::-1]
    assert "nextToken" not in second["meta"]
    assert (await service.api.get(PATH, params={"memoryStoreId": new_id(MEMORY_STORE)})).json() == {
        "configurations": [],
        "meta": {"key": "configurations", "pageSize": 0},
    }


async def test_clients_may_label_the_request_a_form(service: Service) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await service.api.get(PATH, headers=headers)).status_code == 200


@pytest.mark.parametrize("size", ["0", "1001", "-1", "x", "", "1.5", "²"])
async def test_wrong_page_sizes(service: Service, size: str) -> None:
    error = refusal(await service.api.get(PATH, params={"pageSize": size}), 400, 20001)
    assert error["params"] == {"field": "pageSize", "value": size}


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        "é",
        "e30",  # {}
        "eyJhIjpbIngiLCJ5Il0sInMiOjEsImYiOnt9fQ",  # a text where a time must be
        "eyJhIjpbeyJ0IjoiMjAyNi0wMi0wMyJ9LCJcdTAwMDAiXSwicyI6MSwiZiI6e319",  # a character that Postgres refuses
        "eyJhIjpbeyJ0IjoiMDAwMS0wMS0wMVQwMDowMDowMCsxNDowMCJ9LCJ4Il0sInMiOjEsImYiOnt9fQ",  # before the first year
    ],
)
async def test_wrong_page_tokens(service: Service, token: str) -> None:
    error = refusal(await service.api.get(PATH, params={"pageToken": token}), 400, 20001)
    assert error["params"] == {"field": "pageToken"}


@pytest.mark.parametrize("store_id", ["mem_store_", "mem_store_01KGH3K1W8FMKRXJ2C5A9D7E6B", "x\x00", ""])
async def test_wrong_filters(service: Service, store_id: str) -> None:
    error = refusal(await service.api.get(PATH, params={"memoryStoreId": store_id}), 400, 20001)
    assert error["params"]["field"] == "memoryStoreId"
