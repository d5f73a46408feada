"""Lists of the API, page after page."""

from collections.abc import AsyncIterator
from typing import Any

from orchestrator.cli.api import Api

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


async def all_of(api: Api, path: str, key: str, **query: str) -> list[Resource]:
    """The whole list."""
    return [entry async for entry in listed(api, path, key, size=_LARGEST_PAGE, **query)]


def given(**query: str | None) -> dict[str, str]:
    """The parameters that have a value."""
    return {name: value for name, value in query.items() if value is not None}
