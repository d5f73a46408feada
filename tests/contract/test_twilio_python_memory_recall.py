"""The official Python SDK, unmodified but for where its requests go: observations, revisions, summaries, recall."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client
from twilio.rest.memory.v1.conversation_summary import ConversationSummaryList
from twilio.rest.memory.v1.observation import ObservationList
from twilio.rest.memory.v1.recall import RecallList

from orchestrator.kernel.ids import CONVERSATION, new_id
from tests.contract.test_twilio_python_memory import create_profile, create_store
from tests.support.sdk import Resources
from tests.support.traffic import KIRAN

OCCURRED = "2026-02-03T09:15:04Z"
CONVERSATION_ID = new_id(CONVERSATION)


@pytest.fixture
def memory(client: Client) -> tuple[str, str]:
    """A store and a profile of it."""
    store_id = create_store(client)
    return store_id, create_profile(client, store_id, phone=KIRAN)


@pytest.fixture
def observations(client: Client, memory: tuple[str, str]) -> Any:
    return client.memory.v1.observations(*memory)


@pytest.fixture
def summaries(client: Client, memory: tuple[str, str]) -> Any:
    return client.memory.v1.conversation_summaries(*memory)


def noted(*contents: str, **more: Any) -> Any:
    """A request to create observations."""
    told = [{"content": one, "source": "sdk", "occurredAt": OCCURRED, **more} for one in contents]
    return ObservationList.CreateObservationsRequest({"observations": told})


def told(*contents: str, **more: Any) -> Any:
    """A request to create summaries."""
    bodies = [{"content": one, "conversationId": CONVERSATION_ID, "occurredAt": OCCURRED, **more} for one in contents]
    return ConversationSummaryList.CreateSummariesRequest({"summaries": bodies})


def test_observations_are_created_listed_and_fetched(observations: Any) -> None:
    assert observations.create(noted("tea", "coffee", conversationIds=[CONVERSATION_ID])).message
    answer = observations.create_with_http_info(noted("water"))
    assert (answer.status_code, bool(answer.data.message)) == (202, True)
    listed = observations.list()
    assert [one.content for one in listed] == ["water", "coffee", "tea"]
    found = observations(listed[1].id).fetch()
    assert (found.id, found.content, found.source) == (listed[1].id, "coffee", "sdk")
    assert found.conversation_ids == [CONVERSATION_ID]
    assert found.occurred_at == datetime(2026, 2, 3, 9, 15, 4, tzinfo=UTC)
    assert isinstance(found.created_at, datetime)
    assert found.created_at == found.updated_at
    assert observations.get(found.id).fetch_with_http_info().data.content == "coffee"


def test_encodings_that_the_sdk_only_names(observations: Any, summaries: Any) -> None:
    """It sends the header and leaves the body as it is."""
    observations.create(noted("tea"), accept_encoding="gzip", content_encoding="gzip")
    summaries.create(told("The parcel came"), accept_encoding="gzip, br", content_encoding="deflate")
    assert [one.content for one in observations.list(accept_encoding="gzip, deflate, br")] == ["tea"]
    assert [one.content for one in summaries.list(accept_encoding="gzip, deflate, br")] == ["The parcel came"]


def ways_to_list(resource: Any) -> list[Callable[..., list[Any]]]:
    """Every plain way to read a list to its end, or its first page."""
    return [
        resource.list,
        lambda **given: list(resource.stream(**given)),
        lambda **given: resource.list_with_http_info(**given).data,
        lambda **given: list(resource.stream_with_http_info(**given)[0]),
    ]


@pytest.mark.parametrize("way", range(4))
def test_lists_are_read_to_their_end_with_their_filters(observations: Any, summaries: Any, way: int) -> None:
    for number in range(6):
        observations.create(noted(*[f"{number}"] * 10, conversationIds=[CONVERSATION_ID] * (number % 2)))
        summaries.create(told(*[f"{number}"] * 10))
    read = ways_to_list(observations)[way]
    assert len(read()) == 60
    assert len(read(limit=55)) == 55  # asks for pages of 55, and gets fifty
    assert [one.content for one in read(order_by="ASC", limit=11, page_size=4)] == ["0"] * 10 + ["1"]
    assert {one.content for one in read(conversation_id=CONVERSATION_ID, page_size=7)} == {"1", "3", "5"}
    assert read(source="another") == []
    assert read(created_after=datetime(2999, 1, 1, tzinfo=UTC)) == []
    assert len(read(created_before=datetime(2999, 1, 1, tzinfo=UTC), source="sdk", page_size=25)) == 60
    read = ways_to_list(summaries)[way]
    assert len(read(limit=55)) == 55
    assert len(read(conversation_id=CONVERSATION_ID, page_size=25)) == 60
    assert read(conversation_id=new_id(CONVERSATION)) == []


def test_pages_go_both_ways(observations: Any, summaries: Any) -> None:
    for resource, request in ((observations, noted("a", "b", "c")), (summaries, told("a", "b", "c"))):
        resource.create(request)
        page = resource.page(page_size=2)
        assert [one.content for one in page] == ["c", "b"]
        following = page.next_page()
        assert [one.content for one in following] == ["a"]
        assert following.next_token is None
        again = resource.page(page_token=following.previous_token)
        assert [one.content for one in again] == ["c", "b"]
        first = resource.page_with_http_info(page_size=2)
        assert first.status_code == 200
        assert [one.content for one in first.data] == ["c", "b"]


def test_an_observation_is_patched_with_its_revisions_and_deleted(
    client: Client, memory: tuple[str, str], observations: Any
) -> None:
    observations.create(noted("tea"))
    [made] = observations.list()
    change = ObservationList.ObservationBase({"content": "coffee"})
    assert observations(made.id).patch(change).message
    assert observations(made.id).fetch().patch(ObservationList.ObservationBase({"source": "another"})).message
    answer = observations(made.id).patch_with_http_info(
        ObservationList.ObservationBase({"conversationIds": [CONVERSATION_ID]})
    )
    assert answer.status_code == 202
    states = [
        ("coffee", "another", [CONVERSATION_ID]),
        ("coffee", "another", []),
        ("coffee", "sdk", []),
        ("tea", "sdk", []),
    ]
    revisions = client.memory.v1.revisions(*memory, made.id)
    for way in ways_to_list(revisions):
        for given in ({}, {"page_size": 1}, {"accept_encoding": "gzip"}):
            found = way(**given)
            assert [(one.content, one.source, one.conversation_ids) for one in found] == states
            assert {one.id for one in found} == {made.id}
            assert {one.created_at for one in found} == {made.created_at}
    assert [one.content for one in revisions.page(page_size=2)] == ["coffee", "coffee"]
    assert revisions.page_with_http_info(page_size=2).status_code == 200
    assert observations(made.id).delete()
    with pytest.raises(TwilioRestException) as gone:
        observations(made.id).fetch()
    assert (gone.value.status, gone.value.code) == (404, 20404)


def test_what_is_fetched_can_be_deleted(observations: Any, summaries: Any) -> None:
    for resource, request in ((observations, noted("a", "b", "c")), (summaries, told("a", "b", "c"))):
        resource.create(request)
        first, second, third = resource.list()
        assert resource(first.id).fetch().delete()
        assert resource(second.id).delete_with_http_info().status_code == 202
        assert resource(third.id).fetch().delete_with_http_info().status_code == 202
        assert resource.list() == []


def test_summaries_are_created_fetched_and_patched(summaries: Any) -> None:
    assert summaries.create(told("The parcel came", source="sdk")).message
    answer = summaries.create_with_http_info(told("It was late"))
    assert (answer.status_code, bool(answer.data.message)) == (202, True)
    late, came = summaries.list()
    found = summaries(came.id).fetch()
    assert (found.content, found.source, found.conversation_id) == ("The parcel came", "sdk", CONVERSATION_ID)
    assert found.occurred_at == datetime(2026, 2, 3, 9, 15, 4, tzinfo=UTC)
    assert summaries.get(late.id).fetch_with_http_info().data.source is None
    change = ConversationSummaryList.SummaryCorePatch({"content": "It was early", "source": "another"})
    assert summaries(late.id).patch(change).message
    assert summaries(late.id).patch_with_http_info(change).status_code == 202
    assert summaries(late.id).fetch().patch(ConversationSummaryList.SummaryCorePatch({"occurredAt": OCCURRED})).message
    found = summaries(late.id).fetch()
    assert (found.content, found.source, found.conversation_id) == ("It was early", "another", CONVERSATION_ID)


def test_memories_are_recalled(client: Client, memory: tuple[str, str], observations: Any, summaries: Any) -> None:
    observations.create(noted("likes tea", "has a dog"))
    summaries.create(told("The parcel came"))
    recall = client.memory.v1.recall(*memory)
    request = RecallList.MemoryRetrievalRequest
    ranked = recall.create(request({"query": "tea", "observationsLimit": 1, "relevanceThreshold": 0.5}))
    assert [(one["content"], one["score"]) for one in ranked.observations] == [("likes tea", 1)]
    assert ranked.summaries == ranked.communications == []
    assert isinstance(ranked.meta["queryTime"], int)
    newest = recall.create_with_http_info(request({}), accept_encoding="gzip", content_encoding="gzip")
    assert newest.status_code == 200
    assert [one["content"] for one in newest.data.observations] == ["has a dog", "likes tea"]
    assert [one["content"] for one in newest.data.summaries] == ["The parcel came"]
    dated = recall.create(request({"beginDate": "2026-02-04T00:00:00Z", "endDate": "2026-02-05T00:00:00Z"}))
    assert dated.observations == dated.summaries == []


def test_a_conversation_is_recalled(client: Client, memory: tuple[str, str], observations: Any) -> None:
    resources = Resources(client)
    resources.make("communications")
    observations.create(noted("waits for a parcel", "likes tea"))
    body = {"conversationId": resources.conversation_id, "communicationsLimit": 5, "observationsLimit": 1}
    found = client.memory.v1.recall(*memory).create(RecallList.MemoryRetrievalRequest(body))
    assert [one["content"] for one in found.observations] == ["waits for a parcel"]
    assert [one["content"] for one in found.communications] == [{"text": "hello"}, {"text": "my parcel?"}]
    assert [one["id"] for one in found.communications] == resources.communications
    customer, agent = resources.participants
    for one in found.communications:
        assert (one["author"]["id"], one["author"]["name"], one["author"]["type"]) == (customer, KIRAN, "CUSTOMER")
        assert [each["id"] for each in one["recipients"]] == [agent]


def test_refusals_are_the_exceptions_that_users_catch(
    client: Client, memory: tuple[str, str], observations: Any
) -> None:
    with pytest.raises(TwilioRestException) as wrong:
        observations.create(noted("tea", source="it's"))
    assert (wrong.value.status, wrong.value.code) == (400, 400)
    assert "/observations/0/source" in wrong.value.msg
    with pytest.raises(TwilioRestException) as alone:
        client.memory.v1.recall(*memory).create(RecallList.MemoryRetrievalRequest({"communicationsLimit": 5}))
    assert (alone.value.status, "/communicationsLimit" in alone.value.msg) == (400, True)
    with pytest.raises(TwilioRestException) as packed:
        observations.create(noted("tea"), content_encoding="br")
    assert packed.value.status == 415
