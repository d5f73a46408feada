"""Creating conversations over REST: under a configuration, with their participants, all or nothing."""

from typing import Any

import pytest

from orchestrator.kernel.ids import CONFIGURATION, new_id
from tests.support import traffic
from tests.support.app import Service
from tests.support.conversations import (
    PATH,
    agent,
    create,
    customer,
    keys_of,
    on,
    people,
    post,
    sms,
    someone,
    whatsapp,
)
from tests.support.factories import configuration_body, make_configuration
from tests.support.memory import identifiers_of, new_phone
from tests.support.refusals import refusal
from tests.support.traffic import BY_PROFILE, KIRAN, OTHER_PHONE, US


async def test_the_answer_is_the_conversation_as_it_is_fetched_and_listed(service: Service) -> None:
    configuration_id = await make_configuration(service)
    conversation = await create(
        service,
        customer(sms(KIRAN), whatsapp(KIRAN), name="Kiran"),
        someone("HUMAN_AGENT", on("CHAT", "Ann", "CH1")),
        configurationId=configuration_id,
        name="Parcel 4711",
        metadata={"orderId": "4711"},
    )
    configuration = await traffic.get(service, f"/v2/ControlPlane/Configurations/{configuration_id}")
    kiran, ann = conversation["participants"]
    common = {name: conversation[name] for name in ("accountId", "createdAt", "updatedAt")}
    assert conversation == {
        "id": conversation["id"],
        "accountId": service.account.account_id,
        "configurationId": configuration_id,
        "status": "ACTIVE",
        "name": "Parcel 4711",
        "metadata": {"orderId": "4711"},
        "createdAt": conversation["createdAt"],
        "updatedAt": conversation["createdAt"],
        "configuration": {**{name: configuration.get(name) for name in conversation["configuration"]}, "workflows": []},
        "participants": [
            {
                **common,
                "id": kiran["id"],
                "conversationId": conversation["id"],
                "name": "Kiran",
                "type": "CUSTOMER",
                "profileId": kiran["profileId"],
                "addresses": [
                    {"channel": "SMS", "address": KIRAN, "channelId": None},
                    {"channel": "WHATSAPP", "address": f"whatsapp:{KIRAN}", "channelId": None},
                ],
            },
            {
                **common,
                "id": ann["id"],
                "conversationId": conversation["id"],
                "name": "Ann",
                "type": "HUMAN_AGENT",
                "profileId": None,
                "addresses": [{"channel": "CHAT", "address": "Ann", "channelId": "CH1"}],
            },
        ],
    }
    assert await traffic.get(service, f"{PATH}/{conversation['id']}") == conversation
    assert await traffic.conversations(service) == [conversation]


async def test_customers_have_profiles_in_the_configurations_store(service: Service) -> None:
    body = configuration_body()
    answer = await service.api.post("/v2/ControlPlane/Configurations", json=body)
    configuration_id = answer.json()["related"]["configurationId"]
    phone = new_phone()
    one = await create(service, customer(whatsapp(phone), on("EMAIL", "Ann@x.io")), configurationId=configuration_id)
    profile_id = one["participants"][0]["profileId"]
    found = await identifiers_of(service, body["memoryStoreId"], profile_id)
    assert found == {"phone": [phone], "whatsapp": [f"whatsapp:{phone}"], "email": ["ann@x.io"]}
    other = await create(service, someone(None, on("EMAIL", "ann@X.io")), configurationId=configuration_id)
    assert [(one["type"], one["profileId"]) for one in other["participants"]] == [("CUSTOMER", profile_id)]


async def test_everything_is_told_once_in_order(service: Service) -> None:
    conversation = await create(
        service,
        customer(sms(KIRAN)),
        agent(sms(US)),
        configurationId=await make_configuration(service),
        metadata={"a": "b"},
    )
    told = await traffic.events(service)
    assert [event.type for event in told] == ["CONVERSATION_CREATED", "PARTICIPANT_ADDED", "PARTICIPANT_ADDED"]
    assert [event.sequence for event in told] == [1, 2, 3]
    assert told[0].data == {name: value for name, value in conversation.items() if name != "configuration"}
    assert [event.data for event in told[1:]] == conversation["participants"]


async def test_participants_keep_the_order_in_which_they_are_given(service: Service) -> None:
    given = [someone(None, sms(f"+1555000{number:04d}"), name=f"n{(number * 37) % 50}") for number in range(50)]
    conversation = await create(service, *given, configurationId=await make_configuration(service))
    names = [one["name"] for one in given]
    assert [one["name"] for one in conversation["participants"]] == names
    assert (await traffic.get(service, f"{PATH}/{conversation['id']}")) == conversation
    listed = await traffic.get(service, people(conversation), pageSize=50)
    assert listed["participants"] == conversation["participants"]
    answer = await post(service, *given, someone(None), configurationId=conversation["configurationId"])
    assert refusal(answer, 400, 20001)["params"]["field"] == "/participants"


async def test_a_name_is_never_null(service: Service) -> None:
    """TAC takes nobody into account whose name is null."""
    conversation = await create(
        service,
        someone(None, sms(KIRAN), sms(OTHER_PHONE)),
        someone(None, sms(US), name=""),
        someone(None),
        configurationId=await make_configuration(service),
    )
    first, second, third = conversation["participants"]
    assert (first["name"], second["name"], third["name"]) == (KIRAN, "", third["id"])
    assert [one["type"] for one in conversation["participants"]] == ["UNKNOWN"] * 3


async def test_null_is_as_good_as_absent_and_unknown_fields_are_ignored(service: Service) -> None:
    nothing = {"name": None, "type": None, "profileId": None, "addresses": None}
    address = {"channel": "SMS", "address": KIRAN, "channelId": None, "colour": "red"}
    conversation = await create(
        service,
        {**nothing, "colour": "red"},
        {**nothing, "addresses": [address]},
        configurationId=await make_configuration(service),
        configuration=None,
        name=None,
        metadata=None,
        action=None,
        id="conv_conversation_mine",
        status="CLOSED",
    )
    assert conversation["id"] != "conv_conversation_mine"
    assert (conversation["status"], conversation["name"], conversation["metadata"]) == ("ACTIVE", None, {})
    assert [len(one["addresses"]) for one in conversation["participants"]] == [0, 1]
    bare = await service.api.post(PATH, json={"configurationId": conversation["configurationId"], "participants": None})
    assert (bare.status_code, bare.json()["participants"]) == (201, [])


async def test_without_participants_it_holds_no_key(service: Service) -> None:
    configuration_id = await make_configuration(service)
    empty = [await create(service, configurationId=configuration_id) for _ in range(2)]
    lonely = [await create(service, customer(sms(KIRAN)), configurationId=configuration_id) for _ in range(2)]
    for conversation in (*empty, *lonely):
        assert await keys_of(service, conversation) == set()
    await traffic.message(service, KIRAN, US)
    assert len(await traffic.conversations(service)) == 5, "traffic opens one of its own"
    (own,) = [one for one in await traffic.conversations(service) if len(one["participants"]) == 2]
    assert await keys_of(service, own) == {f"addresses {KIRAN} {US}"}


WRONG: list[tuple[str, dict[str, Any]]] = [
    ("/participants/1/addresses/0/channel", {"participants": [{}, someone(None, on("FAX", KIRAN))]}),
    ("/participants/1/addresses/0/address", {"participants": [customer(sms(KIRAN)), agent(sms("+1"))]}),
    ("/participants/1/addresses/0/address", {"participants": [customer(sms(KIRAN)), agent(on("CHAT", ""))]}),
    ("/participants/1/addresses/0/address", {"participants": [customer(sms(KIRAN)), agent(on("CHAT", "x" * 255))]}),
    ("/participants/1/addresses/0/address", {"participants": [customer(sms(KIRAN)), agent({"channel": "SMS"})]}),
    ("/participants/1/addresses/0/address", {"participants": [customer(sms(KIRAN)), agent(sms("+1 (555) 123-4567"))]}),
    ("/participants/1/addresses/1/address", {"participants": [{}, agent(sms(US), sms(f"tel:{US}"))]}),
    ("/participants/0/addresses/0/channelId", {"participants": [someone(None, {**sms(US), "channelId": ""})]}),
    ("/participants/0/addresses", {"participants": [someone(None, *[sms(f"+1555000{n:04d}") for n in range(51)])]}),
    ("/participants/0/addresses", {"participants": [{"addresses": KIRAN}]}),
    ("/participants/1/type", {"participants": [customer(sms(KIRAN)), someone("BOT", sms(US))]}),
    ("/participants/1/profileId", {"participants": [customer(sms(KIRAN)), customer(profileId="")]}),
    ("/participants/1/name", {"participants": [customer(sms(KIRAN)), agent(name=5)]}),
    ("/participants/1/name", {"participants": [customer(sms(KIRAN)), agent(name="a\x00b")]}),
    ("/participants/0", {"participants": [None]}),
    ("/participants", {"participants": {}}),
    ("/name", {"name": 5}),
    ("/metadata", {"metadata": {f"entry{number}": "" for number in range(9)}}),
    ("/metadata/a b", {"metadata": {"a b": "c"}}),
    ("/metadata/", {"metadata": {"": "c"}}),
    ("/metadata/" + "a" * 129, {"metadata": {"a" * 129: "c"}}),
    ("/metadata/a", {"metadata": {"a": "c" * 513}}),
    ("/metadata/a", {"metadata": {"a": None}}),
    ("/metadata/a", {"metadata": {"a": 1}}),
    ("/action", {"action": {"type": "SEND_MESSAGE"}}),
    ("/action", {"action": {}}),
    ("/configurationId", {"configurationId": 5}),
]


@pytest.mark.parametrize(
    ("pointer", "wrong"), WRONG, ids=[f"{n} {pointer[:40]}" for n, (pointer, _) in enumerate(WRONG)]
)
async def test_a_wrong_field_is_named_and_nothing_is_written(
    service: Service, pointer: str, wrong: dict[str, Any]
) -> None:
    body = {"configurationId": await make_configuration(service), **wrong}
    before = await traffic.row_counts(service)
    assert refusal(await service.api.post(PATH, json=body), 400, 20001)["params"]["field"] == pointer
    assert await traffic.row_counts(service) == before


async def test_without_any_settings_there_is_no_conversation(service: Service) -> None:
    for nothing in ({}, {"configurationId": None}, {"configurationId": None, "configuration": None}):
        error = refusal(await post(service, customer(sms(KIRAN)), **nothing), 400, 20001)
        assert "configurationId" in error["message"]
    assert await traffic.conversations(service) == []


async def test_as_much_metadata_as_is_admitted(service: Service) -> None:
    metadata = {f"{number}".rjust(128, "._-aZ"[number % 5]): "v" * 512 for number in range(8)}
    conversation = await create(service, configurationId=await make_configuration(service), metadata=metadata)
    assert conversation["metadata"] == metadata
    assert (await traffic.only_conversation(service))["metadata"] == metadata


async def test_the_configuration_must_be_one_of_the_account(service: Service) -> None:
    configuration_id, deleted = [await make_configuration(service) for _ in range(2)]
    await service.api.delete(f"/v2/ControlPlane/Configurations/{deleted}")
    before = await traffic.row_counts(service)
    for unknown in (new_id(CONFIGURATION), deleted, "x", "", "a'b", f"{configuration_id} "):
        error = refusal(await post(service, customer(sms(KIRAN)), configurationId=unknown), 404, 20404)
        assert unknown in error["message"]
    async with service.client(await service.new_account()) as theirs:
        refusal(await theirs.post(PATH, json={"configurationId": configuration_id}), 404, 20404)
    after = await traffic.row_counts(service, without=["accounts"])
    assert after == {name: count for name, count in before.items() if name != "accounts"}


async def test_only_json_of_somebody_known_is_understood(service: Service) -> None:
    body = {"configurationId": await make_configuration(service)}
    refusal(await service.api.post(PATH, data=body), 415, 20415)
    for broken in (b"{", b"[]", b"null", b'"x"', b""):
        answer = await service.api.post(PATH, content=broken, headers={"Content-Type": "application/json"})
        refusal(answer, 400, 20001)
    async with service.client() as nobody:
        refusal(await nobody.post(PATH, json=body), 401, 20003)
    assert await traffic.conversations(service) == []


async def test_a_conversation_keeps_the_settings_of_its_beginning_but_for_callbacks(service: Service) -> None:
    configuration_id = await make_configuration(service, conversationGroupingType=BY_PROFILE)
    conversation = await create(service, customer(sms(KIRAN)), configurationId=configuration_id)
    callbacks = [{"url": "http://127.0.0.1:9/new", "method": "POST"}]
    changes = {"description": "new", "statusCallbacks": callbacks, "channelSettings": {"SMS": {}}}
    path = f"/v2/ControlPlane/Configurations/{configuration_id}"
    assert (await service.api.patch(path, json=changes)).status_code == 202
    kept = {**conversation["configuration"], "statusCallbacks": callbacks}
    assert await traffic.only_conversation(service) == {**conversation, "configuration": kept}
    later = await create(service, configurationId=configuration_id)
    assert later["configuration"]["description"] == "new"
