"""Observations and summaries for tests, made over HTTP."""

from typing import Any

import httpx

from orchestrator.kernel.ids import CONVERSATION, new_id
from tests.support.app import Service
from tests.support.memory import new_phone, new_profile

OCCURRED = "2026-02-03T09:15:04Z"
DOG, TEA, SHOP, PARCEL = (
    "She has a dog that is afraid of the postman.",
    "She likes tea, and what she likes is tea in the morning.",
    "The shop is what she passes on the way to the office.",
    "Her parcel is to be left at the neighbour's.",
)
"""What `known_profile` knows, the oldest first."""


def profile_path(store: str, profile_id: str) -> str:
    return f"/v1/Stores/{store}/Profiles/{profile_id}"


def observation(content: str | None = "Likes tea", **changes: Any) -> dict[str, Any]:
    """An observation to create; None leaves a field out."""
    body = {"content": content, "source": "test", "occurredAt": OCCURRED, **changes}
    return {name: value for name, value in body.items() if value is not None}


def summary(content: str | None = "The parcel came", **changes: Any) -> dict[str, Any]:
    """A summary to create; None leaves a field out."""
    body = {"content": content, "conversationId": new_id(CONVERSATION), "occurredAt": OCCURRED, **changes}
    return {name: value for name, value in body.items() if value is not None}


async def note(service: Service, profile: str, *observations: dict[str, Any]) -> list[str]:
    """Create observations below a profile's path; the ids of all it has then, oldest first."""
    return await _create(service, f"{profile}/Observations", {"observations": list(observations)})


async def sum_up(service: Service, profile: str, *summaries: dict[str, Any]) -> list[str]:
    """The same for summaries."""
    return await _create(service, f"{profile}/ConversationSummaries", {"summaries": list(summaries)})


async def _create(service: Service, path: str, body: dict[str, Any]) -> list[str]:
    response = await service.api.post(path, json=body)
    assert response.status_code == 202, response.text
    assert set(response.json()) == {"message"}
    return [one["id"] for one in await everything(service, path)]


async def everything(service: Service, path: str, **query: Any) -> list[dict[str, Any]]:
    """The items of a list, oldest first; it must have one page."""
    response = await service.api.get(path, params={"orderBy": "ASC", **query})
    assert response.status_code == 200, response.text
    body = response.json()
    assert "nextToken" not in body["meta"]
    items: list[dict[str, Any]] = body[body["meta"]["key"]]
    return items


async def known_profile(service: Service, store: str) -> str:
    """The path of a profile of which something is known."""
    profile = profile_path(store, await new_profile(service, store, phone=new_phone()))
    for day, text in enumerate((DOG, TEA, SHOP, PARCEL), 1):
        await note(service, profile, observation(text, occurredAt=f"2026-02-0{day}T00:00:00Z"))
    await sum_up(service, profile, summary("The parcel came."), summary("She asked for tea."))
    return profile


async def recall(service: Service, profile: str, **body: Any) -> dict[str, Any]:
    response = await service.api.post(f"{profile}/Recall", json=body)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    assert set(found) == {"observations", "summaries", "communications", "meta"}
    return found


def contents(memories: list[dict[str, Any]]) -> list[str]:
    return [one["content"] for one in memories]


def scores(memories: list[dict[str, Any]]) -> list[float]:
    return [one["score"] for one in memories]


async def fetch(service: Service, path: str) -> dict[str, Any]:
    response: httpx.Response = await service.api.get(path)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body
