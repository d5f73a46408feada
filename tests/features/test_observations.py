"""Observations over HTTP: written, read, refused."""

from typing import Any

import pytest

from orchestrator.kernel.ids import CONVERSATION, OBSERVATION, PROFILE, new_id
from tests.support import traffic
from tests.support.app import Service
from tests.support.memories import OCCURRED, everything, fetch, note, observation, profile_path, sum_up, summary
from tests.support.memory import assert_refused, new_phone, new_profile, new_store

TEA, COFFEE = observation(), observation("Likes coffee better")


@pytest.fixture
async def store(service: Service) -> str:
    return await new_store(service)


@pytest.fixture
async def profile(service: Service, store: str) -> str:
    """The path of a profile."""
    return profile_path(store, await new_profile(service, store, phone=new_phone()))


@pytest.fixture
async def path(service: Service, profile: str) -> str:
    """The path of an observation."""
    [made] = await note(service, profile, TEA)
    return f"{profile}/Observations/{made}"


async def test_an_observation_is_kept_as_it_was_told(service: Service, profile: str) -> None:
    conversation_id = new_id(CONVERSATION)
    told = observation("Schätzt 緑茶", source="my tool/v1.2 _-", conversationIds=[conversation_id])
    [made] = await note(service, profile, told)
    assert made.startswith("mem_observation_")
    kept = await fetch(service, f"{profile}/Observations/{made}")
    assert kept == {**told, "id": made, "createdAt": kept["createdAt"], "updatedAt": kept["createdAt"]}
    assert await everything(service, f"{profile}/Observations") == [kept]


async def test_without_conversations_there_is_an_empty_list(service: Service, path: str) -> None:
    assert (await fetch(service, path))["conversationIds"] == []


async def test_ten_at_once_and_no_observation_is_merged_with_another(service: Service, profile: str) -> None:
    made = await note(service, profile, *[TEA] * 10)
    assert len(set(made)) == 10
    assert len(await note(service, profile, TEA)) == 11


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2026-11-23T00:29:43.605205+00:00", "2026-11-23T00:29:43Z"),  # as TAC writes it; it drops what is so long
        ("2026-11-23T02:29:43+05:30", "2026-11-22T20:59:43Z"),
        ("1999-12-31T23:59:59.9Z", "1999-12-31T23:59:59Z"),
    ],
)
async def test_times_are_shown_in_utc(service: Service, profile: str, written: str, shown: str) -> None:
    [made] = await note(service, profile, observation(occurredAt=written))
    assert (await fetch(service, f"{profile}/Observations/{made}"))["occurredAt"] == shown


async def test_a_conversation_is_known_by_whatever_product_names_it(service: Service, profile: str) -> None:
    conversation_id = new_id(CONVERSATION)
    older = conversation_id.replace("conv_", "comms_")
    [made] = await note(service, profile, observation(conversationIds=[older]))
    assert (await fetch(service, f"{profile}/Observations/{made}"))["conversationIds"] == [conversation_id]
    for name in (conversation_id, older):
        assert len(await everything(service, f"{profile}/Observations", conversationId=name)) == 1


WRONG_FIELDS = [
    ({"content": ""}, "content"),
    ({"content": "x" * 4097}, "content"),
    ({"content": "a\x00b"}, "content"),
    ({"content": 5}, "content"),
    ({"source": ""}, "source"),
    ({"source": "x" * 101}, "source"),
    ({"source": "quotes'"}, "source"),
    ({"source": "two\nlines"}, "source"),
    ({"source": "line\n"}, "source"),
    ({"occurredAt": "yesterday"}, "occurredAt"),
    ({"occurredAt": "2026-02-03T09:15:04"}, "occurredAt"),
    ({"occurredAt": 1770110104}, "occurredAt"),
    ({"conversationIds": "conv_conversation_01kgh3k9v2c8xq5r7t1w4y6z0a"}, "conversationIds"),
    ({"conversationIds": ["conv_participant_01kgh3k9v2c8xq5r7t1w4y6z0a"]}, "conversationIds/0"),
    ({"conversationIds": ["conv_conversation_1"]}, "conversationIds/0"),
    ({"conversationIds": [None]}, "conversationIds/0"),
    ({"conversationIds": ["conv_conversation_01kgh3k9v2c8xq5r7t1w4y6z0a"] * 11}, "conversationIds"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG_FIELDS)
async def test_one_wrong_field_refuses_all(service: Service, path: str, changes: Any, field: str) -> None:
    before = await traffic.row_counts(service)
    body = {"observations": [TEA, {**COFFEE, **changes}]}
    response = await service.api.post(path.rpartition("/")[0], json=body)
    assert_refused(response, 400, 400, names=f"/observations/1/{field}")
    changed = await service.api.patch(path, json=changes)
    assert_refused(changed, 400, 400, names=f"/{field}")
    assert await traffic.row_counts(service) == before
    assert (await fetch(service, path))["content"] == TEA["content"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/observations"),
        ({"observations": None}, "/observations"),
        ({"observations": []}, "/observations"),
        ({"observations": [TEA] * 11}, "/observations"),
        ({"observations": TEA}, "/observations"),
        ({"observations": ["Likes tea"]}, "/observations/0"),
        ({"observations": [{"content": "x", "source": "x"}]}, "/observations/0/occurredAt"),
        ({"observations": [{"content": "x", "occurredAt": OCCURRED}]}, "/observations/0/source"),
        ({"observations": [{"source": "x", "occurredAt": OCCURRED}]}, "/observations/0/content"),
        ({"observations": [observation(), {**TEA, "content": None}]}, "/observations/1/content"),
        ({"observations": [TEA], "message": "x"}, "/message"),
        ([TEA], "(body)"),
    ],
)
async def test_the_wrapper_is_closed_and_has_one_to_ten(
    service: Service, profile: str, body: Any, pointer: str
) -> None:
    before = await traffic.row_counts(service)
    response = await service.api.post(f"{profile}/Observations", json=body)
    assert_refused(response, 400, 400, names=f"{pointer}:")
    assert await traffic.row_counts(service) == before


async def test_unknown_members_of_an_observation_are_ignored(service: Service, profile: str) -> None:
    [made] = await note(service, profile, {**TEA, "mood": "good", "conversationIds": None})
    assert "mood" not in await fetch(service, f"{profile}/Observations/{made}")


async def refusals(service: Service, profile: str, observation_id: str, status: int, code: int) -> None:
    """Every operation is refused alike."""
    one = f"{profile}/Observations/{observation_id}"
    for answer in (
        await service.api.get(f"{profile}/Observations"),
        await service.api.post(f"{profile}/Observations", json={"observations": [TEA]}),
        await service.api.get(one),
        await service.api.patch(one, json={"content": "x"}),
        await service.api.delete(one),
        await service.api.get(f"{one}/Revisions"),
    ):
        assert_refused(answer, status, code)


async def test_what_is_not_there(service: Service, store: str, path: str) -> None:
    made = path.rpartition("/")[2]
    before = await traffic.row_counts(service)
    for profile_id in (new_id(PROFILE), "mem_profile_x", "Lookup"):
        await refusals(service, profile_path(store, profile_id), made, 404, 20404)
    profile_id = path.split("/")[5]
    await refusals(service, profile_path("mem_store_x", profile_id), made, 400, 520049)
    await refusals(service, profile_path("mem_store_01kgh3k1w8fmkrxj2c5a9d7e6b", profile_id), made, 404, 520041)
    for unknown in (new_id(OBSERVATION), "mem_observation_x", made.upper(), "a%00b"):
        one = path.replace(made, unknown)
        assert_refused(await service.api.get(one), 404, 20404)
        assert_refused(await service.api.patch(one, json={"content": "x"}), 404, 20404)
        assert_refused(await service.api.delete(one), 404, 20404)
        assert_refused(await service.api.get(f"{one}/Revisions"), 404, 20404)
    assert await traffic.row_counts(service) == before


async def test_another_profiles_observation_is_not_there(service: Service, store: str, path: str) -> None:
    other = profile_path(store, await new_profile(service, store, phone=new_phone()))
    one = f"{other}/Observations/{path.rpartition('/')[2]}"
    assert_refused(await service.api.get(one), 404, 20404)
    assert_refused(await service.api.patch(one, json={"content": "x"}), 404, 20404)
    assert_refused(await service.api.delete(one), 404, 20404)
    assert_refused(await service.api.get(f"{one}/Revisions"), 404, 20404)
    assert await everything(service, f"{other}/Observations") == []
    assert (await fetch(service, path))["content"] == "Likes tea"


async def test_another_account_sees_nothing(service: Service, path: str) -> None:
    profile, made = path.rpartition("/Observations/")[::2]
    mine = service.api
    async with service.client(await service.new_account()) as service.api:
        await refusals(service, profile, made, 404, 520041)
    service.api = mine
    assert (await fetch(service, path))["content"] == "Likes tea"


async def rows_of_memories(service: Service, store: str) -> int:
    """How many rows the store has of observations, revisions and summaries."""
    tables = ("observations", "observation_revisions", "conversation_summaries")
    return sum([len(await service.fetch(f"select 1 from {one} where store_id = $1", store)) for one in tables])


@pytest.mark.parametrize("path_of", ["/v1/ControlPlane/Stores/{store}", "{profile}"])
async def test_a_deleted_store_or_profile_has_none(service: Service, store: str, path: str, path_of: str) -> None:
    profile, made = path.rpartition("/Observations/")[::2]
    await service.api.patch(path, json={"content": "x"})
    await sum_up(service, profile, summary())
    assert await rows_of_memories(service, store) == 4
    assert (await service.api.delete(path_of.format(store=store, profile=profile))).status_code == 202
    assert await rows_of_memories(service, store) == 0
    await refusals(service, profile, made, 404, 20404 if path_of == "{profile}" else 520041)
