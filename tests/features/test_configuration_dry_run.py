"""`?dryRun=true`: a PUT or PATCH of a configuration is judged as always, and tells what it would change."""

import uuid
from typing import Any

import httpx
import pytest

from orchestrator.configurations.differences import between, said
from orchestrator.domain.differences import applied
from orchestrator.kernel.ids import CONFIGURATION, new_id
from tests.features.test_configurations import BRIDGE, PATH, add_conversation, fetch
from tests.support.app import Service
from tests.support.factories import configuration_body, make_configuration
from tests.support.refusals import refusal

CALLBACKS = [{"url": "https://hooks.example.com/a", "method": "POST"}]
SMS = "/channelSettings/SMS"


async def rehearse(service: Service, method: str, configuration_id: str, body: Any, **headers: str) -> httpx.Response:
    """A dry run, after which the account is what it was."""
    before = await content(service)
    path = f"{PATH}/{configuration_id}?dryRun=true"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = await service.api.request(method, path, json=body, headers=named)
    assert await content(service) == before
    return response


async def content(service: Service) -> list[tuple[Any, ...]]:
    tables = ("configurations", "configuration_versions", "operations", "idempotency_keys", "memory_stores", "events")
    rows = await service.fetch(
        " union all ".join(f"select count(*), sum(hashtext(t::text)) from {t} t where account_id = $1" for t in tables),
        service.account.account_id,
    )
    return [tuple(row) for row in rows]


async def test_a_put_is_told_field_by_field(service: Service) -> None:
    configuration_id = await make_configuration(service, statusCallbacks=CALLBACKS, memoryExtractionEnabled=True)
    before = await fetch(service, configuration_id)
    body = configuration_body(
        memoryStoreId=before["memoryStoreId"],
        displayName=None,
        description="new",
        channelSettings={
            "SMS": {"statusTimeouts": {"inactive": 10, "closed": 90}, "captureRules": []},
            "VOICE": {"captureRules": before["channelSettings"]["VOICE"]["captureRules"][:1]},
        },
        conversationsV1Bridge=BRIDGE,
    )
    for status in ("ACTIVE", "INACTIVE", "CLOSED"):
        await add_conversation(service, configuration_id, status)
    response = await rehearse(service, "PUT", configuration_id, body)
    assert (response.status_code, response.headers["ETag"]) == (200, '"1"')
    assert "Operation-Id" not in response.headers
    told = response.json()
    rules = before["channelSettings"]["SMS"]["captureRules"]
    assert {change.pop("path"): change for change in told["changes"]} == {
        "/description": {"before": before["description"], "after": "new", "change": "changed"},
        f"{SMS}/statusTimeouts/closed": {"before": 60, "after": 90, "change": "changed"},
        f"{SMS}/captureRules": {"before": rules, "after": None, "change": "deleted"},
        "/channelSettings/VOICE/statusTimeouts": {
            "before": {"inactive": 10, "closed": 60},
            "after": None,
            "change": "deleted",
        },
        "/channelSettings/VOICE/captureRules": {"before": rules, "after": rules[:1], "change": "changed"},
        "/channelSettings/WHATSAPP": {
            "before": before["channelSettings"]["WHATSAPP"],
            "after": None,
            "change": "deleted",
        },
        "/statusCallbacks": {"before": CALLBACKS, "after": None, "change": "deleted"},
        "/memoryExtractionEnabled": {"before": True, "after": None, "change": "deleted"},
        "/conversationsV1Bridge": {"before": None, "after": BRIDGE, "change": "added"},
    }
    assert told["deleted"] == [
        f"{SMS}/captureRules",
        "/channelSettings/VOICE/statusTimeouts",
        "/channelSettings/WHATSAPP",
        "/memoryExtractionEnabled",
        "/statusCallbacks",
    ]
    assert (told["dryRun"], told["openConversations"]) == (True, 2)


async def test_what_is_told_is_what_then_happens(service: Service) -> None:
    configuration_id = await make_configuration(service, statusCallbacks=CALLBACKS)
    versions = [await fetch(service, configuration_id)]
    for body in (
        {"channelSettings": {"VOICE": None, "CHAT": {"statusTimeouts": {"inactive": 5}}}},
        {"statusCallbacks": None, "memoryExtractionEnabled": True},
        {},
    ):
        told = (await rehearse(service, "PATCH", configuration_id, body)).json()["changes"]
        assert (await service.api.patch(f"{PATH}/{configuration_id}", json=body)).status_code == 202
        versions.append(await fetch(service, configuration_id))
        before, after = ({**one, "version": 0, "updatedAt": ""} for one in versions[-2:])
        changes = between(before, after)
        assert [(change.path, change.before, change.after, change.kind) for change in changes] == [
            (one["path"], one["before"], one["after"], one["change"]) for one in told
        ]
        assert applied(said(before), changes) == said(after)
    assert told == []


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_it_is_refused_as_the_real_one(service: Service, method: str) -> None:
    configuration_id = await make_configuration(service)
    await make_configuration(service, conversationsV1Bridge=BRIDGE)
    wrong: list[tuple[dict[str, Any], str, int]] = [
        ({"description": 1}, "*", 400),
        ({"conversationGroupingType": "GROUP_BY_PROFILE"}, "*", 400),
        ({"statusCallbacks": [{"url": "ftp://example.com"}]}, "*", 400),
        ({"description": "new"}, '"7"', 412),
        ({"conversationsV1Bridge": BRIDGE}, "*", 409),
    ]
    for changes, tag, status in wrong:
        body = configuration_body(**changes) if method == "PUT" else changes
        response = await rehearse(service, method, configuration_id, body, If_Match=tag)
        real = await service.api.request(method, f"{PATH}/{configuration_id}", json=body, headers={"If-Match": tag})
        assert response.status_code == real.status_code == status, response.text
        assert response.json() == real.json()
    refusal(await rehearse(service, method, new_id(CONFIGURATION), configuration_body()), 404, 20404)


async def test_a_key_is_not_used_up(service: Service) -> None:
    configuration_id, key = await make_configuration(service), str(uuid.uuid4())
    body = {"description": "new"}
    assert (await rehearse(service, "PATCH", configuration_id, body, Idempotency_Key=key)).status_code == 200
    headers, path = {"Idempotency-Key": key}, f"{PATH}/{configuration_id}"
    assert (await service.api.patch(path, json={"description": "other"}, headers=headers)).status_code == 202
    response = await rehearse(service, "PATCH", configuration_id, body, Idempotency_Key=key)
    assert [one["before"] for one in response.json()["changes"]] == ["other"]
    refusal(await rehearse(service, "PATCH", configuration_id, body, Idempotency_Key="1"), 400, 20001)


async def test_only_true_and_false_are_understood(service: Service) -> None:
    path = f"{PATH}/{await make_configuration(service)}"
    for value, status in (("True", 200), ("false", 202), ("", 400), ("1", 400)):
        response = await service.api.patch(f"{path}?dryRun={value}", json={})
        assert response.status_code == status, value
    assert (await service.api.patch(f"{path}?dryrun=true", json={})).status_code == 200
