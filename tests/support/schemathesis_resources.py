"""Resources that Schemathesis can ask for: the ids of one of everything, and what Twilio posts."""

import json
from typing import Any

from orchestrator.kernel.ids import new_sid
from tests.support.app import Service
from tests.support.factories import OUR_NUMBER, make_configuration
from tests.support.memories import note, observation, profile_path, sum_up, summary
from tests.support.messages import asked
from tests.support.sdk import communication_body, conversation_body, message_body
from tests.support.traffic import BY_PROFILE, KIRAN

_IMPORT = {
    "filename": "customers.csv",
    "fileSize": 100,
    "columnMappings": [
        {"columnName": column, "traitGroup": "Contact", "traitName": column} for column in ("phone", "city")
    ],
}


_CALLBACK = "https://hooks.example.com/conversations"


async def post(service: Service, path: str, body: dict[str, Any]) -> dict[str, Any]:
    response = await service.api.post(path, json=body)
    assert response.is_success, response.text
    made: dict[str, Any] = response.json()
    return made


def tail(url: str) -> str:
    """The operation that a `statusUrl` leads to."""
    return url.rpartition("/")[2]


async def make_stores(service: Service) -> dict[str, list[str]]:
    """Stores to read and to delete, and the profiles of the first; an account has at most ten."""
    accepted = [
        await post(service, "/v1/ControlPlane/Stores", {"displayName": f"store-{number}"}) for number in range(6)
    ]
    operations = [tail(one["statusUrl"]) for one in accepted]
    stores = []
    for operation in operations:
        found = await service.api.get(f"/v1/ControlPlane/Operations/{operation}")
        stores.append(found.json()["result"]["id"])
    bodies = [{"traits": {"Contact": {"phone": f"+1555111{number:04d}"}}} for number in range(5)]
    profiles = [(await post(service, f"/v1/Stores/{stores[0]}/Profiles", body))["id"] for body in bodies]
    paths = [profile_path(stores[0], profile_id) for profile_id in profiles]
    groups = [f"Group{number}" for number in range(5)]
    for name in groups:
        await post(service, f"/v1/ControlPlane/Stores/{stores[0]}/TraitGroups", {"displayName": name, "traits": {}})
    pairs = [[{"phone": f"+1555444{number:04d}"}, {"email": f"{number}@example.com"}] for number in range(5)]
    people = [{"traits": {"Contact": one}} for pair in pairs for one in (*pair, pair[0] | pair[1])]
    merging = await service.api.put(f"/v1/Stores/{stores[0]}/Profiles/Bulk", json={"profiles": people})
    assert merging.is_success, merging.text
    merges = await service.fetch("select id from profile_merges where store_id = $1", stores[0])
    imports = [await post(service, f"/v1/Stores/{stores[0]}/Profiles/Imports", _IMPORT) for _ in range(3)]
    return {
        "stores": stores[:1],
        "merges": [row["id"] for row in merges],
        "imports": [one["importId"] for one in imports],
        "expendable_stores": stores[1:],
        "store_operations": operations,
        "profiles": profiles,
        "id_types": ["phone", "email"],
        "trait_groups": groups,
        "observations": [one for path in paths for one in await note(service, path, *[observation()] * 3)],
        "summaries": [one for path in paths for one in await sum_up(service, path, *[summary()] * 3)],
    }


async def make_conversations(service: Service, configuration_id: str) -> dict[str, list[str]]:
    """A conversation with all that it can have, some to change and some to delete."""
    made = [
        await post(service, "/v2/Conversations", conversation_body(configuration_id, f"+1555222{number:04d}"))
        for number in range(21)
    ]
    path = f"/v2/Conversations/{made[0]['id']}"
    customer, agent = ({"participantId": one["id"], "channel": "SMS"} for one in made[0]["participants"])
    author = made[0]["participants"][0]["name"]
    said = [await post(service, f"{path}/Communications", communication_body("hello", author)) for _ in range(3)]
    action = await post(service, f"{path}/Actions", message_body("hi", agent, customer))
    ids = [one["id"] for one in made]
    await post(service, "/orchestrator/v1/Events/Replay", {"conversationId": ids[0], "url": _CALLBACK})
    deliveries = await service.api.get("/orchestrator/v1/Deliveries")
    return {
        "deliveries": [one["id"] for one in deliveries.json()["deliveries"]],
        "conversations": ids[:1],
        "changing_conversations": ids[1:11],
        "expendable_conversations": ids[11:],
        "participants": [one["id"] for one in made[0]["participants"]],
        "customers": [customer["participantId"]],
        "agents": [agent["participantId"]],
        "communications": [one["id"] for one in said],
        "actions": [action["id"]],
        "sequences": ["1", "2", "3"],
    }


async def make_resources(service: Service) -> dict[str, list[str]]:
    """Ids by kind. An account has at most ten configurations; some are left for what Schemathesis makes."""
    stores = await make_stores(service)
    configuration_id = await make_configuration(service, memoryStoreId=stores["stores"][0])
    # The grouping cannot be changed; this one is the example in the OpenAPI file.
    by_profile = [await make_configuration(service, conversationGroupingType=BY_PROFILE) for _ in range(2)]
    empty = [await make_configuration(service, channelSettings={}) for _ in range(4)]  # nothing will hold them
    deleted = await service.api.delete(f"/v2/ControlPlane/Configurations/{await make_configuration(service)}")
    assert (await service.receive_message(KIRAN, KIRAN)).is_success
    uncaptured = await service.api.get("/orchestrator/v1/Uncaptured")
    numbers = [f"+1555333{number:04d}" for number in range(10)]
    for number in numbers:
        await post(service, "/orchestrator/v1/Numbers", {"address": number})
    return {
        "accounts": [service.account.account_id],
        "configurations": [configuration_id],
        "changing_configurations": by_profile,
        "expendable_configurations": empty,
        "operations": [tail(deleted.json()["statusUrl"])],
        "numbers": numbers,
        "uncaptured": [one["id"] for one in uncaptured.json()["uncaptured"]],
        "versions": ["'*'"],
        "version_numbers": ["1"],
        "messages": [(await asked(service))["sid"] for _ in range(3)],
        "grouping_types": [BY_PROFILE],
        **stores,
        **await make_conversations(service, configuration_id),
    }


def webhooks(ids: dict[str, list[str]]) -> dict[str, dict[str, str]]:
    """What Twilio posts, by path."""
    account, ends = {"AccountSid": ids["accounts"][0]}, {"From": KIRAN, "To": OUR_NUMBER}
    message, spoken = {"MessageSid": new_sid("SM")}, {"transcript": "hello", "confidence": 0.9}
    return {
        "/ingest/twilio/messages": {**account, **message, **ends, "Body": "hello"},
        "/ingest/twilio/message-status": {**account, **message, "MessageStatus": "delivered"},
        "/ingest/twilio/voice": {
            **account,
            **ends,
            "CallSid": new_sid("CA"),
            "Direction": "inbound",
            "ConversationConfiguration": ids["configurations"][0],
            "TranscriptionEvent": "transcription-content",
            "TranscriptionSid": new_sid("GT"),
            "TranscriptionData": json.dumps(spoken),
            "SequenceId": "1",
            "Final": "true",
            "Track": "inbound_track",
        },
    }
