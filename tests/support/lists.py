"""Walks through lists page by page."""

from typing import Any

from tests.support.app import Service


async def page(service: Service, path: str, **query: Any) -> tuple[list[str], dict[str, Any]]:
    """The ids on one page, and its `meta`, which must be right."""
    response = await service.api.get(path, params=query)
    assert response.status_code == 200, response.text
    meta = response.json()["meta"]
    items = response.json()[meta["key"]]
    assert meta["pageSize"] == len(items)
    return [item["id"] for item in items], meta


async def walk(service: Service, path: str, *, token: str = "nextToken", **query: Any) -> list[list[str]]:
    """The pages from the first one on, following the tokens alone."""
    pages: list[list[str]] = []
    while True:
        ids, meta = await page(service, path, **query)
        pages.append(ids)
        if token not in meta:
            return pages
        query = {"pageToken": meta[token]}


async def walk_there_and_back(service: Service, path: str, **query: Any) -> list[list[str]]:
    """The pages of the list; both ways must agree."""
    forward = await walk(service, path, **query)
    last = await last_meta(service, path, **query)
    backward = await walk(service, path, token="previousToken", pageToken=last["previousToken"])
    assert backward == forward[-2::-1]
    return forward


async def last_meta(service: Service, path: str, **query: Any) -> dict[str, Any]:
    """The `meta` of the last page."""
    while True:
        _, meta = await page(service, path, **query)
        if "nextToken" not in meta:
            return meta
        query = {"pageToken": meta["nextToken"]}
