"""Settings that come with a conversation: instead of a configuration's, or in place of some of them."""

from typing import Any

import pytest

from orchestrator.kernel.ids import CONFIGURATION, MEMORY_STORE, new_id
from orchestrator.lifecycle.sweep import sweep_all
from tests.support import traffic
from tests.support.app import Service
from tests.support.conversations import PATH, agent, create, customer, on, sms, someone
from tests.support.delivery import deliveries
from tests.support.factories import make_configuration
from tests.support.memory import identifiers_of, new_phone, new_profile, new_store
from tests.support.refusals import refusal
from tests.support.traffic import BY_ADDRESSES_AND_CHANNEL, BY_PROFILE, KIRAN, US

ONE, OTHER, THIRD = (f"http://127.0.0.1:9/{name}" for name in ("one", "other", "third"))
FLOW = "FW" + "0aF" * 10 + "00"


def callback(url: str, method: str = "POST") -> dict[str, str]:
    return {"url": url, "method": method}


async def statuses_after(service: Service, conversation: dict[str, Any], *minutes: float) -> list[str]:
    """The states that the sweep finds, each so many minutes after the one before."""
    found = []
    for some in minutes:
        service.clock.advance(minutes=some)
        await sweep_all(service.units)
        found.append((await traffic.get(service, f"{PATH}/{conversation['id']}"))["status"])
    return found


class TestWithoutAConfiguration:
    async def test_everything_given_is_in_force(self, service: Service) -> None:
        given = {
            "conversationGroupingType": BY_PROFILE,
            "memoryStoreId": await new_store(service),
            "channelSettings": {
                "SMS": {"statusTimeouts": {"inactive": 5, "closed": 30}},
                "VOICE": {"statusTimeouts": {"inactive": None, "closed": 7}},
                "CHAT": {"statusTimeouts": {"inactive": 3}},
                "RCS": {"statusTimeouts": None},
                "WHATSAPP": {},
            },
            "memoryExtractionEnabled": True,
            "intelligenceConfigurationIds": ["intelligence_configuration_1"],
            "traitExtractionStrategyIds": ["trait_1", "trait_2"],
            "observationExtractionStrategyIds": ["observation_1"],
            "statusCallbacks": [callback(ONE, "GET"), callback(OTHER)],
            "workflows": [{"flowId": FLOW}],
        }
        conversation = await create(service, configuration=given)
        assert conversation["configurationId"] is None
        assert conversation["configuration"] == {
            **given,
            "displayName": None,
            "description": None,
            "conversationsV1Bridge": None,
            "channelSettings": {
                "SMS": {"statusTimeouts": {"inactive": 5, "closed": 30}, "captureRules": []},
                "VOICE": {"statusTimeouts": {"inactive": None, "closed": 7}, "captureRules": []},
                "CHAT": {"statusTimeouts": {"inactive": 3, "closed": 1_576_800}, "captureRules": []},
                "RCS": {"statusTimeouts": None, "captureRules": []},
                "WHATSAPP": {"statusTimeouts": None, "captureRules": []},
            },
        }
        assert await traffic.only_conversation(service) == conversation

    async def test_nothing_need_be_given(self, service: Service) -> None:
        empty: dict[str, Any] = {
            "displayName": None,
            "description": None,
            "conversationGroupingType": BY_ADDRESSES_AND_CHANNEL,
            "memoryStoreId": None,
            "channelSettings": {},
            "statusCallbacks": [],
            "intelligenceConfigurationIds": [],
            "memoryExtractionEnabled": False,
            "conversationsV1Bridge": None,
            "traitExtractionStrategyIds": [],
            "observationExtractionStrategyIds": [],
            "workflows": [],
        }
        for nothing in ({}, dict.fromkeys(empty), {"colour": "red"}):
            conversation = await create(service, customer(sms(KIRAN)), configuration=nothing)
            assert conversation["configuration"] == empty
            assert conversation["participants"][0]["profileId"] is None, "nobody is recognised without a store"

    async def test_its_store_is_made_and_recognises_customers(self, service: Service) -> None:
        store_id, phone = new_id(MEMORY_STORE), new_phone()
        settings = {"memoryStoreId": store_id}
        one = await create(service, customer(sms(phone)), configuration=settings)
        profile_id = one["participants"][0]["profileId"]
        assert await identifiers_of(service, store_id, profile_id) == {"phone": [phone]}
        other = await create(service, someone("UNKNOWN", on("VOICE", phone)), configuration=settings)
        assert [(one["type"], one["profileId"]) for one in other["participants"]] == [("CUSTOMER", profile_id)]

    async def test_a_deleted_store_stays_deleted_and_stops_nobody(self, service: Service) -> None:
        store_id = await new_store(service)
        await new_profile(service, store_id, phone=KIRAN)
        assert (await service.api.delete(f"/v1/ControlPlane/Stores/{store_id}")).is_success
        conversation = await create(service, customer(sms(KIRAN)), configuration={"memoryStoreId": store_id})
        assert conversation["participants"][0]["profileId"] is None
        assert (await service.api.get(f"/v1/ControlPlane/Stores/{store_id}")).status_code == 404

    async def test_its_timers_run(self, service: Service) -> None:
        timeouts = {"SMS": {"statusTimeouts": {"inactive": 10, "closed": 60}}}
        timed = await create(service, customer(sms(KIRAN)), configuration={"channelSettings": timeouts})
        both = [customer(sms(KIRAN)), agent(on("EMAIL", "us@x.io"))]
        blocked = await create(service, *both, configuration={"channelSettings": timeouts})
        assert await statuses_after(service, timed, 9, 2, 48, 2) == ["ACTIVE", "INACTIVE", "INACTIVE", "CLOSED"]
        assert (await traffic.get(service, f"{PATH}/{blocked['id']}"))["status"] == "ACTIVE", "EMAIL has no timer"
        told = await traffic.events(service, timed)
        assert [event.data.get("status") for event in told] == ["ACTIVE", None, "INACTIVE", "CLOSED"]

    async def test_without_timers_it_ends_after_three_years(self, service: Service) -> None:
        conversation = await create(service, customer(sms(KIRAN)), configuration={})
        years = [60 * 24 * 365 * 3 - 1, 2]
        assert await statuses_after(service, conversation, *years) == ["ACTIVE", "CLOSED"]

    async def test_its_callbacks_are_told(self, service: Service) -> None:
        settings = {"statusCallbacks": [callback(ONE, "GET"), callback(OTHER)]}
        conversation = await create(service, customer(sms(KIRAN)), configuration=settings)
        told = [(one["sequence"], one["url"], one["status"]) for one in await deliveries(service)]
        assert told == [(number, url, "PENDING") for number in (1, 2) for url in (ONE, OTHER)]
        own = {"statusCallbacks": [callback(THIRD)]}
        assert (await traffic.change(service, conversation, configuration=own))["configuration"]["statusCallbacks"] == [
            callback(THIRD)
        ]
        back = await traffic.change(service, conversation, configuration={"statusCallbacks": None}, name="back")
        assert back["configuration"]["statusCallbacks"] == settings["statusCallbacks"]
        assert [one["url"] for one in await deliveries(service)][4:] == [ONE, OTHER]

    async def test_it_keeps_no_configuration_from_being_deleted(self, service: Service) -> None:
        configuration_id = await make_configuration(service)
        await create(service, customer(sms(KIRAN)), agent(sms(US)), configuration={})
        deleted = await service.api.delete(f"/v2/ControlPlane/Configurations/{configuration_id}")
        assert deleted.status_code == 202


RULES = [{"from": "*", "to": US, "metadata": {}}]
SMS = "/configuration/channelSettings/SMS"
WRONG: list[tuple[str, dict[str, Any]]] = [
    (f"{SMS}/captureRules", {"channelSettings": {"SMS": {"captureRules": RULES}}}),
    (f"{SMS}/statusTimeouts", {"channelSettings": {"SMS": {"statusTimeouts": {"inactive": 5, "closed": 4}}}}),
    (f"{SMS}/statusTimeouts/closed", {"channelSettings": {"SMS": {"statusTimeouts": {"closed": 0}}}}),
    (f"{SMS}/statusTimeouts/closed", {"channelSettings": {"SMS": {"statusTimeouts": {"closed": 1_576_801}}}}),
    (f"{SMS}/statusTimeouts/inactive", {"channelSettings": {"SMS": {"statusTimeouts": {"inactive": "5"}}}}),
    (SMS, {"channelSettings": {"SMS": None}}),
    ("/configuration/channelSettings/FAX", {"channelSettings": {"FAX": {}}}),
    ("/configuration/memoryExtractionEnabled", {"memoryExtractionEnabled": "yes"}),
    ("/configuration/intelligenceConfigurationIds", {"intelligenceConfigurationIds": ["a"] * 6}),
    ("/configuration/statusCallbacks", {"statusCallbacks": [callback(ONE)] * 3}),
    ("/configuration/statusCallbacks/1/url", {"statusCallbacks": [callback(ONE), callback("ftp://x.io")]}),
    ("/configuration/statusCallbacks/0/method", {"statusCallbacks": [callback(ONE, "PUT")]}),
    ("/configuration/workflows/0/flowId", {"workflows": [{"flowId": "FW1"}]}),
    ("/configuration/workflows/0/flowId", {"workflows": [{}]}),
]
ONLY_WITHOUT = [
    ("/configuration/conversationGroupingType", {"conversationGroupingType": BY_PROFILE}),
    ("/configuration/memoryStoreId", {"memoryStoreId": new_id(MEMORY_STORE)}),
]
ALWAYS_WRONG = [
    ("/configuration/conversationGroupingType", {"conversationGroupingType": "GROUP_BY_MOON"}),
    ("/configuration/memoryStoreId", {"memoryStoreId": "x"}),
]


@pytest.mark.parametrize(("pointer", "wrong"), [*WRONG, *ALWAYS_WRONG])
async def test_a_wrong_setting_is_named_and_nothing_is_written(
    service: Service, pointer: str, wrong: dict[str, Any]
) -> None:
    configuration_id = await make_configuration(service)
    before = await traffic.row_counts(service)
    for body in ({"configuration": wrong}, {"configuration": wrong, "configurationId": configuration_id}):
        assert refusal(await service.api.post(PATH, json=body), 400, 20001)["params"]["field"] == pointer
    assert await traffic.row_counts(service) == before


@pytest.mark.parametrize(("pointer", "wrong"), ONLY_WITHOUT)
async def test_what_a_configuration_decides_is_not_given_beside_it(
    service: Service, pointer: str, wrong: dict[str, Any]
) -> None:
    body = {"configuration": wrong, "configurationId": await make_configuration(service)}
    assert refusal(await service.api.post(PATH, json=body), 400, 20001)["params"]["field"] == pointer
    assert await traffic.conversations(service) == []
    unknown = {**body, "configurationId": new_id(CONFIGURATION)}
    refusal(await service.api.post(PATH, json=unknown), 404, 20404)


async def test_no_capture_rules_are_no_capture_rules(service: Service) -> None:
    """Clients that send a fetched setting back have emptied its rules."""
    empty: list[list[Any] | None] = [[], None]
    for none in empty:
        settings = {"channelSettings": {"SMS": {"captureRules": none, "statusTimeouts": {"closed": 5}}}}
        conversation = await create(service, configuration=settings)
        stored = {"statusTimeouts": {"closed": 5}, "captureRules": []}
        assert conversation["configuration"]["channelSettings"] == {"SMS": stored}
