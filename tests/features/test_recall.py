"""Recall over HTTP: by a query, or the newest."""

from datetime import timedelta
from typing import Any

import pytest

from orchestrator.kernel.ids import CONVERSATION, PROFILE, new_id
from tests.support import traffic
from tests.support.app import Service
from tests.support.memories import (
    DOG,
    PARCEL,
    SHOP,
    TEA,
    contents,
    fetch,
    known_profile,
    note,
    observation,
    profile_path,
    recall,
    scores,
    summary,
)
from tests.support.memory import assert_refused, new_phone, new_profile, new_store


@pytest.fixture
async def store(service: Service) -> str:
    return await new_store(service)


@pytest.fixture
async def profile(service: Service, store: str) -> str:
    """The path of a profile."""
    return profile_path(store, await new_profile(service, store, phone=new_phone()))


@pytest.fixture
async def known(service: Service, store: str) -> str:
    """The path of a profile of which something is known."""
    return await known_profile(service, store)


async def test_nothing_is_known_of_somebody_new(service: Service, profile: str) -> None:
    for body in ({}, {"query": "tea"}, {"conversationId": new_id(CONVERSATION), "communicationsLimit": 5}):
        found = await recall(service, profile, **body)
        assert (found["observations"], found["summaries"], found["communications"]) == ([], [], [])
        assert 0 <= found["meta"]["queryTime"] <= 600_000


async def test_without_a_query_the_newest_come_first_and_have_no_score(service: Service, known: str) -> None:
    found = await recall(service, known, relevanceThreshold=1)
    assert contents(found["observations"]) == [PARCEL, SHOP, TEA, DOG]
    assert contents(found["summaries"]) == ["She asked for tea.", "The parcel came."]
    assert not any("score" in one for one in found["observations"] + found["summaries"])
    assert found["communications"] == []
    listed = (await fetch(service, f"{known}/Observations"))["observations"]
    assert found["observations"] == sorted(listed, key=lambda one: one["occurredAt"], reverse=True)
    assert sorted(contents((await fetch(service, f"{known}/ConversationSummaries"))["summaries"])) == sorted(
        contents(found["summaries"])
    )


async def test_newest_is_what_occurred_last_not_what_was_written_last(service: Service, profile: str) -> None:
    await note(service, profile, observation("late", occurredAt="2026-02-03T00:00:00Z"))
    await note(service, profile, observation("early", occurredAt="2026-02-01T00:00:00Z"))
    assert contents((await recall(service, profile))["observations"]) == ["late", "early"]


async def test_a_query_ranks_by_the_words_that_few_memories_have(service: Service, known: str) -> None:
    found = await recall(service, known, query="What is to be done with the PARCEL?")
    assert contents(found["observations"])[0] == PARCEL
    assert contents(found["summaries"]) == ["The parcel came.", "She asked for tea."]
    for memories in (found["observations"], found["summaries"]):
        ranked = scores(memories)
        assert ranked == sorted(ranked, reverse=True)
        assert all(0 <= one <= 1 for one in ranked)


async def test_the_score_is_one_for_all_the_words_and_nothing_for_none(service: Service, known: str) -> None:
    found = (await recall(service, known, query="tea morning"))["observations"]
    assert contents(found) == [TEA, PARCEL, SHOP, DOG]  # of the same score the newest first
    assert scores(found) == [1, 0, 0, 0]
    half = (await recall(service, known, query="morning unicorn", observationsLimit=1))["observations"]
    assert scores(half) == [0.5]


@pytest.mark.parametrize(("threshold", "kept"), [(0, 4), (0.000001, 1), (0.5, 1), (0.500001, 0), (1.0, 0)])
async def test_the_threshold_is_the_least_score(service: Service, known: str, threshold: float, kept: int) -> None:
    found = await recall(service, known, query="morning unicorn", relevanceThreshold=threshold, summariesLimit=0)
    assert len(found["observations"]) == kept


async def test_all_the_words_reach_the_highest_threshold(service: Service, known: str) -> None:
    found = await recall(service, known, query=TEA, relevanceThreshold=1)
    assert contents(found["observations"]) == [TEA]


@pytest.mark.parametrize(
    ("written", "query"),
    [
        ("Schätzt Grüße aus Österreich", "ÖSTERREICH"),
        ("Она любит чай", "ЧАЙ любит"),
        ("Αγαπά το τσάι", "ΤΣΆΙ"),
        ("تحب الشاي", "الشاي"),
        ("她喜欢茶\uff0c每天早上", "她早上喝茶吗\uff1f"),
        ("お茶が好きです。", "「お茶」"),
        ("L\u2019été, “the parcel” — «чай»…", "parcel чай été"),
        ("writes from kiran@example.com", "kiran@example.com"),
        ("order 4711-B is late", "where is 4711-B"),
        ("it's a well-known case", '"well-known" -case OR or & | ! <-> :* \\ \''),
    ],
)
async def test_words_of_every_language(service: Service, profile: str, written: str, query: str) -> None:
    await note(service, profile, observation("something else"), observation(written), observation("and more"))
    found = (await recall(service, profile, query=query))["observations"]
    assert contents(found)[0] == written
    assert scores(found)[0] > scores(found)[1]


@pytest.mark.parametrize("query", ["", "   ", "?!", "。¿…—", "'\"\\ & | ! ( ) :*", "\u202e"])
async def test_a_query_without_words_is_none(service: Service, known: str, query: str) -> None:
    found = await recall(service, known, query=query, relevanceThreshold=1)
    assert contents(found["observations"]) == [PARCEL, SHOP, TEA, DOG]
    assert "score" not in found["observations"][0]


async def test_limits(service: Service, profile: str) -> None:
    for _ in range(11):
        await service.api.post(f"{profile}/Observations", json={"observations": [observation()] * 10})
        await service.api.post(f"{profile}/ConversationSummaries", json={"summaries": [summary()] * 10})

    async def counts(**body: Any) -> tuple[int, int]:
        found = await recall(service, profile, **body)
        return len(found["observations"]), len(found["summaries"])

    for query in ({}, {"query": "tea"}):
        assert await counts(**query) == (20, 5)
        assert await counts(**query, observationsLimit=0) == (0, 5)
        assert await counts(**query, summariesLimit=0, observationsLimit=1) == (1, 0)
        assert await counts(**query, summariesLimit=100, observationsLimit=100) == (100, 100)
        assert await counts(**query, summariesLimit=None, observationsLimit=None) == (20, 5)


async def test_dates_count_when_it_occurred_the_end_excluded(service: Service, known: str) -> None:
    async def between(**body: Any) -> list[str]:
        return contents((await recall(service, known, **body))["observations"])

    for query in ({}, {"query": "tea"}):
        assert set(await between(**query, beginDate="2026-02-03T00:00:00Z")) == {SHOP, PARCEL}
        assert set(await between(**query, endDate="2026-02-03T00:00:00Z")) == {DOG, TEA}
        one_day = {"beginDate": "2026-02-02T01:00:00+01:00", "endDate": "2026-02-03T00:00:00Z"}
        assert await between(**query, **one_day) == [TEA]
        assert await between(**query, beginDate="2026-02-03T00:00:00Z", endDate="2026-02-01T00:00:00Z") == []
    assert (await recall(service, known, endDate="2026-02-03T09:15:04Z"))["summaries"] == []
    assert len((await recall(service, known, beginDate="2026-02-03T09:15:04Z"))["summaries"]) == 2


async def test_query_time_is_what_the_clock_says(
    service: Service, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = service.clock.now()

    async def took(**duration: float) -> int:
        times = iter([now, now, now + timedelta(**duration)])  # whose token it is, the unit, and at last the answer
        monkeypatch.setattr(service.clock, "now", lambda: next(times))
        found: int = (await recall(service, profile))["meta"]["queryTime"]
        return found

    await recall(service, profile)  # the account is remembered, which asks the clock once more
    assert await took(milliseconds=1234.5) == 1234
    assert await took(hours=1) == 600_000
    assert await took(seconds=-1) == 0


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"query": "x" * 1025}, "/query"),
        ({"query": 5}, "/query"),
        ({"query": "a\x00b"}, "/query"),
        ({"conversationId": ""}, "/conversationId"),
        ({"conversationId": "CH0123456789abcdef0123456789abcdef"}, "/conversationId"),
        ({"beginDate": "yesterday"}, "/beginDate"),
        ({"endDate": "2026-02-03"}, "/endDate"),
        ({"observationsLimit": -1}, "/observationsLimit"),
        ({"observationsLimit": 101}, "/observationsLimit"),
        ({"summariesLimit": 1.5}, "/summariesLimit"),
        ({"summariesLimit": "5"}, "/summariesLimit"),
        ({"communicationsLimit": True}, "/communicationsLimit"),
        (
            {"communicationsLimit": 101, "conversationId": "conv_conversation_01kgh3k9v2c8xq5r7t1w4y6z0a"},
            "/communicationsLimit",
        ),
        ({"communicationsLimit": 1}, "/communicationsLimit"),
        ({"communicationsLimit": 1, "query": "tea", "conversationId": None}, "/communicationsLimit"),
        ({"relevanceThreshold": 1.01}, "/relevanceThreshold"),
        ({"relevanceThreshold": -0.1}, "/relevanceThreshold"),
        ({"relevanceThreshold": "0.5"}, "/relevanceThreshold"),
        ([], "(body)"),
    ],
)
async def test_a_wrong_body_is_refused_by_pointer(service: Service, known: str, body: Any, pointer: str) -> None:
    response = await service.api.post(f"{known}/Recall", json=body)
    assert_refused(response, 400, 400, names=f"{pointer}:")


async def test_a_recall_writes_nothing(service: Service, known: str) -> None:
    before = await traffic.row_counts(service)
    await recall(service, known, query="tea")
    assert await traffic.row_counts(service) == before


async def test_others_memories_are_not_recalled(service: Service, store: str, known: str) -> None:
    other = profile_path(store, await new_profile(service, store, phone=new_phone()))
    assert (await recall(service, other, query="tea"))["observations"] == []
    assert (await recall(service, other))["summaries"] == []


async def test_what_is_not_there(service: Service, store: str, known: str) -> None:
    profile_id = known.rpartition("/")[2]
    for unknown in (new_id(PROFILE), "mem_profile_x", "a%00b"):
        response = await service.api.post(f"{profile_path(store, unknown)}/Recall", json={"query": "tea"})
        assert_refused(response, 404, 20404)
    response = await service.api.post(f"{profile_path('mem_store_x', profile_id)}/Recall", json={})
    assert_refused(response, 400, 520049)
    assert (await service.api.delete(f"/v1/ControlPlane/Stores/{store}")).status_code == 202
    assert_refused(await service.api.post(f"{known}/Recall", json={}), 404, 520041)


async def test_what_has_changed_is_recalled_as_it_is_now(service: Service, known: str) -> None:
    [found] = (await recall(service, known, query="postman", observationsLimit=1))["observations"]
    await service.api.patch(f"{known}/Observations/{found['id']}", json={"content": "Her cat is afraid of nobody."})
    assert scores((await recall(service, known, query="postman"))["observations"]) == [0] * 4
    assert contents((await recall(service, known, query="cat"))["observations"])[0] == "Her cat is afraid of nobody."
    await service.api.delete(f"{known}/Observations/{found['id']}")
    assert len((await recall(service, known, query="cat"))["observations"]) == 3
