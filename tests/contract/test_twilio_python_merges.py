"""The official SDKs and profiles that are merged into another: neither follows redirects, in Python or in Node."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.rest import Client
from twilio.rest.memory.v1.conversation_summary import ConversationSummaryList
from twilio.rest.memory.v1.identifier import IdentifierList
from twilio.rest.memory.v1.lookup import LookupList
from twilio.rest.memory.v1.observation import ObservationList
from twilio.rest.memory.v1.profile import ProfileList
from twilio.rest.memory.v1.recall import RecallList

from tests.contract.memory_cases import CASES, noted, person, summed_up
from tests.support.app import test_settings
from tests.support.node import Node, NodeClient, NodeError
from tests.support.sdk_memory import Memories
from tests.support.server import sdk_client, serving

CANONICAL = "Canonical-Profile-Id"


def linked(memories: Memories) -> str:
    """Add the other person's number to the person, so that both are one; the id that the other had."""
    first, second = memories.profiles
    resource = memories.v1.observations(memories.store_id, second)
    resource.create(ObservationList.CreateObservationsRequest(noted(memories)))
    added = IdentifierList.Identifier({"idType": "phone", "value": memories.other_phone})
    assert memories.v1.identifiers(memories.store_id, first).create(added).message
    return second


@pytest.fixture
def merged(written: Memories) -> Memories:
    """A person as two profiles, of which the second is now part of the first."""
    memories = written.for_another()
    linked(memories)
    return memories


@pytest.fixture
def at_server_that_serves(merged: Memories, database_url: str) -> Iterator[Client]:
    """The SDK at a server that serves merged profiles in place."""
    with (
        serving(test_settings(database_url, public_url=None, merged_profile_reads="serve")) as origin,
        sdk_client(origin, merged.account.account_id, merged.account.auth_token) as client,
    ):
        yield client


def looked_up(memories: Memories, phone: str) -> Any:
    request = LookupList.Identifier({"idType": "phone", "value": phone})
    return memories.v1.lookup(memories.store_id).create(request).profiles


def test_two_profiles_become_one(merged: Memories) -> None:
    survivor, _ = merged.profiles
    assert looked_up(merged, merged.phone) == looked_up(merged, merged.other_phone) == [survivor]
    assert merged.values == {"phone": [merged.phone, merged.other_phone]}
    assert merged.remembered == ["reads"]
    assert merged.profiles[1] not in merged.v1.profiles(merged.store_id).list()


def other_and_email(memories: Memories, email: str) -> dict[str, Any]:
    return {"traits": {"Contact": {"phone": memories.other_phone, "email": email}}}


def made_together(memories: Memories, profiles: Any, email: str) -> Any:
    profiles.create(ProfileList.ProfileData({"traits": {"Contact": {"phone": memories.phone, "email": email}}}))
    return profiles.create(ProfileList.ProfileData(other_and_email(memories, email))).id


def patched(memories: Memories, profiles: Any, email: str) -> Any:
    profiles.create(ProfileList.ProfileData({"traits": {"Contact": {"phone": memories.phone, "email": email}}}))
    profiles(memories.profiles[1]).patch(ProfileList.ProfilePatch({"traits": {"Contact": {"email": email}}}))
    return looked_up(memories, memories.other_phone)[0]


def replaced(memories: Memories, _: Any, __: str) -> Any:
    change = {"idType": "phone", "oldValue": memories.other_phone, "newValue": memories.phone}
    identifiers = memories.v1.identifiers(memories.store_id, memories.profiles[1])
    identifiers("phone").patch(IdentifierList.IdentifierUpdate(change))
    return memories.v1.profiles(memories.store_id).list()[0]


@pytest.mark.parametrize("way", [made_together, patched, replaced])
def test_each_way_to_share_a_value_merges(written: Memories, way: Callable[[Memories, Any, str], Any]) -> None:
    memories = written.for_another()
    survivor, gone = memories.profiles
    assert way(memories, memories.v1.profiles(memories.store_id), f"{survivor}@example.com") == survivor
    assert gone not in memories.v1.profiles(memories.store_id).list()


def test_reads_are_answered_with_a_redirect_that_the_sdk_takes_for_the_resource(merged: Memories) -> None:
    survivor, gone = merged.profiles
    answer = merged.v1.profiles(merged.store_id, gone).fetch_with_http_info()
    headers = CaseInsensitiveDict(answer.headers)
    assert (answer.status_code, headers[CANONICAL]) == (301, survivor)
    assert headers["Location"].endswith(f"/Profiles/{survivor}")
    assert (answer.data.id, answer.data.traits, answer.data.created_at) == (None, None, None)
    assert survivor in answer.data.message
    assert merged.v1.identifiers(merged.store_id, gone)("phone").fetch().values is None
    for resource in (merged.v1.observations, merged.v1.conversation_summaries, merged.v1.traits):
        with pytest.raises(TwilioException, match="HTTP 301"):
            resource(merged.store_id, gone).list()
    [observation] = merged.v1.observations(merged.store_id, survivor).list()
    found = merged.v1.observations(merged.store_id, gone)(observation.id)  # one by one they are served
    assert found.fetch().content == "reads"
    assert len(merged.v1.revisions(merged.store_id, gone, observation.id).list()) == 1
    with pytest.raises(KeyError, match="identifiers"):
        merged.v1.identifiers(merged.store_id, gone).list()
    assert merged.v1.profiles(merged.store_id, headers[CANONICAL]).fetch().id == survivor


WRITES: dict[str, Callable[[Memories, Any, tuple[str, str]], Any]] = {
    "patch": lambda made, v1, of: v1.profiles(*of).patch(ProfileList.ProfilePatch(person(made))),
    "identifier": lambda made, v1, of: v1.identifiers(*of).create(
        IdentifierList.Identifier({"idType": "phone", "value": made.phone})
    ),
    "observations": lambda made, v1, of: v1.observations(*of).create(
        ObservationList.CreateObservationsRequest(noted(made))
    ),
    "summaries": lambda made, v1, of: v1.conversation_summaries(*of).create(
        ConversationSummaryList.CreateSummariesRequest(summed_up(made))
    ),
    "recall": lambda _, v1, of: v1.recall(*of).create(RecallList.MemoryRetrievalRequest({})),
    "remove": lambda _, v1, of: v1.identifiers(*of)("phone").delete(),
    "delete": lambda _, v1, of: v1.profiles(*of).delete(),
}


def test_writes_are_exceptions(merged: Memories) -> None:
    survivor, gone = merged.profiles
    for write in WRITES.values():
        with pytest.raises(TwilioRestException) as moved:
            write(merged, merged.v1, (merged.store_id, gone))
        assert moved.value.status == 308
        assert survivor in moved.value.msg
    assert merged.remembered == ["reads"]


def test_reads_can_be_served(merged: Memories, at_server_that_serves: Client) -> None:
    survivor, gone = merged.profiles
    v1, of = at_server_that_serves.memory.v1, (merged.store_id, gone)
    answer = v1.profiles(*of).fetch_with_http_info()
    assert (answer.status_code, CaseInsensitiveDict(answer.headers)[CANONICAL]) == (200, survivor)
    assert (answer.data.id, answer.data.traits) == (survivor, merged.profile.traits)
    listed = v1.observations(*of).list_with_http_info()
    assert CaseInsensitiveDict(listed.headers)[CANONICAL] == survivor
    assert [one.content for one in listed.data] == ["reads"]
    assert v1.conversation_summaries(*of).list() == []
    assert {one.name for one in v1.traits(*of).list()} == {"phone", "firstName"}
    assert v1.identifiers(*of)("phone").fetch().values == [merged.phone, merged.other_phone]
    assert [one.id_type for one in v1.identifiers(*of).list()] == ["phone"]
    assert CANONICAL not in CaseInsensitiveDict(v1.profiles(merged.store_id, survivor).fetch_with_http_info().headers)
    recalled = v1.recall(*of).create(RecallList.MemoryRetrievalRequest({}))
    assert [one["content"] for one in recalled.observations] == ["reads"]
    with pytest.raises(TwilioRestException) as moved:
        WRITES["observations"](merged, v1, of)
    assert moved.value.status == 308


def test_node_does_as_python_does(merged: Memories, node: Node, origin: str) -> None:
    survivor, gone = merged.profiles
    client = NodeClient(node, origin, merged.account, ("memory", "v1"))
    found = client("profiles", [merged.store_id, gone], "fetchWithHttpInfo", [])
    assert (found["statusCode"], found["headers"][CANONICAL.lower()]) == (301, survivor)
    assert "id" not in found["body"]
    with pytest.raises(NodeError):
        client("observations", [merged.store_id, gone], "list", [])
    assert client.answered == [301]
    with pytest.raises(NodeError) as moved:
        client("observations", [merged.store_id, gone], "create", [CASES["observations", "create"].body(merged)])
    assert moved.value.status == 308
