"""Looking at communications, and why they landed where they did."""

from typing import Any

from orchestrator.kernel.ids import COMMUNICATION, new_id, new_sid
from tests.support import traffic
from tests.support.app import Service
from tests.support.factories import make_configuration
from tests.support.lists import page, walk, walk_there_and_back
from tests.support.refusals import refusal
from tests.support.traffic import BY_PROFILE, KIRAN, US


def path(conversation: dict[str, Any]) -> str:
    return f"/v2/Conversations/{conversation['id']}/Communications"


async def conversation_of_kiran(service: Service, *texts: str) -> dict[str, Any]:
    await make_configuration(service, conversationGroupingType=BY_PROFILE)
    for text in texts or ("hello",):
        await traffic.message(service, KIRAN, US, text)
    return await traffic.only_conversation(service)


async def test_a_communication_is_fetched_as_it_is_listed(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    await traffic.speech(service, KIRAN, US)
    for listed in await traffic.communications(service, conversation):
        assert await traffic.get(service, f"{path(conversation)}/{listed['id']}") == listed
        assert listed["conversationId"] == conversation["id"]
        assert listed["id"].startswith("conv_communication_")


async def test_the_list_is_in_the_order_of_speaking(service: Service) -> None:
    conversation = await conversation_of_kiran(service, "one", "two", "three")
    said = await traffic.communications(service, conversation)
    assert [one["content"]["text"] for one in said] == ["one", "two", "three"]
    _, meta = await page(service, path(conversation))
    assert meta == {"key": "communications", "pageSize": 3}


async def test_the_channel_filter(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    sid = await traffic.message(service, KIRAN, US, "by sms")
    call_sid = await traffic.speech(service, KIRAN, US, "first words")
    await traffic.speech(service, KIRAN, US, "last words", call_sid=call_sid)
    spoken = await traffic.communications(service, conversation, channelId=call_sid)
    assert [one["content"]["text"] for one in spoken] == ["first words", "last words"]
    (written,) = await traffic.communications(service, conversation, ChannelId=sid)
    assert written["content"]["text"] == "by sms"
    assert await traffic.communications(service, conversation, channelId=spoken[1]["resourceId"]) == [spoken[1]]
    assert await traffic.communications(service, conversation, channelId=new_sid("SM")) == []
    pages = await walk_there_and_back(service, path(conversation), channelId=call_sid, pageSize=1)
    assert pages == [[one["id"]] for one in spoken]


async def test_pages_of_one_forward_and_back(service: Service) -> None:
    conversation = await conversation_of_kiran(service, "one", "two", "three", "four")
    ids, _ = await page(service, path(conversation))
    assert await walk_there_and_back(service, path(conversation), pageSize=1) == [[one] for one in ids]
    assert await walk_there_and_back(service, path(conversation), PageSize=3) == [ids[:3], ids[3:]]


async def test_what_is_said_meanwhile_neither_shifts_nor_repeats_anything(service: Service) -> None:
    conversation = await conversation_of_kiran(service, "one", "two", "three")
    ids, _ = await page(service, path(conversation))
    first, meta = await page(service, path(conversation), pageSize=1)
    await traffic.speech(service, KIRAN, US, "long ago", Timestamp="2020-01-01T00:00:00.000Z")
    await traffic.message(service, KIRAN, US, "four")
    everything, _ = await page(service, path(conversation))
    rest = await walk(service, path(conversation), pageToken=meta["nextToken"])
    assert [first, *rest] == [[one] for one in (*ids, everything[-1])]
    _, second = await page(service, path(conversation), pageToken=meta["nextToken"])
    back = await walk(service, path(conversation), token="previousToken", pageToken=second["previousToken"])
    assert back == [[ids[0]], [everything[0]]]


async def test_communications_of_one_instant_have_one_order(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    for number in range(3):
        await traffic.speech(service, KIRAN, US, f"{number}", Timestamp="2026-02-03T09:15:04Z")
    ids, _ = await page(service, path(conversation))
    assert await walk_there_and_back(service, path(conversation), pageSize=1) == [[one] for one in ids]


async def test_communications_of_others_and_malformed_ids_are_not_found(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    (said,) = await traffic.communications(service, conversation)
    async with service.client(await service.new_account()) as theirs:
        for foreign in (path(conversation), f"{path(conversation)}/{said['id']}", trace_path(said["id"])):
            refusal(await theirs.get(foreign), 404, 20404)
    for conversation_id in ("x", "%00", f"{conversation['id']}x"):
        refusal(await service.api.get(path({"id": conversation_id})), 404, 20404)
        refusal(await service.api.get(f"{path({'id': conversation_id})}/{said['id']}"), 404, 20404)
    for unknown in ("x", "%00", new_id(COMMUNICATION), conversation["id"]):
        refusal(await service.api.get(f"{path(conversation)}/{unknown}"), 404, 20404)
        refusal(await service.api.get(trace_path(unknown)), 404, 20404)


async def test_a_communication_is_found_only_in_its_own_conversation(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    await traffic.message(service, "+15550000001", US)
    _, other = await traffic.conversations(service)
    (said,) = await traffic.communications(service, other)
    refusal(await service.api.get(f"{path(conversation)}/{said['id']}"), 404, 20404)


async def test_wrong_pages_are_refused(service: Service) -> None:
    conversation = await conversation_of_kiran(service, "one", "two")
    _, meta = await page(service, f"/v2/Conversations/{conversation['id']}/Participants", pageSize=1)
    for query in (
        {"pageSize": "0"},
        {"channelId": "\x00"},
        {"pageToken": "nonsense"},
        {"pageToken": meta["nextToken"]},
    ):
        refusal(await service.api.get(path(conversation), params=query), 400, 20001)


def trace_path(communication_id: str) -> str:
    return f"/orchestrator/v1/Communications/{communication_id}/Trace"


async def test_the_trace_tells_every_decision(service: Service) -> None:
    conversation = await conversation_of_kiran(service, "one", "two")
    profile_id = conversation["participants"][0]["profileId"]
    first, second = await traffic.communications(service, conversation)
    body = await traffic.get(service, trace_path(first["id"]))
    assert body == {
        "communicationId": first["id"],
        "conversationId": conversation["id"],
        "trace": {
            "outcome": "NEW",
            "origin": "PROVIDER",
            "channel": "SMS",
            "from": KIRAN,
            "to": US,
            "conversationId": conversation["id"],
            "because": "KEY_WAS_FREE",
            "displayName": "Support",
            "configurationId": conversation["configurationId"],
            "configurationVersion": 1,
            "rule": {"channel": "SMS", "position": 1, "from": "*", "to": US},
            "groupingType": BY_PROFILE,
            "key": f"profile {profile_id}",
            "sides": {"author": "CUSTOMER", "recipient": "AGENT", "toldBy": "rule"},
            "profile": {
                "profileId": profile_id,
                "outcome": "created",
                "identifier": {"idType": "phone", "value": KIRAN},
            },
        },
        "sentences": body["sentences"],
    }
    assert body["sentences"][0] == f"Captured by rule 2 of SMS (from * to {US}) in “Support”."
    again = await traffic.trace(service, second)
    assert (again["outcome"], again["profile"]["outcome"]) == ("JOINED", "found")
