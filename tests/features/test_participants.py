"""Looking at participants."""

from typing import Any

from orchestrator.kernel.ids import PARTICIPANT, new_id
from tests.support import traffic
from tests.support.app import Service
from tests.support.factories import make_configuration
from tests.support.lists import page, walk, walk_there_and_back
from tests.support.refusals import refusal
from tests.support.traffic import BY_PROFILE, KIRAN, US


def path(conversation: dict[str, Any]) -> str:
    return f"/v2/Conversations/{conversation['id']}/Participants"


async def conversation_of_kiran(service: Service) -> dict[str, Any]:
    await make_configuration(service, conversationGroupingType=BY_PROFILE)
    await traffic.message(service, KIRAN, US)
    return await traffic.only_conversation(service)


async def test_a_participant_on_the_wire(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    await traffic.message(service, f"whatsapp:{KIRAN}", f"whatsapp:{US}")
    customer, agent = (await traffic.get(service, path(conversation)))["participants"]
    assert customer == {
        "id": customer["id"],
        "conversationId": conversation["id"],
        "accountId": service.account.account_id,
        "name": KIRAN,
        "type": "CUSTOMER",
        "profileId": customer["profileId"],
        "addresses": [
            {"channel": "SMS", "address": KIRAN, "channelId": None},
            {"channel": "WHATSAPP", "address": f"whatsapp:{KIRAN}", "channelId": None},
        ],
        "createdAt": customer["createdAt"],
        "updatedAt": customer["updatedAt"],
    }
    assert customer["id"].startswith("conv_participant_")
    assert (agent["name"], agent["type"], agent["profileId"]) == (US, "AGENT", None)
    for one in (customer, agent):
        assert await traffic.get(service, f"{path(conversation)}/{one['id']}") == one
    assert (await traffic.only_conversation(service))["participants"] == [customer, agent]


async def test_pages_of_one_forward_and_back(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    ids, meta = await page(service, path(conversation))
    assert meta == {"key": "participants", "pageSize": 2}
    assert ids == [one["id"] for one in conversation["participants"]]
    assert await walk_there_and_back(service, path(conversation), pageSize=1) == [[one] for one in ids]
    assert await walk(service, path(conversation), PageSize=2) == [ids]


async def test_a_participant_who_joins_meanwhile_comes_last(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    first, meta = await page(service, path(conversation), pageSize=1)
    await service.fetch(
        "insert into participants select account_id, conversation_id, $2, name, type, null, created_at, updated_at "
        "from participants where account_id = $1 limit 1",
        service.account.account_id,
        third := new_id(PARTICIPANT),
    )
    rest = await walk(service, path(conversation), pageToken=meta["nextToken"])
    assert [first, *rest] == [[one["id"]] for one in conversation["participants"]] + [[third]]


async def test_participants_of_others_and_malformed_ids_are_not_found(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    participant_id = conversation["participants"][0]["id"]
    async with service.client(await service.new_account()) as theirs:
        refusal(await theirs.get(path(conversation)), 404, 20404)
        refusal(await theirs.get(f"{path(conversation)}/{participant_id}"), 404, 20404)
    for conversation_id in ("x", "%00", f"{conversation['id']}x"):
        refusal(await service.api.get(path({"id": conversation_id})), 404, 20404)
        refusal(await service.api.get(f"{path({'id': conversation_id})}/{participant_id}"), 404, 20404)
    for unknown in ("x", "%00", new_id(PARTICIPANT), conversation["id"]):
        refusal(await service.api.get(f"{path(conversation)}/{unknown}"), 404, 20404)


async def test_a_participant_is_found_only_in_its_own_conversation(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    await traffic.message(service, "+15550000001", US)
    _, other = await traffic.conversations(service)
    foreign = other["participants"][0]["id"]
    refusal(await service.api.get(f"{path(conversation)}/{foreign}"), 404, 20404)


async def test_wrong_pages_are_refused(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    for query in ({"pageSize": "0"}, {"pageSize": "1001"}, {"pageToken": "nonsense"}):
        refusal(await service.api.get(path(conversation), params=query), 400, 20001)


async def test_participants_cannot_be_deleted(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    answer = await service.api.delete(f"{path(conversation)}/{conversation['participants'][0]['id']}")
    refusal(answer, 405, 20004)
