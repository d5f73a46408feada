"""Operations of the Conversations API: what a 202 points to."""

import pytest

from tests.support.app import ORIGIN, Service, running_service
from tests.support.factories import configuration_body

CONFIGURATIONS = "/v2/ControlPlane/Configurations"
PATH = "/v2/ControlPlane/Operations"


async def test_each_write_is_done_when_its_operation_can_be_asked_for(service: Service) -> None:
    created = await service.api.post(CONFIGURATIONS, json=configuration_body())
    url = f"{CONFIGURATIONS}/{created.json()['related']['configurationId']}"
    updated = await service.api.put(url, json=configuration_body())
    patched = await service.api.patch(url, json={"description": "new"})
    unchanged = await service.api.patch(url, json={"description": "new"})
    deleted = await service.api.delete(url)
    operation_ids = set()
    for response in (created, updated, patched, unchanged, deleted):
        operation = await service.api.get(response.json()["statusUrl"])
        body = operation.json()
        assert operation.status_code == 200
        assert operation.headers["Operation-Id"] == response.headers["Operation-Id"]
        assert int(operation.headers["Retry-After"]) >= 1
        assert body["createdAt"] == body["completedAt"]
        assert body == {
            "operationId": response.headers["Operation-Id"],
            "status": "COMPLETED",
            "createdAt": body["createdAt"],
            "completedAt": body["completedAt"],
            "statusUrl": response.json()["statusUrl"],
            "error": None,
            "related": created.json()["related"],
        }
        operation_ids.add(body["operationId"])
    assert len(operation_ids) == 5


async def test_urls_have_the_requests_origin_unless_one_is_set(database_url: str) -> None:
    async with running_service(database_url, public_url=None) as service:
        response = await service.api.post(
            CONFIGURATIONS, json=configuration_body(), headers={"Host": "elsewhere.example.com:8443"}
        )
        origin = "https://elsewhere.example.com:8443"
        assert response.headers["Location"] == f"{origin}{PATH}/{response.headers['Operation-Id']}"
    async with running_service(database_url, public_url="https://public.example.com/") as service:
        response = await service.api.post(CONFIGURATIONS, json=configuration_body())
        assert response.json()["statusUrl"].startswith(f"https://public.example.com{PATH}/")


@pytest.mark.parametrize("operation_id", ["x", "%00", "proc_job_01kgh3k1w8fmkrxj2c5a9d7e6b", "proc_job_" + "Z" * 26])
async def test_unknown_and_malformed_ids(service: Service, operation_id: str) -> None:
    response = await service.api.get(f"{PATH}/{operation_id}")
    assert (response.status_code, response.json()["code"]) == (404, 20404)


async def test_other_accounts_see_nothing(service: Service) -> None:
    response = await service.api.post(CONFIGURATIONS, json=configuration_body())
    async with service.client(await service.new_account()) as other:
        assert (await other.get(response.json()["statusUrl"])).status_code == 404
    async with service.client() as stranger:
        assert (await stranger.get(response.json()["statusUrl"])).status_code == 401


async def test_operations_can_only_be_fetched(service: Service) -> None:
    response = await service.api.post(CONFIGURATIONS, json=configuration_body())
    assert (await service.api.delete(response.json()["statusUrl"])).status_code == 405
    assert (await service.api.get(f"{ORIGIN}{PATH}")).status_code == 404
