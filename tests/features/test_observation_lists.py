"""Lists of observations over HTTP: their order, their pages, their filters."""

import base64

import orjson
import pytest

from orchestrator.kernel.ids import CONVERSATION, new_id
from tests.support.app import Service
from tests.support.lists import walk, walk_there_and_back
from tests.support.memories import everything, note, observation, profile_path
from tests.support.memory import assert_refused, new_phone, new_profile, new_store

TEA = observation()


@pytest.fixture
async def profile(service: Service) -> str:
    """The path of a profile."""
    store = await new_store(service)
    return profile_path(store, await new_profile(service, store, phone=new_phone()))


async def test_the_list_is_newest_first_and_pages_both_ways(service: Service, profile: str) -> None:
    for number in range(7):
        await note(service, profile, observation(f"number {number}"))
        service.clock.advance(seconds=1)
    made = [one["id"] for one in await everything(service, f"{profile}/Observations")]
    pages = await walk_there_and_back(service, f"{profile}/Observations", pageSize=3)
    assert pages == [made[:-4:-1], made[3:0:-1], made[:1]]
    assert await walk(service, f"{profile}/Observations", PageSize=4, orderBy="ASC") == [made[:4], made[4:]]


async def test_a_page_has_fifty_however_many_are_asked_for(service: Service, profile: str) -> None:
    for _ in range(6):
        await service.api.post(f"{profile}/Observations", json={"observations": [TEA] * 10})
    assert [len(ids) for ids in await walk(service, f"{profile}/Observations", pageSize=1000)] == [50, 10]
    assert [len(ids) for ids in await walk(service, f"{profile}/Observations")] == [50, 10]


async def test_the_list_is_filtered_by_source_and_conversation(service: Service, profile: str) -> None:
    conversation_id, other = new_id(CONVERSATION), new_id(CONVERSATION)
    await note(
        service,
        profile,
        observation("a", source="one"),
        observation("b", source="two", conversationIds=[other, conversation_id]),
        observation("c", source="two", conversationIds=[other]),
    )

    async def contents(**query: str) -> list[str]:
        return [one["content"] for one in await everything(service, f"{profile}/Observations", **query)]

    assert await contents(source="two") == ["b", "c"]
    assert await contents(source="three") == []
    assert await contents(conversationId=conversation_id) == ["b"]
    assert await contents(conversationId=other) == ["b", "c"]
    assert await contents(conversationId=new_id(CONVERSATION)) == []
    assert await contents(Source="one", conversationId=other) == []
    assert await contents(source="", conversationId="") == ["a", "b", "c"]


async def test_created_after_is_inclusive_and_created_before_is_not(service: Service, profile: str) -> None:
    times = []
    for content in ("a", "b", "c"):
        await note(service, profile, observation(content))
        times.append((await everything(service, f"{profile}/Observations"))[-1]["createdAt"])
        service.clock.advance(seconds=10)

    async def contents(**query: str) -> list[str]:
        return [one["content"] for one in await everything(service, f"{profile}/Observations", **query)]

    assert await contents(createdAfter=times[1]) == ["b", "c"]
    assert await contents(createdBefore=times[1]) == ["a"]
    assert await contents(createdAfter=times[1], createdBefore=times[2]) == ["b"]
    assert await contents(createdAfter=times[1].replace("Z", "+00:00"), createdBefore="2999-01-01T00:00:00Z") == [
        "b",
        "c",
    ]


async def test_a_token_brings_the_filters_along(service: Service, profile: str) -> None:
    bodies = [observation(f"{number}", source="even" if number % 2 == 0 else "odd") for number in range(9)]
    made = await note(service, profile, *bodies)
    after = (await everything(service, f"{profile}/Observations"))[0]["createdAt"]
    pages = await walk(service, f"{profile}/Observations", source="even", createdAfter=after, pageSize=2)
    assert pages == [[made[8], made[6]], [made[4], made[2]], [made[0]]]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"source": "it's"}, "source"),
        ({"source": "x" * 101}, "source"),
        ({"source": "a\x00b"}, "source"),
        ({"conversationId": "CH0123456789abcdef0123456789abcdef"}, "conversationId"),
        ({"createdAfter": "yesterday"}, "createdAfter"),
        ({"createdBefore": "2026-02-03T09:15:04"}, "createdBefore"),
        ({"createdBefore": "1770110104"}, "createdBefore"),
        ({"orderBy": "newest"}, "orderBy"),
        ({"pageSize": "0"}, "pageSize"),
        ({"pageSize": "1001"}, "pageSize"),
        ({"pageToken": "x"}, "pageToken"),
        ({"pageToken": "eyJhIjpbIngiXSwicyI6NSwiZiI6e319"}, "pageToken"),  # {"a":["x"],"s":5,"f":{}}
        ({"pageToken": "eyJhIjpbXSwicyI6NSwiZiI6eyJzb3VyY2UiOjF9fQ"}, "pageToken"),  # {"a":[],"s":5,"f":{"source":1}}
    ],
)
async def test_a_wrong_query_is_refused(service: Service, profile: str, query: dict[str, str], names: str) -> None:
    response = await service.api.get(f"{profile}/Observations", params=query)
    assert_refused(response, 400, 400, names=names)


async def test_a_token_with_filters_of_its_own_is_checked_like_a_query(service: Service, profile: str) -> None:
    for filters in ({"source": 1}, {"source": "\x00"}, {"createdAfter": {"t": 1}}, {"conversationId": ["x"]}):
        edge = [{"t": "2026-02-03T09:15:04+00:00"}, "x"]
        token = base64.urlsafe_b64encode(orjson.dumps({"a": edge, "s": 5, "f": filters})).decode()
        response = await service.api.get(f"{profile}/Observations", params={"pageToken": token})
        assert_refused(response, 400, 400, names=next(iter(filters)))
    large = base64.urlsafe_b64encode(orjson.dumps({"a": edge, "s": 1000, "f": {}})).decode()
    assert (await service.api.get(f"{profile}/Observations", params={"pageToken": large})).status_code == 200
