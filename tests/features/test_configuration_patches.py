"""PATCH of a configuration: what is left out stays, what is sent is checked like a PUT."""

import asyncio
from typing import Any

import httpx
import pytest

from orchestrator.kernel.ids import CONFIGURATION, MEMORY_STORE, new_id
from tests.features.test_configuration_refusals import REFUSED, written
from tests.features.test_configurations import BRIDGE, PATH, fetch
from tests.support import traffic
from tests.support.app import ORIGIN, Service, running_service
from tests.support.factories import make_configuration
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, US

CALLBACKS = [{"url": "https://hooks.example.com/one", "method": "GET"}, {"url": "https://two.example.com/"}]
FULL: dict[str, Any] = {
    "statusCallbacks": CALLBACKS,
    "intelligenceConfigurationIds": ["one", "two"],
    "memoryExtractionEnabled": True,
    "conversationsV1Bridge": BRIDGE,
}
SMS = {"statusTimeouts": {"inactive": 10, "closed": 60}, "captureRules": [{"from": "*", "to": US}]}
VOICE = {"statusTimeouts": None, "captureRules": [{"from": US, "to": "*", "metadata": {"callType": "PSTN"}}]}
WRONG = [(changes, pointer) for changes, pointer in REFUSED if None not in changes.values()]
"""Null has a meaning of its own here."""


async def patch(service: Service, configuration_id: str, **fields: Any) -> httpx.Response:
    return await service.api.patch(f"{PATH}/{configuration_id}", json=fields)


async def patched(service: Service, configuration_id: str, **fields: Any) -> dict[str, Any]:
    """What of the configuration is different after a PATCH that is accepted; moments left out."""
    before = await fetch(service, configuration_id)
    response = await patch(service, configuration_id, **fields)
    assert response.status_code == 202, response.text
    after = await fetch(service, configuration_id)
    return {name: after[name] for name in after if after[name] != before[name] and name != "updatedAt"}


async def test_it_is_accepted_with_an_operation(service: Service) -> None:
    configuration_id = await make_configuration(service)
    response = await patch(service, configuration_id, description="new")
    operation_id = response.headers["Operation-Id"]
    assert response.status_code == 202
    assert response.headers["Location"] == f"{ORIGIN}/v2/ControlPlane/Operations/{operation_id}"
    assert response.json() == {
        "statusUrl": response.headers["Location"],
        "related": {"configurationId": configuration_id},
    }


@pytest.mark.parametrize(
    "change",
    [
        {"displayName": "Sales_2 -"},
        {"description": ""},
        {"memoryStoreId": "mem_service_01kgh3k1w8fmkrxj2c5a9d7e6b"},
        {"statusCallbacks": [{"url": "https://three.example.com/", "method": "POST"}]},
        {"statusCallbacks": []},
        {"intelligenceConfigurationIds": ["three"]},
        {"memoryExtractionEnabled": False},
        {"conversationsV1Bridge": {"serviceId": "IS" + "1b" * 16}},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_only_what_is_sent_changes(service: Service, change: dict[str, Any]) -> None:
    configuration_id = await make_configuration(service, **FULL)
    before = await fetch(service, configuration_id)
    service.clock.advance(minutes=3)
    assert await patched(service, configuration_id, **change) == {**change, "version": 2}
    after = await fetch(service, configuration_id)
    assert before["createdAt"] == after["createdAt"]
    assert before["updatedAt"] < after["updatedAt"]


async def test_several_fields_are_one_version(service: Service) -> None:
    configuration_id = await make_configuration(service)
    changes = {"description": "new", "displayName": "New", "memoryExtractionEnabled": True}
    assert await patched(service, configuration_id, **changes) == {**changes, "version": 2}


async def test_a_callback_without_a_method_is_posted_to(service: Service) -> None:
    configuration_id = await make_configuration(service)
    changed = await patched(service, configuration_id, statusCallbacks=[{"url": "https://a.example.com/"}])
    assert changed["statusCallbacks"] == [{"url": "https://a.example.com/", "method": "POST"}]


async def test_a_new_memory_store_is_adopted(service: Service) -> None:
    store_id = new_id(MEMORY_STORE)
    await patch(service, await make_configuration(service), memoryStoreId=store_id)
    rows = await service.fetch("select account_id, status from memory_stores where id = $1", store_id)
    assert [tuple(row) for row in rows] == [(service.account.account_id, "ACTIVE")]


class TestChannels:
    async def test_a_channel_is_replaced_whole_and_the_others_stay(self, service: Service) -> None:
        configuration_id = await make_configuration(service, channelSettings={"SMS": SMS, "VOICE": VOICE})
        changed = await patched(service, configuration_id, channelSettings={"SMS": {"statusTimeouts": {"closed": 5}}})
        assert changed["channelSettings"] == {
            "SMS": {"statusTimeouts": {"closed": 5}, "captureRules": []},
            "VOICE": VOICE,
        }

    async def test_null_removes_a_channel_and_a_new_one_is_added(self, service: Service) -> None:
        configuration_id = await make_configuration(service, channelSettings={"SMS": SMS})
        changed = await patched(service, configuration_id, channelSettings={"SMS": None, "VOICE": VOICE})
        assert changed["channelSettings"] == {"VOICE": VOICE}
        removed = await patched(service, configuration_id, channelSettings={"VOICE": None})
        assert removed == {"channelSettings": {}, "version": 3}

    async def test_removing_what_is_not_there_changes_nothing_else(self, service: Service) -> None:
        configuration_id = await make_configuration(service, channelSettings={"SMS": SMS})
        assert await patched(service, configuration_id, channelSettings={"CHAT": None}) == {"version": 2}
        assert await patched(service, configuration_id, channelSettings={}) == {"version": 3}

    async def test_what_is_captured_follows(self, service: Service) -> None:
        configuration_id = await make_configuration(service, channelSettings={"SMS": SMS})
        await patch(service, configuration_id, channelSettings={"SMS": None})
        await traffic.message(service, KIRAN, US)
        assert await traffic.conversations(service) == []
        await patch(service, configuration_id, channelSettings={"SMS": SMS})
        await traffic.message(service, KIRAN, US)
        conversation = await traffic.only_conversation(service)
        assert conversation["configuration"]["channelSettings"] == {"SMS": SMS}


class TestNull:
    @pytest.mark.parametrize(
        ("field", "cleared"),
        [
            ("statusCallbacks", []),
            ("intelligenceConfigurationIds", []),
            ("memoryExtractionEnabled", False),
            ("conversationsV1Bridge", None),
        ],
    )
    async def test_it_clears_an_optional_field(self, service: Service, field: str, cleared: Any) -> None:
        configuration_id = await make_configuration(service, **FULL)
        assert await patched(service, configuration_id, **{field: None}) == {field: cleared, "version": 2}

    @pytest.mark.parametrize("field", ["displayName", "description", "memoryStoreId"])
    async def test_it_leaves_a_required_field_alone(self, service: Service, field: str) -> None:
        configuration_id = await make_configuration(service)
        changed = await patched(service, configuration_id, **{field: None}, memoryExtractionEnabled=True)
        assert changed == {"memoryExtractionEnabled": True, "version": 2}

    @pytest.mark.parametrize("field", ["conversationGroupingType", "channelSettings"])
    async def test_it_is_refused_where_nothing_can_be_meant_by_it(self, service: Service, field: str) -> None:
        configuration_id = await make_configuration(service)
        before = await fetch(service, configuration_id)
        error = refusal(await patch(service, configuration_id, **{field: None}, description="new"), 400, 20001)
        assert error["params"]["field"] == f"/{field}"
        assert await fetch(service, configuration_id) == before


async def test_the_grouping_type_may_be_named_but_not_changed(service: Service) -> None:
    configuration_id = await make_configuration(service)
    same = (await fetch(service, configuration_id))["conversationGroupingType"]
    named = await patched(service, configuration_id, conversationGroupingType=same, description="new")
    assert named == {"description": "new", "version": 2}
    before = await fetch(service, configuration_id)
    response = await patch(service, configuration_id, conversationGroupingType="GROUP_BY_PROFILE", description="x")
    error = refusal(response, 400, 20001)
    assert error["params"] == {"field": "/conversationGroupingType", "value": "GROUP_BY_PROFILE"}
    assert await fetch(service, configuration_id) == before


async def test_every_patch_makes_a_version_also_one_that_changes_nothing(service: Service) -> None:
    configuration_id = await make_configuration(service, **FULL)
    before = await fetch(service, configuration_id)
    bodies: tuple[dict[str, Any], ...] = (
        {},
        before,
        {"nonsense": 1, "version": 7, "id": "mine"},
        {"statusCallbacks": CALLBACKS},
    )
    for version, body in enumerate(bodies, start=2):
        response = await patch(service, configuration_id, **body)
        assert response.status_code == 202
        assert (await service.api.get(response.headers["Location"])).json()["status"] == "COMPLETED"
        after = await fetch(service, configuration_id)
        assert {**after, "updatedAt": before["updatedAt"]} == {**before, "version": version}


@pytest.mark.parametrize(("changes", "pointer"), WRONG, ids=[f"{pointer}-{i}" for i, (_, pointer) in enumerate(WRONG)])
async def test_a_wrong_field_is_refused_as_it_is_elsewhere(
    service: Service, changes: dict[str, Any], pointer: str
) -> None:
    configuration_id = await make_configuration(service)
    before = await written(service)
    error = refusal(await patch(service, configuration_id, **changes), 400, 20001)
    assert error["params"]["field"] == pointer
    assert error["message"].startswith(f"{pointer}: ")
    assert await written(service) == before


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"description": "new",'])
async def test_a_body_that_is_no_json_object(service: Service, body: bytes) -> None:
    configuration_id = await make_configuration(service)
    headers = {"Content-Type": "application/json"}
    response = await service.api.patch(f"{PATH}/{configuration_id}", content=body, headers=headers)
    refusal(response, 400, 20001)


async def test_production_wants_https_and_public_hosts(database_url: str) -> None:
    async with running_service(database_url, allow_insecure_callbacks=False) as service:
        configuration_id = await make_configuration(service)
        callbacks = [{"url": "https://hooks.example.com/"}, {"url": "https://10.0.0.1/"}]
        error = refusal(await patch(service, configuration_id, statusCallbacks=callbacks), 400, 20001)
        assert error["params"] == {"field": "/statusCallbacks/1/url", "value": "https://10.0.0.1/"}


async def test_a_classic_service_has_one_configuration(service: Service) -> None:
    holder = await make_configuration(service, conversationsV1Bridge=BRIDGE)
    other = await make_configuration(service)
    response = await patch(service, other, conversationsV1Bridge=BRIDGE)
    refusal(response, 409, 20409)
    assert response.headers["X-Conflicting-Resource-Id"] == holder
    assert await patched(service, holder, conversationsV1Bridge=BRIDGE, description="mine") == {
        "description": "mine",
        "version": 2,
    }
    await patch(service, holder, conversationsV1Bridge=None)
    assert (await patch(service, other, conversationsV1Bridge=BRIDGE)).status_code == 202


async def test_at_once_none_is_lost(service: Service) -> None:
    configuration_id = await make_configuration(service)
    changes: list[dict[str, Any]] = [
        {"description": "new"},
        {"displayName": "New"},
        {"channelSettings": {"CHAT": {}}},
        {"channelSettings": {"EMAIL": {}}},
    ]
    answers = await asyncio.gather(*(patch(service, configuration_id, **change) for change in changes))
    assert {answer.status_code for answer in answers} == {202}
    found = await fetch(service, configuration_id)
    assert (found["description"], found["displayName"], found["version"]) == ("new", "New", 5)
    assert {"CHAT", "EMAIL", "SMS"} <= set(found["channelSettings"])


async def test_open_conversations_keep_their_settings_but_not_their_callbacks(service: Service) -> None:
    configuration_id = await make_configuration(service)
    await traffic.message(service, KIRAN, US)
    before = (await traffic.only_conversation(service))["configuration"]
    callbacks = [{"url": "https://hooks.example.com/", "method": "POST"}]
    await patch(service, configuration_id, description="new", statusCallbacks=callbacks)
    after = (await traffic.only_conversation(service))["configuration"]
    assert after == {**before, "statusCallbacks": callbacks}


async def test_nothing_of_other_accounts_or_of_nobody(service: Service) -> None:
    configuration_id = await make_configuration(service)
    async with service.client(await service.new_account()) as other:
        refusal(await other.patch(f"{PATH}/{configuration_id}", json={"description": "theirs"}), 404, 20404)
    for unknown in (new_id(CONFIGURATION), "x", "%00"):
        refusal(await patch(service, unknown, description=1), 404, 20404)
    assert (await fetch(service, configuration_id))["version"] == 1
