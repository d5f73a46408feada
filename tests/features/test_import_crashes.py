"""Imports that do not go through at once: the process dies, the service fails, the worker stops."""

import asyncio
from typing import Any

import pytest

from orchestrator.memory import upsert
from orchestrator.memory.import_jobs import Lost
from tests.support.app import Service
from tests.support.imports import chunks, fetched, forget_imports, importer, look_up, uploaded
from tests.support.memory import new_phone, new_store


@pytest.fixture
async def store(service: Service) -> str:
    await forget_imports(service)
    return await new_store(service)


def file(phones: list[str]) -> str:
    return "phone,first,city\n" + "".join(f"{phone},Ann,x\n" for phone in phones)


async def test_another_process_goes_on_after_the_last_batch(service: Service, store: str) -> None:
    phones = [new_phone() for _ in range(5)]
    import_id = await uploaded(service, store, file(phones))
    dying = importer(service, batch=2)
    job = await dying.claim()
    assert job is not None
    batches = dying.batches(job)
    header, rows = await anext(batches)
    await dying.write(job, header, rows)
    assert await importer(service).run_once() == 0  # the claim holds
    found = await fetched(service, store, import_id)
    assert (found["status"], found["rowsDone"]) == ("PROCESSING", 2)
    made = [await look_up(service, store, phone) for phone in phones]
    assert [len(one) for one in made] == [1, 1, 0, 0, 0]

    service.clock.advance(seconds=61)
    assert await importer(service, batch=2).run_once() == 1
    ended = await fetched(service, store, import_id)
    assert (ended["status"], ended["rowsDone"], ended["rowsFailed"]) == ("COMPLETED", 5, 0)
    again = [await look_up(service, store, phone) for phone in phones]
    assert again[:2] == made[:2]
    assert len({one for [one] in again}) == 5

    before = await service.fetch("select * from profiles where store_id = $1", store)
    with pytest.raises(Lost):  # it was not dead after all
        await dying.write(job, header, [[new_phone(), "Bo", "x"]])
    assert await service.fetch("select * from profiles where store_id = $1", store) == before
    await batches.aclose()


async def test_a_failure_inside_is_tried_again_and_then_told(
    service: Service, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = await uploaded(service, store, file([new_phone()]))

    async def broken(*_: Any) -> None:
        raise RuntimeError("a secret of the service")

    with monkeypatch.context() as patched:
        patched.setattr(upsert, "write_profiles", broken)
        for wait in (5, 30):
            assert await importer(service).run_once() == 1
            assert (await fetched(service, store, import_id))["status"] == "PROCESSING"
            service.clock.advance(seconds=wait - 1)
            assert await importer(service).run_once() == 0
            service.clock.advance(seconds=2)
        assert await importer(service).run_once() == 1
    ended = await fetched(service, store, import_id)
    assert (ended["status"], ended["summary"]["errors"], ended["rowsFailed"]) == ("FAILED", 1, 0)
    assert "attempt 3" in ended["summary"]["firstErrors"][0]["message"]
    assert "secret" not in str(ended)
    assert await chunks(service, store) == []


async def test_what_kills_its_process_again_and_again_is_given_up(service: Service, store: str) -> None:
    import_id = await uploaded(service, store, file([new_phone()]))
    for _ in range(3):
        assert await importer(service).claim() is not None
        service.clock.advance(seconds=61)
    assert await importer(service).run_once() == 1
    ended = await fetched(service, store, import_id)
    assert ended["status"] == "FAILED"
    assert "3 times" in ended["summary"]["firstErrors"][0]["message"]


async def test_a_worker_that_stops_ends_its_batch_and_lets_go(
    service: Service, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    phones = [new_phone() for _ in range(6)]
    import_id = await uploaded(service, store, file(phones))
    writing, go_on = asyncio.Event(), asyncio.Event()
    write_profiles = upsert.write_profiles

    async def slow(*given: Any, **named: Any) -> Any:
        writing.set()
        await go_on.wait()
        return await write_profiles(*given, **named)

    monkeypatch.setattr(upsert, "write_profiles", slow)
    worker = asyncio.create_task(importer(service, batch=2).run())
    await writing.wait()
    worker.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await worker
    assert (await fetched(service, store, import_id))["rowsDone"] == 2
    assert await importer(service, batch=2).run_once() == 1  # at once: the claim was let go
    assert (await fetched(service, store, import_id))["rowsDone"] == 6
