"""Announcing the file of an import, and putting it where its URL leads."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from orchestrator.memory.import_uploads import CHUNK, UploadRefused
from tests.support.app import Service
from tests.support.imports import (
    announce,
    announced,
    chunks,
    fetched,
    forget_imports,
    importer,
    mappings,
    put,
    uploaded,
)
from tests.support.memory import assert_refused, new_store

FILE = b"phone,first,city\n+15550001,Ann,x\n"


@pytest.fixture
async def store(service: Service) -> str:
    await forget_imports(service)
    return await new_store(service)


async def test_mappings_that_the_store_cannot_follow_are_refused(service: Service, store: str) -> None:
    phone = "Contact.phone"
    refused: list[tuple[Any, str]] = [
        ({"a": phone, "b": "Nothing.x"}, "/columnMappings/1/traitGroup"),
        ({"a": phone, "b": "Contact.shoeSize"}, "/columnMappings/1/traitName"),
        ({"a": phone, "b": "Contact.Phone"}, "/columnMappings/1/traitName"),
        ({"a": "Contact.city", "b": "Contact.state"}, "/columnMappings"),
    ]
    for columns, pointer in refused:
        body = assert_refused(await announce(service, store, 10, columns), 400, 400, names=pointer)
        assert body["params"]["field"] == pointer
    twice = [*mappings({"a": phone}), *mappings({"a": "Contact.city"})]
    body = {"filename": "x.csv", "fileSize": 1, "columnMappings": twice}
    path = f"/v1/Stores/{store}/Profiles/Imports"
    assert_refused(await service.api.post(path, json=body), 400, 400, names="/columnMappings/1/columnName")
    for field, wrong in (
        ("fileSize", 0),
        ("fileSize", 104_857_601),
        ("filename", "x" * 256),
        ("columnMappings", twice[:1]),
        ("columnMappings", [twice[0]] * 101),
        ("columnMappings", [{**twice[0], "columnName": "x" * 65}, twice[1]]),
        ("columnMappings", [{**twice[0], "unknown": "x"}, twice[1]]),
    ):
        assert_refused(await service.api.post(path, json={**body, field: wrong}), 400, 400, names=f"/{field}")
    assert (await service.api.get(path)).json()["imports"] == []
    async with service.client(await service.new_account()) as theirs:
        assert_refused(await theirs.post(path, json=body), 404, 520041)


async def test_a_file_is_kept_in_pieces_until_it_is_imported(service: Service, store: str) -> None:
    size = 5 * CHUNK // 2
    import_id, url = await announced(service, store, size)
    parts: list[bytes] = []

    async def body() -> AsyncIterator[bytes]:
        """Not longer than it has been kept, but for a piece and a part."""
        for number in range(10):
            parts.append(b"x" * (size // 10))
            yield parts[-1]
            assert sum(map(len, parts)) - sum(await chunks(service, store)) <= CHUNK + len(parts[-1]), number

    response = await put(service, url, body(), **{"Content-Type": "text/plain"})
    assert (response.status_code, response.json()) == (200, {"importId": import_id, "status": "PENDING"})
    assert await chunks(service, store) == [CHUNK, CHUNK, size - 2 * CHUNK]
    assert (await fetched(service, store, import_id))["status"] == "PENDING"
    [row] = await service.fetch("select upload_token_hash from profile_imports where id = $1", import_id)
    assert url.partition("token=")[2].encode() not in row["upload_token_hash"]


async def test_a_body_larger_than_others_may_be(service: Service, store: str) -> None:
    size = service.settings.max_body_bytes + 1
    _, url = await announced(service, store, size)
    assert (await put(service, url, b"x" * size)).status_code == 200
    assert sum(await chunks(service, store)) == size
    _, url = await announced(service, store, 104_857_600)
    assert_refused(await put(service, url, b"", **{"Content-Length": "104857601"}), 413, 20413)


async def test_another_size_than_announced_is_refused_and_may_be_put_right(service: Service, store: str) -> None:
    import_id, url = await announced(service, store, len(FILE))

    async def unannounced(content: bytes) -> AsyncIterator[bytes]:
        yield content[:5]
        yield content[5:]

    for wrong in (FILE + b"x", FILE[:-1], b""):
        assert_refused(await put(service, url, wrong), 400, 20001, names=str(len(FILE)))
        assert_refused(await put(service, url, unannounced(wrong)), 400, 20001, names=str(len(FILE)))
        assert await chunks(service, store) == []
    assert (await put(service, url, unannounced(FILE))).status_code == 200
    assert await importer(service).run_once() == 1
    assert (await fetched(service, store, import_id))["status"] == "COMPLETED"


async def test_a_url_takes_one_file_in_its_time(service: Service, store: str) -> None:
    import_id, url = await announced(service, store, len(FILE))
    path, _, token = url.partition("?token=")
    another = (await announced(service, store, len(FILE)))[1].partition("?")[0]
    for wrong in (path, f"{path}?token=x", f"{path}x?token={token}", f"{url}x", f"{another}?token={token}"):
        assert_refused(await put(service, wrong, FILE), 404, 20404)
    assert (await put(service, url, FILE)).status_code == 200
    assert_refused(await put(service, url, FILE), 403, UploadRefused.code, names="taken")
    late_id, late = await announced(service, store, len(FILE))
    service.clock.advance(minutes=30)
    assert_refused(await put(service, late, FILE), 403, UploadRefused.code, names="expired")
    assert await importer(service).reap() == 2  # another, which nobody gave a file, too
    ended = await fetched(service, store, late_id)
    assert (ended["status"], ended["summary"]["errors"]) == ("FAILED", 1)
    assert "30 minutes" in ended["summary"]["firstErrors"][0]["message"]
    assert (await fetched(service, store, import_id))["status"] == "PENDING"
    assert await chunks(service, store) == [len(FILE)]


async def test_of_two_uploads_at_once_one_is_taken(service: Service, store: str) -> None:
    import_id, url = await announced(service, store, len(FILE))
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield FILE[:5]
        begun.set()
        await go_on.wait()
        yield FILE[5:]

    first = asyncio.create_task(put(service, url, slow()))
    await begun.wait()
    assert_refused(await put(service, url, FILE), 409, 20409)
    go_on.set()
    assert (await first).status_code == 200
    assert await importer(service).run_once() == 1
    assert (await fetched(service, store, import_id))["status"] == "COMPLETED"


async def test_a_hold_that_lapsed_is_the_next_one_s(service: Service, store: str) -> None:
    """The process of the first upload has died, or its client sends nothing for a minute."""
    _, url = await announced(service, store, CHUNK + len(FILE))
    kept, go_on = asyncio.Event(), asyncio.Event()

    async def stuck() -> AsyncIterator[bytes]:
        yield b"x" * (CHUNK + 1)
        kept.set()
        await go_on.wait()
        yield FILE[1:]

    first = asyncio.create_task(put(service, url, stuck()))
    await kept.wait()
    assert await chunks(service, store) == [CHUNK]
    service.clock.advance(seconds=61)
    assert (await put(service, url, b"y" * CHUNK + FILE)).status_code == 200
    go_on.set()
    assert_refused(await first, 409, 20409)
    assert await chunks(service, store) == [CHUNK, len(FILE)]


async def test_an_upload_that_breaks_off_leaves_nothing_and_may_be_repeated(service: Service, store: str) -> None:
    _, url = await announced(service, store, CHUNK + len(FILE))
    messages: list[Any] = [
        {"type": "http.request", "body": b"x" * (CHUNK + 1), "more_body": True},
        {"type": "http.disconnect"},
    ]
    answered: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: Any) -> None:
        answered.append(message)

    target = httpx.URL(url)
    scope = {
        "type": "http",
        "method": "PUT",
        "path": target.path,
        "query_string": target.query,
        "headers": [],
        "server": ("orchestrator.test", 443),
        "scheme": "https",
    }
    await service.app(scope, receive, send)
    assert not messages
    assert answered[0]["status"] == 400
    assert await chunks(service, store) == []
    assert (await put(service, url, b"x" * CHUNK + FILE)).status_code == 200


async def test_a_store_that_is_deleted_takes_its_files_along(service: Service, store: str) -> None:
    await uploaded(service, store, FILE)
    _, url = await announced(service, store, len(FILE))
    job = await importer(service).claim()
    assert job is not None
    assert (await service.api.delete(f"/v1/ControlPlane/Stores/{store}")).status_code == 202
    assert_refused(await put(service, url, FILE), 404, 20404)
    await importer(service).perform(job)
    assert await chunks(service, store) == []
    assert await importer(service).run_once() == 0
