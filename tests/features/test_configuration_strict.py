"""`Orchestrator-Strict`: a write that would lose what nobody has named is refused."""

from typing import Any

import httpx
import pytest

from tests.features.test_configurations import BRIDGE, PATH, fetch
from tests.support.app import Service, running_service
from tests.support.factories import configuration_body, make_configuration
from tests.support.refusals import refusal

FULL: dict[str, Any] = {
    "statusCallbacks": [{"url": "https://hooks.example.com/a"}],
    "intelligenceConfigurationIds": ["x"],
    "memoryExtractionEnabled": True,
    "conversationsV1Bridge": BRIDGE,
}
ALL_OF_IT = [f"/{name}" for name in sorted(FULL)]
TIMED = {"statusTimeouts": {"inactive": 10, "closed": 60}, "captureRules": [{"from": "*", "to": "+16505550199"}]}


async def write(
    service: Service, method: str, configuration_id: str, body: dict[str, Any], *, delete: str = "", query: str = ""
) -> httpx.Response:
    headers = {"Orchestrator-Strict": "true", "Orchestrator-Delete": delete}
    return await service.api.request(method, f"{PATH}/{configuration_id}{query}", json=body, headers=headers)


def lost(response: httpx.Response) -> list[str]:
    """The fields that a refusal is for."""
    details = refusal(response, 409, 20419)["details"]
    assert all(field in response.json()["message"] for field in details["fields"])
    fields: list[str] = details["fields"]
    return fields


async def test_a_put_that_leaves_out_is_refused_until_it_names_what_may_go(service: Service) -> None:
    configuration_id = await make_configuration(service, **FULL)
    before, body = await fetch(service, configuration_id), configuration_body()
    assert lost(await write(service, "PUT", configuration_id, body)) == ALL_OF_IT
    assert lost(await write(service, "PUT", configuration_id, body, query="?dryRun=true")) == ALL_OF_IT
    named = "/statusCallbacks, /memoryExtractionEnabled ,,/conversationsV1Bridge/serviceId,intelligenceConfigurationIds"
    assert lost(await write(service, "PUT", configuration_id, body, delete=named)) == ALL_OF_IT[:2]
    assert await fetch(service, configuration_id) == before
    dry = await write(service, "PUT", configuration_id, body, delete=",".join(ALL_OF_IT), query="?dryRun=true")
    assert dry.json()["deleted"] == ALL_OF_IT
    response = await write(service, "PUT", configuration_id, body, delete=",".join(ALL_OF_IT))
    assert response.status_code == 202
    assert (await fetch(service, configuration_id))["statusCallbacks"] == []


CHANNELS: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"SMS": TIMED}, "", ["/channelSettings/VOICE"]),
    ({"SMS": TIMED}, "/channelSettings", []),
    ({"SMS": TIMED}, "/channelSettings/VOICEX,/channelSettings/VOICE/statusTimeouts", ["/channelSettings/VOICE"]),
    ({}, "/channelSettings/VOICE", ["/channelSettings/SMS"]),
    (
        {"SMS": {}, "VOICE": TIMED},
        "",
        ["/channelSettings/SMS/captureRules", "/channelSettings/SMS/statusTimeouts"],
    ),
    (
        {"SMS": {**TIMED, "statusTimeouts": {"inactive": 5}}, "VOICE": TIMED},
        "",
        ["/channelSettings/SMS/statusTimeouts/closed"],
    ),
    ({"SMS": {**TIMED, "statusTimeouts": None}, "VOICE": TIMED}, "", ["/channelSettings/SMS/statusTimeouts"]),
    ({"SMS": {**TIMED, "captureRules": []}, "VOICE": TIMED}, "", []),
]


async def test_channels_are_looked_into(service: Service) -> None:
    configuration_id = await make_configuration(service, channelSettings={"SMS": TIMED, "VOICE": TIMED})
    for channels, delete, expected in CHANNELS:
        body = configuration_body(channelSettings=channels)
        response = await write(service, "PUT", configuration_id, body, delete=delete, query="?dryRun=true")
        assert (lost(response) if response.is_error else []) == expected, channels


async def test_what_is_said_to_be_empty_is_named_and_null_is_in_a_patch_alone(service: Service) -> None:
    configuration_id = await make_configuration(service, **FULL)
    empty = {"statusCallbacks": [], "intelligenceConfigurationIds": [], "memoryExtractionEnabled": False}
    body = configuration_body(**empty) | {"conversationsV1Bridge": None}
    assert lost(await write(service, "PUT", configuration_id, body)) == ["/conversationsV1Bridge"]
    nulls = {**dict.fromkeys(FULL), "channelSettings": {"VOICE": None}}
    assert (await write(service, "PATCH", configuration_id, nulls)).status_code == 202
    found = await fetch(service, configuration_id)
    assert (found["conversationsV1Bridge"], sorted(found["channelSettings"])) == (None, ["SMS", "WHATSAPP"])


async def test_a_patch_loses_nothing_of_a_channel_that_it_replaces(service: Service) -> None:
    configuration_id = await make_configuration(service)
    body = {"channelSettings": {"SMS": {"statusTimeouts": {"inactive": 1, "closed": None}}}}
    response = await write(service, "PATCH", configuration_id, body)
    assert lost(response) == ["/channelSettings/SMS/captureRules"]
    body["channelSettings"]["SMS"]["captureRules"] = None  # type: ignore[assignment]
    assert (await write(service, "PATCH", configuration_id, body)).status_code == 202


async def test_an_old_version_is_told_before_a_loss_and_a_conflict_after_it(service: Service) -> None:
    configuration_id = await make_configuration(service, statusCallbacks=FULL["statusCallbacks"])
    await make_configuration(service, conversationsV1Bridge=BRIDGE)
    body, strict = configuration_body(conversationsV1Bridge=BRIDGE), {"Orchestrator-Strict": "true"}
    path = f"{PATH}/{configuration_id}"
    refusal(await service.api.put(path, json=body, headers={**strict, "If-Match": '"9"'}), 412, 20412)
    assert lost(await service.api.put(path, json=body, headers=strict)) == ["/statusCallbacks"]
    refusal(await write(service, "PUT", configuration_id, body, delete="/statusCallbacks"), 409, 20409)


@pytest.mark.parametrize("value", ["", "yes", "1"])
async def test_what_is_neither_true_nor_false_is_refused(service: Service, value: str) -> None:
    path = f"{PATH}/{await make_configuration(service)}"
    response = await service.api.put(path, json=configuration_body(), headers={"Orchestrator-Strict": value})
    assert refusal(response, 400, 20001)["params"] == {"field": "Orchestrator-Strict", "value": value}


async def test_nothing_is_guarded_unless_the_setting_or_the_header_says_so(service: Service, database_url: str) -> None:
    async with running_service(database_url, strict_put=True) as guarded:
        path = f"{PATH}/{await make_configuration(guarded, **FULL)}"
        assert lost(await guarded.api.put(path, json=configuration_body())) == ALL_OF_IT
        response = await guarded.api.put(path, json=configuration_body(), headers={"Orchestrator-Strict": "False"})
        assert response.status_code == 202
    path = f"{PATH}/{await make_configuration(service, **FULL)}"
    response = await service.api.put(path, json=configuration_body(), headers={"Orchestrator-Delete": "/x"})
    assert response.status_code == 202
