"""What went wrong with customers' profiles is told over the API, and stops nothing."""

import base64
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from orchestrator.conversations.model import Conversation
from orchestrator.domain.addresses import Channel, parse
from orchestrator.domain.configuration import GroupingType, Settings
from orchestrator.domain.identity import ParticipantType
from orchestrator.domain.lifecycle import Status
from orchestrator.domain.messages import InboundMessage
from orchestrator.ingest.diagnostics import diagnostics_of
from orchestrator.ingest.identifying import SKIPPED
from orchestrator.ingest.landing import Landing, Side
from tests.support import traffic
from tests.support.app import Service
from tests.support.clock import stop_clock
from tests.support.factories import make_configuration
from tests.support.memory import new_profile, new_store
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, OTHER_PHONE, US

PATH = "/orchestrator/v1/Diagnostics"
STORE = "mem_store_01kgh3k1w8fmkrxj2c5a9d7e6b"


async def listed(service: Service, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await traffic.get(service, PATH, **query))["diagnostics"]
    return found


async def without_store(service: Service) -> str:
    """A configuration whose memory store is deleted; the store's id."""
    store_id = await new_store(service)
    await make_configuration(service, memoryStoreId=store_id)
    assert (await service.api.delete(f"/v1/ControlPlane/Stores/{store_id}")).status_code == 202
    return store_id


async def test_an_address_without_identifier_is_a_warning(service: Service) -> None:
    clock = stop_clock(service)
    await make_configuration(service)
    await traffic.message(service, KIRAN, US)
    assert await listed(service) == []
    sid = await traffic.message(service, "AcmeShop", US)
    configuration = (await traffic.get(service, "/v2/ControlPlane/Configurations"))["configurations"][0]
    _, conversation = await traffic.conversations(service)
    (found,) = await listed(service)
    assert found == {
        "id": found["id"],
        "code": 530001,
        "level": "WARNING",
        "resourceId": sid,
        "conversationId": conversation["id"],
        "details": {
            "errorReason": "an address of this kind identifies nobody",
            "channel": "SMS",
            "address": "AcmeShop",
            "storeId": configuration["memoryStoreId"],
        },
        "occurredAt": clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    assert found["id"].startswith("orch_diagnostic_")


async def test_a_store_that_is_gone_fails_the_look_up_and_then_the_creation(service: Service) -> None:
    store_id = await without_store(service)
    sid = await traffic.message(service, KIRAN, US)
    await traffic.message(service, KIRAN, US, MessageSid=sid)  # the same again is no news
    last, first = await listed(service)
    assert [(one["code"], one["level"], one["resourceId"]) for one in (first, last)] == [
        (530003, "WARNING", sid),
        (530004, "ERROR", sid),
    ]
    assert [one["details"]["storeId"] for one in (first, last)] == [store_id] * 2
    assert f"{store_id} is not there or not ACTIVE" in last["details"]["errorReason"]
    assert last["details"]["address"] == KIRAN


async def test_the_list_has_filters_and_pages(service: Service) -> None:
    await without_store(service)
    one, other = [await traffic.message(service, sender, US) for sender in (KIRAN, OTHER_PHONE)]
    conversations = await traffic.conversations(service)
    everything = await listed(service)
    assert [(each["resourceId"], each["code"]) for each in everything] == [
        (other, 530004),
        (other, 530003),
        (one, 530004),
        (one, 530003),
    ]
    assert await listed(service, code=530004) == everything[::2]
    assert await listed(service, Code="530001") == []
    assert await listed(service, conversationId=conversations[0]["id"]) == everything[2:]
    assert await listed(service, resourceId=other, code=530003) == [everything[1]]
    page = await traffic.get(service, PATH, pageSize=3)
    assert page["diagnostics"] == everything[:3]
    assert await listed(service, pageToken=page["meta"]["nextToken"]) == everything[3:]
    async with service.client(await service.new_account()) as stranger:
        assert (await stranger.get(PATH)).json()["diagnostics"] == []


@pytest.mark.parametrize("code", ["skipped", "-1", "1e5", "9999999999", "٥٣"])
async def test_a_code_is_a_number(service: Service, code: str) -> None:
    problem = refusal(await service.api.get(PATH, params={"code": code}), 400, 20001)
    assert problem["params"] == {"field": "code", "value": code}


@pytest.mark.parametrize("name", ["code", "conversationId", "resourceId"])
async def test_what_no_text_can_be_finds_nothing_and_harms_nothing(service: Service, name: str) -> None:
    made_up = {"a": ["x"], "b": None, "s": 5, "f": {name: 7}}
    token = base64.urlsafe_b64encode(orjson.dumps(made_up)).decode()
    for query in ({name: "a\x00b"}, {"pageToken": token}):
        assert refusal(await service.api.get(PATH, params=query), 400, 20001)["params"]["field"] == name


async def test_they_go_with_their_conversation(service: Service) -> None:
    await without_store(service)
    for sender in (KIRAN, OTHER_PHONE):
        await traffic.message(service, sender, US)
    gone, kept = await traffic.conversations(service)
    assert (await service.api.delete(f"/v2/Conversations/{gone['id']}")).status_code == 202
    assert {one["conversationId"] for one in await listed(service)} == {kept["id"]}


async def test_where_several_profiles_match_the_others_are_named(service: Service) -> None:
    store_id = await new_store(service)
    by_phone = await new_profile(service, store_id, phone=KIRAN)
    by_whatsapp = await new_profile(service, store_id, whatsapp=KIRAN)
    await make_configuration(service, memoryStoreId=store_id)
    await traffic.message(service, f"whatsapp:{KIRAN}", f"whatsapp:{US}")
    (found,) = await listed(service)
    customer = traffic.member(await traffic.only_conversation(service), f"whatsapp:{KIRAN}")
    (other,) = {by_phone, by_whatsapp} - {customer["profileId"]}
    assert (found["code"], found["level"]) == (530001, "WARNING")
    assert found["details"] == {
        "errorReason": "several profiles match; one was taken, and they are not merged",
        "channel": "WHATSAPP",
        "address": f"whatsapp:{KIRAN}",
        "profileId": customer["profileId"],
        "others": [other],
        "storeId": store_id,
    }


def test_where_nobody_is_the_customer_both_sides_are_named() -> None:
    one, other = (parse(Channel.SMS, number) for number in (KIRAN, OTHER_PHONE))
    settings = Settings(GroupingType.PROFILE, STORE, {}, {}, (), frozenset())
    now = datetime(2026, 2, 3, tzinfo=UTC)
    target = Conversation("AC1", "conv_1", None, None, settings, Status.ACTIVE, now, now, ())
    author, recipient = (Side(address, ParticipantType.UNKNOWN) for address in (one, other))
    message = InboundMessage("AC1", one, other, {"type": "TEXT", "text": "hello"}, "SM1", "SM1")
    landing = Landing(message, target, 0, author, recipient, told_by="none", diagnostics=[SKIPPED])
    (found,) = diagnostics_of(landing, "conv_1")
    assert (found.code, found.resource_id, found.conversation_id) == (530001, "SM1", "conv_1")
    assert found.details == {
        "errorReason": "both sides have a profile, and nothing tells which of them is the customer",
        "channel": "SMS",
        "address": KIRAN,
        "facing": OTHER_PHONE,
        "storeId": STORE,
    }
