"""What every resource shows though it is not set, and how it writes times."""

from typing import Any

from tests.features.test_communication_writes import Body, new_conversation, path_of, say
from tests.support import traffic
from tests.support.app import Service

CONVERSATIONS = "/v2/Conversations"


def moments(resource: Any) -> list[str]:
    """Every time in a resource."""
    if isinstance(resource, dict):
        own = [value for name, value in resource.items() if name.endswith("At") and value is not None]
        return own + [one for value in resource.values() for one in moments(value)]
    return [one for value in resource for one in moments(value)] if isinstance(resource, list) else []


async def test_what_is_unset_is_null_and_times_are_short(service: Service) -> None:
    conversation = await new_conversation(service)
    said = await say(service, conversation)
    configuration = await traffic.get(service, f"/v2/ControlPlane/Configurations/{conversation['configurationId']}")
    _, agent = conversation["participants"]
    inline: Body = (await service.api.post(CONVERSATIONS, json={"configuration": {}})).json()
    assert nulls(configuration) == {"conversationsV1Bridge", "redactionConfigurationId"}
    assert nulls(await traffic.get(service, f"{CONVERSATIONS}/{conversation['id']}")) == {"name"}
    assert nulls(inline) == {"name", "configurationId"}
    assert nulls(inline["configuration"]) >= {"displayName", "description", "memoryStoreId"}
    assert nulls(await traffic.get(service, f"{CONVERSATIONS}/{conversation['id']}/Participants/{agent['id']}")) == {
        "profileId"
    }
    assert nulls(agent["addresses"][0]) == {"channelId"}
    assert nulls(await traffic.get(service, path_of(conversation, said))) == {"channelId", "resourceId"}
    for resource in (configuration, conversation, inline, said):
        found = moments(resource)
        assert len(found) >= 2
        assert all(len(one) == len("2026-02-03T09:15:04Z") <= 30 for one in found)


def nulls(resource: Body) -> set[str]:
    """The names of the fields that are there, and null."""
    return {name for name, value in resource.items() if value is None}
