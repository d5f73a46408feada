"""Configurations over the API: create, fetch, list, replace, delete."""

import asyncio
from typing import Any

import httpx
import pytest

from orchestrator.configurations import service as configurations
from orchestrator.configurations.schemas import CreateConfigurationRequest
from orchestrator.kernel.ids import CONFIGURATION, CONVERSATION, MEMORY_STORE, is_id, new_id
from tests.support.app import ORIGIN, Service
from tests.support.factories import configuration_body, make_configuration
from tests.support.refusals import refusal

PATH = "/v2/ControlPlane/Configurations"
BRIDGE = {"serviceId": "IS" + "0a" * 16}


async def fetch(service: Service, configuration_id: str) -> dict[str, Any]:
    response = await service.api.get(f"{PATH}/{configuration_id}")
    assert response.status_code == 200, response.text
    configuration: dict[str, Any] = response.json()
    return configuration


async def put(service: Service, configuration_id: str, body: dict[str, Any]) -> httpx.Response:
    return await service.api.put(f"{PATH}/{configuration_id}", json=body)


async def add_conversation(service: Service, configuration_id: str, status: str) -> str:
    conversation_id = new_id(CONVERSATION)
    await service.fetch(
        """
        insert into conversations (account_id, id, configuration_id, configuration_version, status, channel_activity,
                                   event_sequence, created_at, updated_at)
        values ($1, $2, $3, 1, $4, '{}', 0, $5, $5)
        """,
        service.account.account_id,
        conversation_id,
        configuration_id,
        status,
        service.clock.now(),
    )
    return conversation_id


class TestCreate:
    async def test_is_accepted_with_an_operation(self, service: Service) -> None:
        response = await service.api.post(PATH, json=configuration_body())
        assert response.status_code == 202
        operation_id = response.headers["Operation-Id"]
        assert response.headers["Location"] == f"{ORIGIN}/v2/ControlPlane/Operations/{operation_id}"
        assert int(response.headers["Retry-After"]) >= 1
        configuration_id = response.json()["related"]["configurationId"]
        assert response.json() == {
            "statusUrl": response.headers["Location"],
            "related": {"configurationId": configuration_id},
        }
        assert is_id(configuration_id, CONFIGURATION)

    async def test_the_resource_has_every_field(self, service: Service) -> None:
        body = configuration_body(
            statusCallbacks=[
                {"url": "https://hooks.example.com/a"},
                {"url": "https://u:p@h.example.com/", "method": "GET"},
            ],
            intelligenceConfigurationIds=["intelligence_configuration_01kgh3k1w8fmkrxj2c5a9d7e6b"],
            memoryExtractionEnabled=True,
            conversationsV1Bridge=BRIDGE,
        )
        configuration_id = (await service.api.post(PATH, json=body)).json()["related"]["configurationId"]
        found = await fetch(service, configuration_id)
        times = {found.pop("createdAt"), found.pop("updatedAt")}
        assert len(times) == 1
        assert times.pop()[-1:] == "Z"
        assert found == {
            **body,
            "id": configuration_id,
            "version": 1,
            "statusCallbacks": [
                {"url": "https://hooks.example.com/a", "method": "POST"},
                {"url": "https://u:p@h.example.com/", "method": "GET"},
            ],
            "traitExtractionStrategyIds": [],
            "observationExtractionStrategyIds": [],
            "redactionConfigurationId": None,
        }

    @pytest.mark.parametrize("absent", [{}, {"channelSettings": None, "statusCallbacks": None}])
    async def test_optional_fields_have_defaults(self, service: Service, absent: dict[str, Any]) -> None:
        required = ("displayName", "description", "conversationGroupingType", "memoryStoreId")
        body = {name: value for name, value in configuration_body().items() if name in required} | absent
        response = await service.api.post(PATH, json=body)
        found = await fetch(service, response.json()["related"]["configurationId"])
        assert found["channelSettings"] == {}
        assert found["statusCallbacks"] == found["intelligenceConfigurationIds"] == []
        assert found["memoryExtractionEnabled"] is False
        assert found["conversationsV1Bridge"] is None

    async def test_all_channels_have_settings(self, service: Service) -> None:
        settings: dict[str, Any] = {
            "VOICE": {
                "captureRules": [{"from": "sip:Ann@Example.com", "to": "*", "metadata": {"callType": "PUBLIC_SIP"}}]
            },
            "SMS": {"captureRules": [{"from": " * ", "to": "ACME"}]},
            "RCS": {"captureRules": [{"from": "*", "to": "rcs:brand_agent", "metadata": None}]},
            "WHATSAPP": {"captureRules": [{"from": "whatsapp:+1 (650) 555-0199", "to": "*", "metadata": {}}]},
            "CHAT": {"captureRules": [{"from": "*", "to": "*", "metadata": {"chatService": BRIDGE["serviceId"]}}]},
            "VIDEO": {},
            "EMAIL": {"captureRules": []},
        }
        found = await fetch(service, await make_configuration(service, channelSettings=settings))
        assert found["channelSettings"] == {
            channel: {"statusTimeouts": None, "captureRules": setting.get("captureRules", [])}
            for channel, setting in settings.items()
        }

    @pytest.mark.parametrize(
        ("sent", "stored"),
        [
            ({"inactive": 10, "closed": 60}, {"inactive": 10, "closed": 60}),
            ({"inactive": 10, "closed": 10}, {"inactive": 10, "closed": 10}),
            ({"closed": 1_576_800}, {"closed": 1_576_800}),
            ({"inactive": None, "closed": 1}, {"inactive": None, "closed": 1}),
            ({"inactive": 10}, {"inactive": 10, "closed": 1_576_800}),
            ({"inactive": 10, "closed": None}, {"inactive": 10, "closed": 1_576_800}),
            ({"inactive": None, "closed": None}, None),
            ({}, None),
            (None, None),
        ],
    )
    async def test_timeouts_come_back_with_closed_or_not_at_all(
        self, service: Service, sent: dict[str, Any] | None, stored: dict[str, Any] | None
    ) -> None:
        settings = {"SMS": {"statusTimeouts": sent}}
        found = await fetch(service, await make_configuration(service, channelSettings=settings))
        assert found["channelSettings"] == {"SMS": {"statusTimeouts": stored, "captureRules": []}}

    async def test_unknown_and_server_owned_fields_are_ignored(self, service: Service) -> None:
        own = {"id": "mine", "version": 7, "createdAt": "x", "display_name": "snake", "nonsense": {"a": [1]}}
        found = await fetch(service, await make_configuration(service, **own))
        assert (found["version"], found["displayName"]) == (1, "Support")
        assert found["id"] != "mine"
        assert "nonsense" not in found

    async def test_a_hundred_rules_are_allowed(self, service: Service) -> None:
        rules = [{"from": f"+1650555{number:04}", "to": "*"} for number in range(100)]
        found = await fetch(
            service, await make_configuration(service, channelSettings={"SMS": {"captureRules": rules}})
        )
        assert found["channelSettings"]["SMS"]["captureRules"] == rules

    async def test_the_memory_store_is_adopted_once(self, service: Service) -> None:
        store_id = new_id(MEMORY_STORE)
        for _ in range(2):
            await make_configuration(service, memoryStoreId=store_id)
        rows = await service.fetch("select account_id, status from memory_stores where id = $1", store_id)
        assert [tuple(row) for row in rows] == [(service.account.account_id, "ACTIVE")]


class TestReplace:
    async def test_what_is_left_out_is_gone(self, service: Service) -> None:
        configuration_id = await make_configuration(
            service,
            statusCallbacks=[{"url": "https://hooks.example.com/"}],
            intelligenceConfigurationIds=["one"],
            memoryExtractionEnabled=True,
            conversationsV1Bridge=BRIDGE,
        )
        service.clock.advance(minutes=3)
        store_id = new_id(MEMORY_STORE)
        response = await put(
            service,
            configuration_id,
            {
                "description": "",
                "conversationGroupingType": "GROUP_BY_PARTICIPANT_ADDRESSES",
                "memoryStoreId": store_id,
                "channelSettings": {},
            },
        )
        assert response.status_code == 202
        assert response.json()["related"] == {"configurationId": configuration_id}
        found = await fetch(service, configuration_id)
        assert found.pop("createdAt") < found.pop("updatedAt")
        assert found == {
            "id": configuration_id,
            "displayName": "Support",
            "description": "",
            "conversationGroupingType": "GROUP_BY_PARTICIPANT_ADDRESSES",
            "memoryStoreId": store_id,
            "channelSettings": {},
            "statusCallbacks": [],
            "intelligenceConfigurationIds": [],
            "memoryExtractionEnabled": False,
            "conversationsV1Bridge": None,
            "traitExtractionStrategyIds": [],
            "observationExtractionStrategyIds": [],
            "redactionConfigurationId": None,
            "version": 2,
        }
        assert await service.fetch("select 1 from memory_stores where id = $1", store_id)

    async def test_what_was_fetched_can_be_edited_and_sent_back(self, service: Service) -> None:
        configuration_id = await make_configuration(service)
        found = await fetch(service, configuration_id)
        edited = {**found, "description": "edited", "version": 99}
        assert (await put(service, configuration_id, edited)).status_code == 202
        again = await fetch(service, configuration_id)
        assert again == {**found, "description": "edited", "version": 2, "updatedAt": again["updatedAt"]}

    async def test_the_store_may_be_that_of_the_published_examples(self, service: Service) -> None:
        configuration_id = await make_configuration(service, memoryStoreId="memora_service_123")
        assert (await fetch(service, configuration_id))["memoryStoreId"] == "memora_service_123"

    async def test_what_was_fetched_can_be_sent_back(self, service: Service) -> None:
        configuration_id = await make_configuration(
            service,
            statusCallbacks=[
                {"url": "https://hooks.example.com/a"},
                {"url": "https://b.example.com/", "method": "GET"},
            ],
            channelSettings={
                "VOICE": {"captureRules": [{"from": "*", "to": "*", "metadata": {"callType": "CLIENT"}}]},
                "SMS": {"statusTimeouts": {"inactive": 10}},
                "CHAT": {},
            },
            intelligenceConfigurationIds=["one"],
            memoryExtractionEnabled=True,
            conversationsV1Bridge=BRIDGE,
        )
        found = await fetch(service, configuration_id)
        assert (await put(service, configuration_id, found)).status_code == 202
        again = await fetch(service, configuration_id)
        assert {**again, "updatedAt": found["updatedAt"]} == {**found, "version": 2}

    async def test_the_name_changes_only_when_it_is_sent(self, service: Service) -> None:
        configuration_id = await make_configuration(service)
        for sent, expected in ((None, "Support"), ("Sales_2 -", "Sales_2 -")):
            await put(service, configuration_id, {**configuration_body(), "displayName": sent})
            assert (await fetch(service, configuration_id))["displayName"] == expected

    async def test_versions_are_rows_that_stay(self, service: Service) -> None:
        configuration_id = await make_configuration(service, description="1")
        for description in ("2", "3"):
            await put(service, configuration_id, configuration_body(description=description))
        rows = await service.fetch(
            """
            select version, settings::jsonb ->> 'description' as description from configuration_versions
            where account_id = $1 and configuration_id = $2 order by version
            """,
            service.account.account_id,
            configuration_id,
        )
        assert [tuple(row) for row in rows] == [(1, "1"), (2, "2"), (3, "3")]

    async def test_two_at_once_are_two_versions(self, service: Service) -> None:
        configuration_id = await make_configuration(service)
        answers = await asyncio.gather(
            *(put(service, configuration_id, configuration_body(description=text)) for text in "abcd")
        )
        assert {answer.status_code for answer in answers} == {202}
        assert (await fetch(service, configuration_id))["version"] == 5

    @pytest.mark.parametrize(
        "required", ["description", "conversationGroupingType", "memoryStoreId", "channelSettings"]
    )
    @pytest.mark.parametrize("null", [True, False])
    async def test_required_fields(self, service: Service, required: str, null: bool) -> None:
        configuration_id = await make_configuration(service)
        before = await fetch(service, configuration_id)
        body = configuration_body()
        if null:
            body[required] = None
        else:
            del body[required]
        error = refusal(await put(service, configuration_id, body), 400, 20001)
        assert error["params"]["field"] == f"/{required}"
        assert error["message"].startswith(f"/{required}: ")
        assert await fetch(service, configuration_id) == before

    async def test_the_grouping_type_cannot_change(self, service: Service) -> None:
        configuration_id = await make_configuration(service)
        before = await fetch(service, configuration_id)
        body = configuration_body(conversationGroupingType="GROUP_BY_PROFILE")
        error = refusal(await put(service, configuration_id, body), 400, 20001)
        assert error["params"] == {"field": "/conversationGroupingType", "value": "GROUP_BY_PROFILE"}
        assert "GROUP_BY_PARTICIPANT_ADDRESSES" in error["message"]
        assert await fetch(service, configuration_id) == before

    async def test_an_unknown_id_is_told_before_a_wrong_body(self, service: Service) -> None:
        refusal(await put(service, new_id(CONFIGURATION), {"description": 1}), 404, 20404)


class TestBridge:
    async def test_a_classic_service_has_one_configuration(self, service: Service) -> None:
        holder = await make_configuration(service, conversationsV1Bridge=BRIDGE)
        body = configuration_body(conversationsV1Bridge=BRIDGE)
        response = await service.api.post(PATH, json=body)
        error = refusal(response, 409, 20409)
        assert response.headers["X-Conflicting-Resource-Id"] == error["details"]["conflictingResourceId"] == holder
        assert holder in error["message"]
        other = await make_configuration(service)
        refusal(await put(service, other, body), 409, 20409)
        assert (await put(service, holder, body)).status_code == 202
        assert (await put(service, holder, configuration_body())).status_code == 202
        assert (await put(service, other, body)).status_code == 202

    async def test_a_deleted_configuration_frees_its_service(self, service: Service) -> None:
        holder = await make_configuration(service, conversationsV1Bridge=BRIDGE)
        await service.api.delete(f"{PATH}/{holder}")
        await make_configuration(service, conversationsV1Bridge=BRIDGE)


class TestDelete:
    async def test_a_deleted_configuration_is_gone(self, service: Service) -> None:
        configuration_id = await make_configuration(service)
        response = await service.api.delete(f"{PATH}/{configuration_id}")
        assert response.status_code == 202
        assert response.json()["related"] == {"configurationId": configuration_id}
        assert response.headers["Location"] == response.json()["statusUrl"]
        url = f"{PATH}/{configuration_id}"
        for again in (service.api.get(url), service.api.delete(url), service.api.put(url, json=configuration_body())):
            refusal(await again, 404, 20404)
        assert (await service.api.get(PATH)).json()["configurations"] == []

    @pytest.mark.parametrize("status", ["ACTIVE", "INACTIVE"])
    async def test_not_while_a_conversation_is_open(self, service: Service, status: str) -> None:
        configuration_id = await make_configuration(service)
        conversation_id = await add_conversation(service, configuration_id, status)
        response = await service.api.delete(f"{PATH}/{configuration_id}")
        error = refusal(response, 409, 20409)
        assert response.headers["X-Conflicting-Resource-Id"] == conversation_id
        assert error["details"] == {"conflictingResourceId": conversation_id}
        assert conversation_id in error["message"]
        await fetch(service, configuration_id)

    async def test_closed_conversations_do_not_matter(self, service: Service) -> None:
        configuration_id = await make_configuration(service)
        await add_conversation(service, configuration_id, "CLOSED")
        assert (await service.api.delete(f"{PATH}/{configuration_id}")).status_code == 202


class TestLimit:
    async def test_ten_and_no_more(self, service: Service) -> None:
        for _ in range(10):
            await make_configuration(service)
        error = refusal(await service.api.post(PATH, json=configuration_body()), 400, 20001)
        assert "10" in error["message"]
        listed = (await service.api.get(PATH)).json()["configurations"]
        assert len(listed) == 10
        await service.api.delete(f"{PATH}/{listed[0]['id']}")
        await make_configuration(service)

    async def test_two_at_once_do_not_make_eleven(self, service: Service) -> None:
        for _ in range(9):
            await make_configuration(service)
        wanted = CreateConfigurationRequest(**configuration_body())
        async with service.units.begin() as unit:
            await configurations.create(unit, service.account.account_id, wanted, allow_insecure=False)
            late = asyncio.create_task(service.api.post(PATH, json=configuration_body()))
            await asyncio.sleep(0.2)
            assert not late.done()
        refusal(await late, 400, 20001)
        assert len((await service.api.get(PATH)).json()["configurations"]) == 10

    async def test_a_rush_is_served_up_to_the_limit(self, service: Service) -> None:
        answers = await asyncio.gather(*(service.api.post(PATH, json=configuration_body()) for _ in range(14)))
        assert sorted(answer.status_code for answer in answers) == [202] * 10 + [400] * 4

    async def test_each_account_has_its_own(self, service: Service) -> None:
        for _ in range(10):
            await make_configuration(service)
        async with service.client(await service.new_account()) as other:
            assert (await other.post(PATH, json=configuration_body())).status_code == 202


class TestForeign:
    async def test_other_accounts_see_nothing(self, service: Service) -> None:
        configuration_id = await make_configuration(service, conversationsV1Bridge=BRIDGE)
        before = await fetch(service, configuration_id)
        url = f"{PATH}/{configuration_id}"
        async with service.client(await service.new_account()) as other:
            refusal(await other.get(url), 404, 20404)
            refusal(await other.put(url, json=configuration_body()), 404, 20404)
            refusal(await other.delete(url), 404, 20404)
            assert (await other.get(PATH)).json()["configurations"] == []
            response = await other.post(PATH, json=configuration_body(conversationsV1Bridge=BRIDGE))
            assert response.status_code == 202
        assert await fetch(service, configuration_id) == before

    @pytest.mark.parametrize("malformed", ["x", "conv_configuration_", "%00", "conv_configuration_" + "z" * 26, "é"])
    async def test_malformed_ids_are_nobodys(self, service: Service, malformed: str) -> None:
        url = f"{PATH}/{malformed}"
        refusal(await service.api.get(url), 404, 20404)
        refusal(await service.api.put(url, json=configuration_body()), 404, 20404)
        refusal(await service.api.delete(url), 404, 20404)
