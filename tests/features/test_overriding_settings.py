"""A conversation under a configuration, with settings of its own in place of some of the configuration's."""

from typing import Any

import pytest

from tests.features.test_inline_settings import FLOW, ONE, OTHER, RULES, THIRD, callback, statuses_after
from tests.support import traffic
from tests.support.app import Service
from tests.support.conversations import create, customer, sms
from tests.support.delivery import deliveries
from tests.support.factories import make_configuration
from tests.support.refusals import refusal
from tests.support.traffic import BY_PROFILE, KIRAN

CONFIGURED = {
    "SMS": {"statusTimeouts": {"inactive": 10, "closed": 60}, "captureRules": RULES},
    "WHATSAPP": {"statusTimeouts": None, "captureRules": RULES},
}


async def change_configuration(service: Service, configuration_id: str, **changes: Any) -> None:
    path = f"/v2/ControlPlane/Configurations/{configuration_id}"
    assert (await service.api.patch(path, json=changes)).status_code == 202


@pytest.mark.parametrize(
    ("given", "difference"),
    [
        ({}, {}),
        ({"memoryExtractionEnabled": False}, {"memoryExtractionEnabled": False}),
        ({"memoryExtractionEnabled": None}, {}),
        ({"intelligenceConfigurationIds": ["b", "c"]}, {"intelligenceConfigurationIds": ["b", "c"]}),
        ({"intelligenceConfigurationIds": []}, {"intelligenceConfigurationIds": []}),
        ({"traitExtractionStrategyIds": ["t"]}, {"traitExtractionStrategyIds": ["t"]}),
        ({"observationExtractionStrategyIds": ["o"]}, {"observationExtractionStrategyIds": ["o"]}),
        ({"workflows": [{"flowId": FLOW}]}, {"workflows": [{"flowId": FLOW}]}),
        ({"statusCallbacks": [callback(OTHER, "GET")]}, {"statusCallbacks": [callback(OTHER, "GET")]}),
        ({"statusCallbacks": []}, {"statusCallbacks": []}),
        ({"statusCallbacks": None}, {}),
        ({"channelSettings": {}}, {}),
        (
            {"channelSettings": {"SMS": {"statusTimeouts": {"closed": 5}}}},
            {"channelSettings": {**CONFIGURED, "SMS": {"statusTimeouts": {"closed": 5}, "captureRules": RULES}}},
        ),
        (
            {"channelSettings": {"WHATSAPP": {"statusTimeouts": {"inactive": 1, "closed": 2}}}},
            {
                "channelSettings": {
                    **CONFIGURED,
                    "WHATSAPP": {"statusTimeouts": {"inactive": 1, "closed": 2}, "captureRules": RULES},
                }
            },
        ),
        (
            {"channelSettings": {"SMS": {"statusTimeouts": None}, "VOICE": {"statusTimeouts": {"closed": 1}}}},
            {
                "channelSettings": {
                    **CONFIGURED,
                    "SMS": {"statusTimeouts": None, "captureRules": RULES},
                    "VOICE": {"statusTimeouts": {"closed": 1}, "captureRules": []},
                }
            },
        ),
    ],
)
async def test_what_is_given_counts_and_all_else_is_the_configurations(
    service: Service, given: dict[str, Any], difference: dict[str, Any]
) -> None:
    configuration_id = await make_configuration(
        service,
        conversationGroupingType=BY_PROFILE,
        channelSettings=CONFIGURED,
        statusCallbacks=[callback(ONE)],
        intelligenceConfigurationIds=["a"],
        memoryExtractionEnabled=True,
    )
    plain = await create(service, configurationId=configuration_id)
    conversation = await create(service, configurationId=configuration_id, configuration=given)
    assert conversation["configurationId"] == configuration_id
    assert conversation["configuration"] == {**plain["configuration"], **difference}
    assert (await traffic.conversations(service))[1] == conversation


async def test_its_own_timers_run(service: Service) -> None:
    configuration_id = await make_configuration(service, channelSettings=CONFIGURED)
    own = {"channelSettings": {"SMS": {"statusTimeouts": {"inactive": 100, "closed": 200}}}}
    conversation = await create(service, customer(sms(KIRAN)), configurationId=configuration_id, configuration=own)
    assert await statuses_after(service, conversation, 99, 2, 98, 2) == ["ACTIVE", "INACTIVE", "INACTIVE", "CLOSED"]


async def test_its_own_settings_stay_when_the_configuration_changes(service: Service) -> None:
    configuration_id = await make_configuration(service, statusCallbacks=[callback(ONE)], channelSettings=CONFIGURED)
    settings: list[dict[str, Any]] = [
        {"memoryExtractionEnabled": True},
        {"statusCallbacks": [callback(OTHER)]},
        {"statusCallbacks": []},
    ]
    live, own, silent = [await create(service, configurationId=configuration_id, configuration=one) for one in settings]
    await change_configuration(
        service, configuration_id, statusCallbacks=[callback(THIRD)], description="new", channelSettings={"SMS": {}}
    )
    kept = {**live["configuration"], "statusCallbacks": [callback(THIRD)]}
    assert await traffic.conversations(service) == [{**live, "configuration": kept}, own, silent]
    for conversation in (live, own, silent):
        await traffic.change(service, conversation, name="named")
    assert [(one["sequence"], one["url"]) for one in await deliveries(service)] == [
        *((1, ONE), (2, THIRD)),
        *((1, OTHER), (2, OTHER)),
    ]


async def test_null_goes_back_to_the_configurations_callbacks(service: Service) -> None:
    configuration_id = await make_configuration(service, statusCallbacks=[callback(ONE)])
    own = {"statusCallbacks": [callback(OTHER)], "memoryExtractionEnabled": True}
    conversation = await create(service, configurationId=configuration_id, configuration=own)
    back = await traffic.change(service, conversation, configuration={"statusCallbacks": None})
    assert back["configuration"] == {**conversation["configuration"], "statusCallbacks": [callback(ONE)]}


async def test_it_keeps_its_configuration_from_being_deleted(service: Service) -> None:
    configuration_id = await make_configuration(service)
    own = {"memoryExtractionEnabled": True}
    conversation = await create(service, configurationId=configuration_id, configuration=own)
    path = f"/v2/ControlPlane/Configurations/{configuration_id}"
    refusal(await service.api.delete(path), 409, 20409)
    await traffic.change(service, conversation, status="CLOSED")
    assert (await service.api.delete(path)).status_code == 202
    assert (await traffic.only_conversation(service))["configuration"] == conversation["configuration"]
