"""What only PATCH can do to a conversation: merge its metadata, and give it status callbacks of its own."""

import pytest

from tests.features.test_conversation_changes import conversation_of_kiran, patch, put
from tests.support import traffic
from tests.support.app import Service
from tests.support.delivery import deliveries
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, US

ONE, OTHER = "http://127.0.0.1:9/one", "http://127.0.0.1:9/other"


async def test_metadata_is_merged_and_null_removes_an_entry(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    await put(service, conversation, status="ACTIVE", metadata={"ticket": "4711", "queue": "parcels"})
    merged = await patch(service, conversation, metadata={"queue": None, "agent": "Ann", "never": None})
    assert merged.json()["metadata"] == {"ticket": "4711", "agent": "Ann"}


async def test_metadata_has_at_most_eight_entries_after_the_merge(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    eight = {f"entry{number}": "x" for number in range(8)}
    assert (await patch(service, conversation, metadata=eight)).status_code == 200
    refused = await patch(service, conversation, metadata={"ninth": "x"})
    assert refusal(refused, 400, 20001)["params"]["field"] == "/metadata"
    swapped = await patch(service, conversation, metadata={"entry0": None, "ninth": "x"})
    assert len(swapped.json()["metadata"]) == 8


async def test_callbacks_of_its_own_are_told_instead_of_the_configurations(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    before = await traffic.event_types(service)
    own = [{"url": ONE, "method": "GET"}, {"url": OTHER, "method": "POST"}]
    changed = await patch(service, conversation, configuration={"statusCallbacks": own})
    assert changed.json()["configuration"]["statusCallbacks"] == own
    assert await traffic.event_types(service) == before, "who is told is no news to those who are told"
    await traffic.message(service, KIRAN, US)
    assert {one["url"] for one in await deliveries(service)} == {ONE, OTHER}


async def test_an_empty_list_silences_and_null_goes_back_to_the_configurations(service: Service) -> None:
    conversation = await conversation_of_kiran(service)
    silenced = await patch(service, conversation, configuration={"statusCallbacks": []})
    assert silenced.json()["configuration"]["statusCallbacks"] == []
    back = await patch(service, conversation, configuration={"statusCallbacks": None})
    assert back.json()["configuration"] == conversation["configuration"]


@pytest.mark.parametrize(
    ("configuration", "pointer"),
    [
        ({"displayName": "Mine"}, "/configuration/displayName"),
        ({"statusCallbacks": [{"url": ONE}] * 21}, "/configuration/statusCallbacks"),
        ({"statusCallbacks": [{"url": "ftp://example.com"}]}, "/configuration/statusCallbacks/0/url"),
        ({"statusCallbacks": [{}]}, "/configuration/statusCallbacks/0/url"),
    ],
    ids=["another setting", "21 callbacks", "a wrong scheme", "no url"],
)
async def test_what_a_conversation_cannot_have_of_its_own(
    service: Service, configuration: dict[str, object], pointer: str
) -> None:
    conversation = await conversation_of_kiran(service)
    refused = await patch(service, conversation, configuration=configuration)
    assert refusal(refused, 400, 20001)["params"]["field"] == pointer
    assert await traffic.only_conversation(service) == conversation
