"""Conversation summaries over HTTP: written, listed, changed, deleted."""

import json
from typing import Any

import pytest

from orchestrator.kernel.ids import CONVERSATION, PROFILE, SUMMARY, new_id
from tests.features.bodies import JSON
from tests.support import traffic
from tests.support.app import Service
from tests.support.lists import walk, walk_there_and_back
from tests.support.memories import OCCURRED, everything, fetch, profile_path, sum_up, summary
from tests.support.memory import assert_refused, new_phone, new_profile, new_store


@pytest.fixture
async def store(service: Service) -> str:
    return await new_store(service)


@pytest.fixture
async def profile(service: Service, store: str) -> str:
    """The path of a profile."""
    return profile_path(store, await new_profile(service, store, phone=new_phone()))


@pytest.fixture
async def path(service: Service, profile: str) -> str:
    """The path of a summary."""
    [made] = await sum_up(service, profile, summary())
    return f"{profile}/ConversationSummaries/{made}"


async def test_a_summary_is_kept_as_it_was_told(service: Service, profile: str) -> None:
    told = summary("Her parcel came, она рада", source="conversations")
    [made] = await sum_up(service, profile, told)
    assert made.startswith("mem_summary_")
    kept = await fetch(service, f"{profile}/ConversationSummaries/{made}")
    assert kept == {**told, "id": made, "createdAt": kept["createdAt"], "updatedAt": kept["createdAt"]}
    assert await everything(service, f"{profile}/ConversationSummaries") == [kept]


async def test_a_summary_without_a_source_shows_none(service: Service, path: str) -> None:
    assert "source" not in await fetch(service, path)


async def test_a_conversation_may_have_several(service: Service, profile: str) -> None:
    told = summary()
    assert len(set(await sum_up(service, profile, *[told] * 10))) == 10
    assert len(await sum_up(service, profile, told)) == 11


async def test_times_are_shown_in_utc_and_conversations_by_their_present_name(service: Service, profile: str) -> None:
    conversation_id = new_id(CONVERSATION)
    older = conversation_id.replace("conv_", "comms_")
    [made] = await sum_up(
        service, profile, summary(conversationId=older, occurredAt="2026-11-23T00:29:43.605205+00:00")
    )
    kept = await fetch(service, f"{profile}/ConversationSummaries/{made}")
    assert (kept["conversationId"], kept["occurredAt"]) == (conversation_id, "2026-11-23T00:29:43Z")


WRONG_FIELDS = [
    ({"content": ""}, "content"),
    ({"content": "x" * 4097}, "content"),
    ({"content": "\ud800"}, "content"),
    ({"conversationId": "CH0123456789abcdef0123456789abcdef"}, "conversationId"),
    ({"conversationId": "conv_conversation_01kgh3k9v2c8xq5r7t1w4y6z0a\n"}, "conversationId"),
    ({"conversationId": 5}, "conversationId"),
    ({"occurredAt": "2026-02-30T09:15:04Z"}, "occurredAt"),
    ({"occurredAt": "0999-02-03T09:15:04Z"}, "occurredAt"),
    ({"source": ""}, "source"),
    ({"source": "x" * 101}, "source"),
    ({"source": "<script>"}, "source"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG_FIELDS)
async def test_one_wrong_field_refuses_all(service: Service, path: str, changes: Any, field: str) -> None:
    before = await traffic.row_counts(service)
    body = {"summaries": [summary(), {**summary(), **changes}]}
    response = await service.api.post(path.rpartition("/")[0], content=json.dumps(body), headers=JSON)
    assert_refused(response, 400, 400, names=f"/summaries/1/{field}")
    changed = await service.api.patch(path, content=json.dumps(changes), headers=JSON)
    assert_refused(changed, 400, 400, names=f"/{field}")
    assert await traffic.row_counts(service) == before
    assert (await fetch(service, path))["content"] == "The parcel came"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/summaries"),
        ({"summaries": []}, "/summaries"),
        ({"summaries": [summary()] * 11}, "/summaries"),
        ({"summaries": [None]}, "/summaries/0"),
        ({"summaries": [summary(content=None)]}, "/summaries/0/content"),
        ({"summaries": [summary(conversationId=None)]}, "/summaries/0/conversationId"),
        ({"summaries": [summary(), summary(occurredAt=None)]}, "/summaries/1/occurredAt"),
        ({"summaries": [summary()], "observations": []}, "/observations"),
    ],
)
async def test_the_wrapper_is_closed_and_has_one_to_ten(
    service: Service, profile: str, body: Any, pointer: str
) -> None:
    before = await traffic.row_counts(service)
    response = await service.api.post(f"{profile}/ConversationSummaries", json=body)
    assert_refused(response, 400, 400, names=f"{pointer}:")
    assert await traffic.row_counts(service) == before


async def test_the_list_is_newest_first_and_pages_both_ways(service: Service, profile: str) -> None:
    made = await sum_up(service, profile, *(summary(f"number {number}") for number in range(7)))
    lists = f"{profile}/ConversationSummaries"
    assert await walk_there_and_back(service, lists, pageSize=3) == [made[:-4:-1], made[3:0:-1], made[:1]]
    assert await walk(service, lists, pagesize=4, orderby="asc") == [made[:4], made[4:]]


async def test_a_page_has_fifty_however_many_are_asked_for(service: Service, profile: str) -> None:
    for _ in range(6):
        await service.api.post(f"{profile}/ConversationSummaries", json={"summaries": [summary()] * 10})
    assert [len(ids) for ids in await walk(service, f"{profile}/ConversationSummaries", pageSize=1000)] == [50, 10]


async def test_the_list_is_filtered_by_conversation(service: Service, profile: str) -> None:
    conversation_id = new_id(CONVERSATION)
    made = await sum_up(
        service, profile, summary(conversationId=conversation_id), summary(), summary(conversationId=conversation_id)
    )
    lists = f"{profile}/ConversationSummaries"
    for name in (conversation_id, conversation_id.replace("conv_", "comms_")):
        assert await walk(service, lists, conversationId=name, pageSize=1) == [[made[2]], [made[0]]]
    assert await walk(service, lists, conversationId=new_id(CONVERSATION)) == [[]]
    response = await service.api.get(lists, params={"conversationId": "a\x00b"})
    assert_refused(response, 400, 400, names="conversationId")


@pytest.mark.parametrize(
    "changes",
    [
        {"content": "The parcel came late"},
        {"source": "another"},
        {"occurredAt": "2026-03-03T09:15:04Z"},
        {"conversationId": "conv_conversation_01kgh3k9v2c8xq5r7t1w4y6z0a"},
        {"content": "x", "source": "y", "occurredAt": "2026-03-03T09:15:04Z"},
    ],
)
async def test_a_patch_changes_what_it_names(service: Service, path: str, changes: dict[str, Any]) -> None:
    before = await fetch(service, path)
    service.clock.advance(minutes=5)
    response = await service.api.patch(path, json=changes)
    assert response.status_code == 202
    assert set(response.json()) == {"message"}
    after = await fetch(service, path)
    assert after == {**before, **changes, "updatedAt": after["updatedAt"]}
    assert after["updatedAt"] > before["updatedAt"]


@pytest.mark.parametrize("changes", [{}, {"content": None, "source": None}, {"content": "The parcel came"}])
async def test_a_patch_that_changes_nothing_leaves_it_as_it_is(service: Service, path: str, changes: Any) -> None:
    before = await fetch(service, path)
    service.clock.advance(minutes=5)
    assert (await service.api.patch(path, json=changes)).status_code == 202
    assert await fetch(service, path) == before


async def test_a_deleted_summary_is_gone(service: Service, path: str) -> None:
    response = await service.api.delete(path)
    assert response.status_code == 202
    assert set(response.json()) == {"message"}
    for answer in (
        await service.api.get(path),
        await service.api.patch(path, json={"content": "x"}),
        await service.api.delete(path),
    ):
        assert_refused(answer, 404, 20404, names=path.rpartition("/")[2])
    assert await everything(service, path.rpartition("/")[0]) == []


async def refusals(service: Service, profile: str, summary_id: str, status: int, code: int) -> None:
    """Every operation is refused alike."""
    one = f"{profile}/ConversationSummaries/{summary_id}"
    for answer in (
        await service.api.get(f"{profile}/ConversationSummaries"),
        await service.api.post(f"{profile}/ConversationSummaries", json={"summaries": [summary()]}),
        await service.api.get(one),
        await service.api.patch(one, json={"occurredAt": OCCURRED}),
        await service.api.delete(one),
    ):
        assert_refused(answer, status, code)


async def test_what_is_not_there(service: Service, store: str, path: str) -> None:
    profile_id, made = path.split("/")[5], path.rpartition("/")[2]
    before = await traffic.row_counts(service)
    for unknown in (new_id(PROFILE), "mem_profile_x"):
        await refusals(service, profile_path(store, unknown), made, 404, 20404)
    await refusals(service, profile_path("mem_store_x", profile_id), made, 400, 520049)
    await refusals(service, profile_path("mem_store_01kgh3k1w8fmkrxj2c5a9d7e6b", profile_id), made, 404, 520041)
    for unknown in (new_id(SUMMARY), "mem_summary_x", made.upper()):
        one = path.replace(made, unknown)
        assert_refused(await service.api.get(one), 404, 20404)
        assert_refused(await service.api.patch(one, json={"content": "x"}), 404, 20404)
        assert_refused(await service.api.delete(one), 404, 20404)
    assert await traffic.row_counts(service) == before


async def test_another_profiles_summary_is_not_there(service: Service, store: str, path: str) -> None:
    other = profile_path(store, await new_profile(service, store, phone=new_phone()))
    one = f"{other}/ConversationSummaries/{path.rpartition('/')[2]}"
    assert_refused(await service.api.get(one), 404, 20404)
    assert_refused(await service.api.patch(one, json={"content": "x"}), 404, 20404)
    assert_refused(await service.api.delete(one), 404, 20404)
    assert await everything(service, f"{other}/ConversationSummaries") == []
    assert (await fetch(service, path))["content"] == "The parcel came"


async def test_another_account_and_a_deleted_store_have_none(service: Service, store: str, path: str) -> None:
    profile, made = path.rpartition("/ConversationSummaries/")[::2]
    mine = service.api
    async with service.client(await service.new_account()) as service.api:
        await refusals(service, profile, made, 404, 520041)
    service.api = mine
    assert (await fetch(service, path))["content"] == "The parcel came"
    assert (await service.api.delete(f"/v1/ControlPlane/Stores/{store}")).status_code == 202
    await refusals(service, profile, made, 404, 520041)
