"""Merges for tests: what the journal says, and all that a store holds."""

from typing import Any

import httpx

from tests.support.app import Service

TABLES = ("profiles", "profile_identifiers", "profile_traits", "observations", "observation_revisions",
          "conversation_summaries")  # fmt: skip


def merges_path(store: str) -> str:
    return f"/orchestrator/v1/Stores/{store}/Merges"


async def merges_of(service: Service, store: str, **query: Any) -> list[dict[str, Any]]:
    """The journal, oldest first; it must have one page."""
    response = await service.api.get(merges_path(store), params={"orderBy": "ASC", **query})
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["merges"]
    return found


async def fetch_merge(service: Service, store: str, merge_id: str) -> dict[str, Any]:
    response = await service.api.get(f"{merges_path(store)}/{merge_id}")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def post_undo(service: Service, store: str, merge_id: str, body: Any = None, **query: Any) -> httpx.Response:
    path = f"{merges_path(store)}/{merge_id}/Undo"
    if body is None:
        return await service.api.post(path, params=query)
    return await service.api.post(path, params=query, json=body)


async def undo(service: Service, store: str, merge_id: str, body: Any = None, **query: Any) -> dict[str, Any]:
    """Undo a merge; returns it as it is then."""
    response = await post_undo(service, store, merge_id, body, **query)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def content(service: Service, store: str) -> dict[str, list[str]]:
    """All rows of a store but those of the journal."""
    of_store = 'where account_id = $1 and store_id = $2 order by t::text collate "C"'
    found = {}
    for table in TABLES:
        rows = await service.fetch(
            f"select t::text as row from {table} t {of_store}", service.account.account_id, store
        )
        found[table] = [row["row"] for row in rows]
    return found
