"""Observations that change over HTTP, and the revisions that this makes."""

import asyncio
from typing import Any

import pytest

from orchestrator.kernel.ids import CONVERSATION, new_id
from orchestrator.memory import observations
from orchestrator.memory.stores import serving_store
from tests.support.app import Service
from tests.support.lists import page
from tests.support.memories import fetch, note, observation, profile_path
from tests.support.memory import assert_refused, new_phone, new_profile, new_store, until_somebody_waits_for

TEA = observation()


@pytest.fixture
async def store(service: Service) -> str:
    return await new_store(service)


@pytest.fixture
async def path(service: Service, store: str) -> str:
    """The path of an observation."""
    profile = profile_path(store, await new_profile(service, store, phone=new_phone()))
    [made] = await note(service, profile, TEA)
    return f"{profile}/Observations/{made}"


@pytest.mark.parametrize(
    "changes",
    [
        {"content": "Likes coffee"},
        {"source": "another"},
        {"occurredAt": "2026-03-03T09:15:04Z"},
        {"conversationIds": ["conv_conversation_01kgh3k9v2c8xq5r7t1w4y6z0a"]},
        {"content": "x", "source": "y", "occurredAt": "2026-03-03T09:15:04Z", "conversationIds": []},
    ],
)
async def test_a_patch_changes_what_it_names_and_keeps_what_was(
    service: Service, path: str, changes: dict[str, Any]
) -> None:
    before = await fetch(service, path)
    service.clock.advance(minutes=5)
    response = await service.api.patch(path, json=changes)
    assert response.status_code == 202
    assert set(response.json()) == {"message"}
    after = await fetch(service, path)
    assert after == {**before, **changes, "updatedAt": after["updatedAt"]}
    assert after["updatedAt"] > before["updatedAt"]
    revisions = await fetch(service, f"{path}/Revisions")
    assert revisions == {"revisions": [after, before], "meta": {"key": "revisions", "pageSize": 2}}


@pytest.mark.parametrize(
    "changes", [{}, {"content": None, "source": None, "conversationIds": None}, TEA, {"unknown": "member"}]
)
async def test_a_patch_that_changes_nothing_makes_no_revision(service: Service, path: str, changes: Any) -> None:
    before = await fetch(service, path)
    service.clock.advance(minutes=5)
    assert (await service.api.patch(path, json=changes)).status_code == 202
    assert await fetch(service, path) == before
    assert (await fetch(service, f"{path}/Revisions"))["revisions"] == [before]


async def test_conversations_are_replaced_and_removed(service: Service, path: str) -> None:
    one, two = new_id(CONVERSATION), new_id(CONVERSATION)
    for ids in ([one], [two, one], []):
        await service.api.patch(path, json={"conversationIds": ids})
        assert (await fetch(service, path))["conversationIds"] == ids


async def test_revisions_are_paged_the_newest_first(service: Service, path: str) -> None:
    for number in range(60):
        await service.api.patch(path, json={"content": f"state {number}"})
    response = await service.api.get(f"{path}/Revisions", params={"pageSize": 1000})
    contents = [one["content"] for one in response.json()["revisions"]]
    assert contents == [f"state {number}" for number in range(59, 9, -1)]
    token = response.json()["meta"]["nextToken"]
    rest = (await service.api.get(f"{path}/Revisions", params={"pageToken": token})).json()
    assert [one["content"] for one in rest["revisions"]] == [*(f"state {n}" for n in range(9, -1, -1)), "Likes tea"]
    assert "nextToken" not in rest["meta"]


async def test_revisions_are_in_order_also_where_the_clock_stands_still(service: Service, path: str) -> None:
    service.clock.advance(minutes=-5)
    for content in ("one", "two", "three"):
        await service.api.patch(path, json={"content": content})
    found = (await fetch(service, f"{path}/Revisions"))["revisions"]
    assert [one["content"] for one in found] == ["three", "two", "one", "Likes tea"]
    assert (await fetch(service, path))["content"] == "three"


async def test_concurrent_patches_are_each_a_revision(service: Service, store: str, path: str) -> None:
    profile_id, observation_id = path.split("/")[5], path.rpartition("/")[2]
    async with service.units.begin() as unit:
        held = await serving_store(unit, service.account.account_id, store, writing=True)
        await observations.revise(unit, held, profile_id, observation_id, {"content": "first"})
        another = asyncio.create_task(service.api.patch(path, json={"source": "second"}))
        await until_somebody_waits_for(unit)
    assert (await another).status_code == 202
    states = [(one["content"], one["source"]) for one in (await fetch(service, f"{path}/Revisions"))["revisions"]]
    assert states == [("first", "second"), ("first", "test"), ("Likes tea", "test")]


async def test_a_deleted_observation_is_gone_with_its_revisions(service: Service, path: str) -> None:
    await service.api.patch(path, json={"content": "Likes coffee"})
    response = await service.api.delete(path)
    assert response.status_code == 202
    assert set(response.json()) == {"message"}
    for answer in (
        await service.api.get(path),
        await service.api.patch(path, json={"content": "x"}),
        await service.api.get(f"{path}/Revisions"),
        await service.api.delete(path),
    ):
        assert_refused(answer, 404, 20404, names=path.rpartition("/")[2])
    gone = path.rpartition("/")[2]
    assert await service.fetch("select 1 from observation_revisions where observation_id = $1", gone) == []
    assert (await page(service, path.rpartition("/")[0]))[0] == []
