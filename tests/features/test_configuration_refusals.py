"""Requests for configurations that are refused: which field, which status, and nothing is written."""

from typing import Any

import pytest

from orchestrator.outbox.guard import check_url
from tests.support.app import Service, running_service
from tests.support.factories import configuration_body, make_configuration

PATH = "/v2/ControlPlane/Configurations"


def timeouts(value: Any) -> dict[str, Any]:
    return {"channelSettings": {"SMS": {"statusTimeouts": value}}}


def rule(channel: str = "SMS", **changes: Any) -> dict[str, Any]:
    return {
        "channelSettings": {channel: {"captureRules": [{"from": "*", "to": "*"}, {"from": "*", "to": "*", **changes}]}}
    }


TIMEOUTS = "/channelSettings/SMS/statusTimeouts"
RULE = "/channelSettings/SMS/captureRules/1"

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"displayName": None}, "/displayName"),
    ({"displayName": ""}, "/displayName"),
    ({"displayName": "x" * 33}, "/displayName"),
    ({"displayName": "a.b"}, "/displayName"),
    ({"displayName": "line\n"}, "/displayName"),
    ({"displayName": 1}, "/displayName"),
    ({"description": None}, "/description"),
    ({"description": "x" * 513}, "/description"),
    ({"description": "a\x00b"}, "/description"),
    ({"description": ["text"]}, "/description"),
    ({"conversationGroupingType": None}, "/conversationGroupingType"),
    ({"conversationGroupingType": "group_by_profile"}, "/conversationGroupingType"),
    ({"memoryStoreId": None}, "/memoryStoreId"),
    ({"memoryStoreId": "memora-123"}, "/memoryStoreId"),
    ({"memoryStoreId": "mem_store_8" + "0" * 25}, "/memoryStoreId"),
    ({"memoryStoreId": "mem_store_01kgh3k1w8fmkrxj2c5a9d7e6b\n"}, "/memoryStoreId"),
    ({"channelSettings": []}, "/channelSettings"),
    ({"channelSettings": {"sms": {}}}, "/channelSettings/sms"),
    ({"channelSettings": {"~/": {}}}, "/channelSettings/~0~1"),
    ({"channelSettings": {"API": {}}}, "/channelSettings/API"),
    ({"channelSettings": {"SMS": False}}, "/channelSettings/SMS"),
    (timeouts([10, 60]), TIMEOUTS),
    (timeouts({"inactive": 60, "closed": 10}), TIMEOUTS),
    (timeouts({"inactive": 0, "closed": 60}), f"{TIMEOUTS}/inactive"),
    (timeouts({"closed": 1_576_801}), f"{TIMEOUTS}/closed"),
    (timeouts({"closed": True}), f"{TIMEOUTS}/closed"),
    (timeouts({"closed": "60"}), f"{TIMEOUTS}/closed"),
    (timeouts({"closed": 60.5}), f"{TIMEOUTS}/closed"),
    (timeouts({"closed": 10**30}), f"{TIMEOUTS}/closed"),
    ({"channelSettings": {"SMS": {"captureRules": {}}}}, "/channelSettings/SMS/captureRules"),
    (
        {"channelSettings": {"SMS": {"captureRules": [{"from": "*", "to": "*"}] * 101}}},
        "/channelSettings/SMS/captureRules",
    ),
    ({"channelSettings": {"SMS": {"captureRules": [{"to": "*"}]}}}, "/channelSettings/SMS/captureRules/0/from"),
    (rule(to=None), f"{RULE}/to"),
    (rule(to=15551234567), f"{RULE}/to"),
    (rule(to=""), f"{RULE}/to"),
    (rule(to="+1555*"), f"{RULE}/to"),
    (rule(**{"from": "+1"}), f"{RULE}/from"),
    (rule(**{"from": "x" * 255}), f"{RULE}/from"),
    (rule(**{"from": "whatsapp:"}), f"{RULE}/from"),
    (rule(**{"from": "a\nb"}), f"{RULE}/from"),
    (rule(**{"from": "MG" + "0a" * 16}), f"{RULE}/from"),
    (rule(metadata=[]), f"{RULE}/metadata"),
    (rule(metadata={"a": 1}), f"{RULE}/metadata/a"),
    (rule(metadata={"a": "\x00"}), f"{RULE}/metadata/a"),
    (rule("VOICE", metadata={"callType": "SIP"}), "/channelSettings/VOICE/captureRules/1/metadata/callType"),
    ({"statusCallbacks": [{"url": "https://a.example.com/"}] * 3}, "/statusCallbacks"),
    ({"statusCallbacks": "https://a.example.com/"}, "/statusCallbacks"),
    ({"statusCallbacks": [{}]}, "/statusCallbacks/0/url"),
    ({"statusCallbacks": [{"url": ""}]}, "/statusCallbacks/0/url"),
    ({"statusCallbacks": [{"url": "ftp://a.example.com/"}]}, "/statusCallbacks/0/url"),
    ({"statusCallbacks": [{"url": "/relative"}]}, "/statusCallbacks/0/url"),
    ({"statusCallbacks": [{"url": "https://a.example.com/" + "x" * 2048}]}, "/statusCallbacks/0/url"),
    ({"statusCallbacks": [{"url": "https://a.example.com/", "method": "PUT"}]}, "/statusCallbacks/0/method"),
    ({"intelligenceConfigurationIds": ["x"] * 6}, "/intelligenceConfigurationIds"),
    ({"intelligenceConfigurationIds": [1]}, "/intelligenceConfigurationIds/0"),
    ({"memoryExtractionEnabled": "true"}, "/memoryExtractionEnabled"),
    ({"memoryExtractionEnabled": 1}, "/memoryExtractionEnabled"),
    ({"conversationsV1Bridge": {}}, "/conversationsV1Bridge/serviceId"),
    ({"conversationsV1Bridge": {"serviceId": "IS" + "A" * 32}}, "/conversationsV1Bridge/serviceId"),
]


async def written(service: Service) -> list[Any]:
    """Everything that a refused request must not have touched."""
    return await service.fetch(
        """
        select 'configuration', id, version from configurations where account_id = $1
        union all select 'version', configuration_id, version from configuration_versions where account_id = $1
        union all select 'operation', id, 0 from operations where account_id = $1
        union all select 'store', id, 0 from memory_stores where account_id = $1
        order by 1, 2, 3
        """,
        service.account.account_id,
    )


@pytest.mark.parametrize(
    ("changes", "pointer"), REFUSED, ids=[f"{pointer}-{i}" for i, (_, pointer) in enumerate(REFUSED)]
)
async def test_a_wrong_field_is_named(service: Service, changes: dict[str, Any], pointer: str) -> None:
    response = await service.api.post(PATH, json=configuration_body(**changes))
    body = response.json()
    assert (response.status_code, body["code"], body["status"], body["userError"]) == (400, 20001, 400, True), body
    assert body["message"].startswith(f"{pointer}: ")
    assert body["params"]["field"] == pointer
    assert body["details"]["errors"][0]["pointer"] == pointer
    assert await written(service) == []


@pytest.mark.parametrize("changes", [timeouts({"inactive": 60, "closed": 10}), rule(to="+1"), {"displayName": "a.b"}])
async def test_replacing_checks_the_same(service: Service, changes: dict[str, Any]) -> None:
    configuration_id = await make_configuration(service)
    before = await written(service)
    response = await service.api.put(f"{PATH}/{configuration_id}", json=configuration_body(**changes))
    assert response.status_code == 400
    assert await written(service) == before


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b'{"displayName": "Support",', 400, 20001),
        (b"", 400, 20001),
        (b"[]", 400, 20001),
        (b"null", 400, 20001),
        (b'"text"', 400, 20001),
        (b"\xff", 400, 20001),
        (b'{"displayName": "\\ud800"}', 400, 20001),
        (b'{"channelSettings": {"\\ud800": {}}}', 400, 20001),
        (b"[" * 100_000, 400, 20001),
    ],
)
async def test_a_body_that_is_no_json_object(service: Service, body: bytes, status: int, code: int) -> None:
    response = await service.api.post(PATH, content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert await written(service) == []


async def test_broken_json_is_told_as_such(service: Service) -> None:
    headers = {"Content-Type": "application/json"}
    error = (await service.api.post(PATH, content=b'{"a": }', headers=headers)).json()
    assert error["params"]["field"] == "(body)"
    assert "not valid JSON" in error["message"]


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", None])
async def test_only_json_is_understood(service: Service, content_type: str | None) -> None:
    configuration_id = await make_configuration(service)
    before = await written(service)
    headers = {"Content-Type": content_type} if content_type else {}
    for method, path in (("POST", PATH), ("PUT", f"{PATH}/{configuration_id}")):
        response = await service.api.request(method, path, content=b"displayName=Support", headers=headers)
        assert (response.status_code, response.json()["code"]) == (415, 20415)
    assert await written(service) == before


async def test_methods_that_do_not_exist(service: Service) -> None:
    response = await service.api.delete(PATH)
    assert (response.status_code, response.json()["code"]) == (405, 20004)
    response = await service.api.post(f"{PATH}/x", json={})
    assert (response.status_code, response.json()["code"]) == (405, 20004)


async def test_credentials_come_first(service: Service) -> None:
    async with service.client() as stranger:
        for method, path in (
            ("GET", PATH),
            ("POST", PATH),
            ("GET", f"{PATH}/x"),
            ("PUT", f"{PATH}/x"),
            ("DELETE", f"{PATH}/x"),
        ):
            response = await stranger.request(method, path, content=b"{", headers={"Content-Type": "text/plain"})
            assert (response.status_code, response.json()["code"]) == (401, 20003)
            assert response.headers["WWW-Authenticate"].startswith("Basic")
    assert await written(service) == []


@pytest.mark.parametrize(
    "url", ["http://hooks.example.com/", "https://localhost/", "https://127.0.0.1/", "https://10.0.0.1"]
)
async def test_production_wants_https_and_public_hosts(database_url: str, url: str) -> None:
    check_url(url, allow_insecure=True)
    async with running_service(database_url, allow_insecure_callbacks=False) as service:
        body = configuration_body(statusCallbacks=[{"url": "https://hooks.example.com/"}, {"url": url}])
        response = await service.api.post(PATH, json=body)
        assert response.status_code == 400
        assert response.json()["params"] == {"field": "/statusCallbacks/1/url", "value": url}
        assert await written(service) == []


async def test_development_admits_the_own_machine(service: Service) -> None:
    await make_configuration(service, statusCallbacks=[{"url": "http://127.0.0.1:9000/hook#rc=0", "method": None}])
