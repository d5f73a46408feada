"""CSV imports for tests: announced and uploaded over HTTP, imported by importers that know nothing of each other."""

from typing import Any

import httpx

from orchestrator.domain.backoff import Backoff
from orchestrator.memory.importing import Importer
from tests.support.app import ORIGIN, Service

COLUMNS = {"phone": "Contact.phone", "first": "Contact.firstName", "city": "Contact.city"}
"""Columns of most files, and where they go."""


def importer(service: Service, **changes: Any) -> Importer:
    """What a worker imports with, without the chance in its waits."""
    return Importer(service.units, **{"backoff": Backoff(delays=(5.0, 30.0), jitter=0), **changes})


def mappings(columns: dict[str, str]) -> list[dict[str, str]]:
    """Column mappings, of `Group.trait` by column."""
    named = [(column, *trait.split(".")) for column, trait in columns.items()]
    return [{"columnName": column, "traitGroup": group, "traitName": trait} for column, group, trait in named]


async def announce(service: Service, store: str, size: int, columns: dict[str, str] | None = None) -> httpx.Response:
    body = {"filename": "customers.csv", "fileSize": size, "columnMappings": mappings(columns or COLUMNS)}
    return await service.api.post(f"/v1/Stores/{store}/Profiles/Imports", json=body)


async def announced(service: Service, store: str, size: int, columns: dict[str, str] | None = None) -> tuple[str, str]:
    """The id of a new import, and its URL."""
    response = await announce(service, store, size, columns)
    assert response.status_code == 201, response.text
    assert set(response.json()) == {"importId", "url"}
    url = response.json()["url"]
    assert url.startswith(ORIGIN)
    return response.json()["importId"], url


async def put(service: Service, url: str, content: Any, **headers: str) -> httpx.Response:
    """Upload as a plain HTTP client does: without credentials."""
    async with service.client() as anybody:
        return await anybody.put(url, content=content, headers=headers)


async def uploaded(service: Service, store: str, file: str | bytes, columns: dict[str, str] | None = None) -> str:
    """The id of an import whose file is here."""
    content = file if isinstance(file, bytes) else file.encode()
    import_id, url = await announced(service, store, len(content), columns)
    response = await put(service, url, content)
    assert response.status_code == 200, response.text
    return import_id


async def fetched(service: Service, store: str, import_id: str) -> dict[str, Any]:
    response = await service.api.get(f"/v1/Stores/{store}/Profiles/Imports/{import_id}")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def imported(
    service: Service, store: str, file: str | bytes, columns: dict[str, str] | None = None
) -> dict[str, Any]:
    """An import that has ended."""
    import_id = await uploaded(service, store, file, columns)
    assert await importer(service).run_once() == 1
    return await fetched(service, store, import_id)


async def forget_imports(service: Service) -> None:
    """Drop what other tests have left to import in this database."""
    await service.fetch("delete from profile_imports")


async def chunks(service: Service, store: str) -> list[int]:
    """The sizes of the pieces that are kept of a store's files."""
    rows = await service.fetch(
        "select length(content) as size from profile_import_chunks "
        "where account_id = $1 and store_id = $2 order by number",
        service.account.account_id,
        store,
    )
    return [row["size"] for row in rows]


async def look_up(service: Service, store: str, phone: str) -> list[str]:
    body = {"idType": "phone", "value": phone}
    response = await service.api.post(f"/v1/Stores/{store}/Profiles/Lookup", json=body)
    profiles: list[str] = response.json()["profiles"]
    return profiles
