"""The versions of a configuration: listed, compared, and made current again."""

import uuid
from typing import Any

import pytest

from orchestrator.kernel.ids import CONFIGURATION, new_id
from tests.features.test_configurations import BRIDGE, PATH, add_conversation, fetch
from tests.support.app import Service, running_service
from tests.support.factories import configuration_body, make_configuration
from tests.support.refusals import refusal

OURS = ("id", "createdAt", "updatedAt", "version")
EMPTY = ("traitExtractionStrategyIds", "observationExtractionStrategyIds", "redactionConfigurationId")


def of(configuration_id: str, rest: str = "") -> str:
    return f"/orchestrator/v1/Configurations/{configuration_id}/Versions{rest}"


async def get(service: Service, path: str) -> dict[str, Any]:
    response = await service.api.get(path)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


async def changed(service: Service, configuration_id: str, **changes: Any) -> dict[str, Any]:
    response = await service.api.patch(f"{PATH}/{configuration_id}", json=changes)
    assert response.status_code == 202, response.text
    return settings(await fetch(service, configuration_id))


def settings(configuration: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in configuration.items() if name not in {*OURS, *EMPTY}}


async def test_versions_are_listed_newest_first_with_what_each_changed(service: Service) -> None:
    configuration_id = await make_configuration(service, description="1")
    said = [settings(await fetch(service, configuration_id))]
    said.append(await changed(service, configuration_id, description="2"))
    said.append(await changed(service, configuration_id, memoryExtractionEnabled=True))
    for status in ("ACTIVE", "INACTIVE", "CLOSED"):
        await add_conversation(service, configuration_id, status)
    await add_conversation(service, await make_configuration(service), "ACTIVE")
    page = await get(service, of(configuration_id))
    assert [one["version"] for one in page["versions"]] == [3, 2, 1]
    assert [one["settings"] for one in page["versions"]] == said[::-1]
    assert [one["openConversations"] for one in page["versions"]] == [0, 0, 2]
    assert [one["changes"] for one in page["versions"]] == [
        [{"path": "/memoryExtractionEnabled", "before": None, "after": True, "change": "added"}],
        [{"path": "/description", "before": "1", "after": "2", "change": "changed"}],
        [],
    ]
    for one in page["versions"]:
        assert await get(service, of(configuration_id, f"/{one['version']}")) == one
    current = await fetch(service, configuration_id)
    assert page["versions"][0]["createdAt"] == current["updatedAt"]
    assert page["versions"][2]["createdAt"] == current["createdAt"]


async def test_they_are_paged_in_the_order_of_numbers(service: Service) -> None:
    configuration_id = await make_configuration(service)
    for number in range(2, 12):
        await changed(service, configuration_id, description=str(number))
    pages = [await get(service, of(configuration_id, "?pageSize=4"))]
    while token := pages[-1]["meta"].get("nextToken"):
        pages.append(await get(service, of(configuration_id, f"?pageToken={token}")))
    assert [[one["version"] for one in page["versions"]] for page in pages] == [
        [11, 10, 9, 8],
        [7, 6, 5, 4],
        [3, 2, 1],
    ]
    back = await get(service, of(configuration_id, f"?pageToken={pages[-1]['meta']['previousToken']}"))
    assert back["versions"] == pages[1]["versions"]


async def test_any_two_are_compared(service: Service) -> None:
    configuration_id = await make_configuration(service, description="1", memoryExtractionEnabled=True)
    await changed(service, configuration_id, memoryExtractionEnabled=False)
    await changed(service, configuration_id, description="3")
    switch = {"path": "/memoryExtractionEnabled", "before": True, "after": None, "change": "deleted"}
    found = await get(service, of(configuration_id, "/2/Diff?against=1"))
    assert found == {"version": 2, "against": 1, "changes": [switch], "deleted": ["/memoryExtractionEnabled"]}
    found = await get(service, of(configuration_id, "/1/Diff"))
    assert (found["against"], [one["path"] for one in found["changes"]]) == (
        3,
        ["/description", "/memoryExtractionEnabled"],
    )
    assert (await get(service, of(configuration_id, "/3/Diff?Against=3")))["changes"] == []


async def test_a_rollback_makes_a_new_version(service: Service) -> None:
    configuration_id = await make_configuration(service, description="1")
    first = settings(await fetch(service, configuration_id))
    await changed(service, configuration_id, description="2", channelSettings={"SMS": None})
    await add_conversation(service, configuration_id, "ACTIVE")
    path, headers = of(configuration_id, "/1/Rollback"), {"Idempotency-Key": str(uuid.uuid4()), "If-Match": '"2"'}
    dry = await service.api.post(f"{path}?dryRun=true", headers=headers)
    assert (dry.status_code, dry.json()["openConversations"]) == (200, 1)
    assert [one["path"] for one in dry.json()["changes"]] == ["/channelSettings/SMS", "/description"]
    answers = [await service.api.post(path, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["related"] == {"configurationId": configuration_id}
    operation = await service.api.get(answers[0].json()["statusUrl"])
    assert operation.json()["status"] == "COMPLETED"
    now = await fetch(service, configuration_id)
    assert (now["version"], settings(now)) == (3, first)
    assert [one["version"] for one in (await get(service, of(configuration_id)))["versions"]] == [3, 2, 1]
    refusal(await service.api.post(path, headers={"If-Match": '"2"'}), 412, 20412)


async def test_what_was_allowed_then_is_judged_by_what_is_allowed_now(service: Service, database_url: str) -> None:
    configuration_id = await make_configuration(service, conversationsV1Bridge=BRIDGE)
    await changed(service, configuration_id, conversationsV1Bridge=None)
    other = await make_configuration(service, conversationsV1Bridge=BRIDGE)
    error = refusal(await service.api.post(of(configuration_id, "/1/Rollback")), 409, 20409)
    assert error["details"] == {"conflictingResourceId": other}
    async with running_service(database_url, allow_insecure_callbacks=False) as strict:
        configuration_id = await make_configuration(strict, statusCallbacks=[{"url": "https://hooks.example.com"}])
        await changed(strict, configuration_id, statusCallbacks=None)
        await strict.fetch(
            "update configuration_versions set settings = "
            "jsonb_set(settings, '{statusCallbacks,0,url}', '\"http://127.0.0.1/\"') "
            "where configuration_id = $1 and version = 1 returning 1",
            configuration_id,
        )
        error = refusal(await strict.api.post(of(configuration_id, "/1/Rollback")), 400, 20001)
        assert error["params"]["field"] == "/statusCallbacks/0/url"
        assert (await fetch(strict, configuration_id))["version"] == 2


@pytest.mark.parametrize("number", ["0", "2", "01", "-1", "x", "9999999999", "1" * 30, "%00"])
async def test_there_is_no_such_version(service: Service, number: str) -> None:
    configuration_id = await make_configuration(service)
    for method, rest in (("GET", ""), ("GET", "/Diff"), ("POST", "/Rollback")):
        refusal(await service.api.request(method, of(configuration_id, f"/{number}{rest}")), 404, 20404)


async def test_wrong_requests(service: Service) -> None:
    configuration_id = await make_configuration(service)
    refusal(await service.api.get(of(configuration_id, "/1/Diff?against=2")), 404, 20404)
    for against in ("0", "x", "2147483648", ""):
        refusal(await service.api.get(of(configuration_id, f"/1/Diff?against={against}")), 400, 20001)
    refusal(await service.api.get(of(configuration_id, "?pageToken=x")), 400, 20001)
    refusal(await service.api.get(of(new_id(CONFIGURATION))), 404, 20404)


async def test_nobody_else_sees_them_and_they_go_with_the_configuration(service: Service, database_url: str) -> None:
    configuration_id = await make_configuration(service)
    async with running_service(database_url) as stranger:
        refusal(await stranger.api.get(of(configuration_id, "/1")), 404, 20404)
        refusal(await stranger.api.post(of(configuration_id, "/1/Rollback")), 404, 20404)
    await service.api.put(f"{PATH}/{configuration_id}", json=configuration_body())
    await service.api.delete(f"{PATH}/{configuration_id}")
    refusal(await service.api.get(of(configuration_id)), 404, 20404)
    refusal(await service.api.post(of(configuration_id, "/1/Rollback")), 404, 20404)
