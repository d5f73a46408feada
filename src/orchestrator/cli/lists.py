"""Lists of the API, page after page."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from orchestrator.cli.api import Api
from orchestrator.cli.errors import WrongUsage

_LARGEST_PAGE = 1000

Resource = dict[str, Any]


async def listed(api: Api, path: str, key: str, *, size: int = _LARGEST_PAGE, **query: str) -> AsyncIterator[Resource]:
    """The entries of a list in its order; `size` of them are asked for at once. Raises CommandFailed."""
    page = await api.get(path, pageSize=str(min(size, _LARGEST_PAGE)), **query)
    while True:
        for entry in page[key]:
            yield entry
        token = page["meta"].get("nextToken")
        if token is None:
            return
        page = await api.get(path, pageToken=token)


async def newest(api: Api, path: str, key: str, limit: int, **query: str) -> list[Resource]:
    """The first `limit` entries of a list. Raises CommandFailed."""
    found: list[Resource] = []
    async for entry in listed(api, path, key, size=limit, **query):
        found.append(entry)
        if len(found) == limit:
            break
    return found


async def all_of(api: Api, path: str, key: str, **query: str) -> list[Resource]:
    """The whole list."""
    return [entry async for entry in listed(api, path, key, size=_LARGEST_PAGE, **query)]


def path_of(collection: str, typed: str) -> str:
    """The path of one resource, whatever somebody typed as its id. Raises WrongUsage when it is nothing."""
    if not typed:
        raise WrongUsage("the ID is empty")
    return f"{collection}/{quote(typed, safe='').replace('.', '%2E')}"  # dots alone would lead elsewhere


def given(**query: str | None) -> dict[str, str]:
    """The parameters that have a value."""
    return {name: value for name, value in query.items() if value is not None}
