"""docs/receiving.md does what it says: its programs run against the service, its SQL against PostgreSQL."""

import asyncio
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import asyncpg
import httpx
import pytest

from orchestrator.accounts import service as accounts
from tests.support import traffic
from tests.support.app import Service
from tests.support.delivery import deliver, deliveries, forget_deliveries
from tests.support.documents import ROOT
from tests.support.factories import make_configuration
from tests.support.server import serving, serving_app
from tests.support.traffic import KIRAN, US

PAGE = (ROOT / "docs" / "receiving.md").read_text()
Program = dict[str, Any]


def blocks(language: str) -> list[str]:
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", PAGE)


@contextmanager
def with_fastapi(program: Program) -> Iterator[str]:
    with serving_app(program["app"]) as origin:
        yield origin


@contextmanager
def with_the_standard_library(program: Program) -> Iterator[str]:
    program["Callbacks"].log_message = lambda *_: None  # it would write to standard error
    with ThreadingHTTPServer(("127.0.0.1", 0), program["Callbacks"]) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def said(file: Path) -> list[str]:
    database = sqlite3.connect(file)
    words = [row[0] for row in database.execute("select words from said order by rowid")]
    database.close()
    return words


@pytest.mark.parametrize(("number", "run"), [(0, with_fastapi), (1, with_the_standard_library)])
async def test_the_programs_take_every_event_once(
    number: int,
    run: Callable[[Program], Any],
    service: Service,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await forget_deliveries(service)
    monkeypatch.chdir(tmp_path)
    async with service.units.begin() as unit:
        key = await accounts.create_key(unit, service.account.account_id, name="reader")
    assert key.secret
    with serving(service.settings) as url:
        given = {"PUBLIC_URL": "", "ORCHESTRATOR_AUTH_TOKENS": f"another,{service.account.auth_token}"}
        for name, value in (given | {"ORCHESTRATOR_URL": url} | {"ORCHESTRATOR_KEY": key.sid}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("ORCHESTRATOR_SECRET", key.secret)
        program: Program = {"__name__": "program"}
        exec(compile(blocks("python")[number], "receiving.md", "exec"), program)
        with run(program) as origin:
            program["PUBLIC_URL"] = origin
            await make_configuration(service, statusCallbacks=[{"url": f"{origin}/callbacks", "method": "POST"}])
            await _talk(service)
            forged = await asyncio.to_thread(httpx.post, f"{origin}/callbacks", json={}, trust_env=False)
            assert forged.status_code == 403
        program["log"].close()
    assert said(tmp_path / "application.db") == ["one", "two", "three"]


async def _talk(service: Service) -> None:
    """Of eight events, the first and the sixth come late; then all come once more."""
    for words in ("one", "two", "three"):
        await traffic.message(service, KIRAN, US, words)
    await service.fetch(
        "update deliveries set next_attempt_at = next_attempt_at + interval '1 hour', holds_order = false "
        "where account_id = $1 and sequence in (1, 6)",
        service.account.account_id,
    )
    await deliver(service, order="parallel")
    assert [one["status"] for one in await deliveries(service)].count("PENDING") == 2
    service.clock.advance(hours=2)
    await deliver(service)
    await service.fetch(
        "update deliveries set status = 'PENDING', next_attempt_at = created_at where account_id = $1",
        service.account.account_id,
    )
    await deliver(service)
    assert {one["status"] for one in await deliveries(service)} == {"DELIVERED"}


async def test_the_statements_for_postgresql_admit_one_of_two_at_once(database_url: str) -> None:
    table, advance = blocks("sql")
    one, other = [await asyncpg.connect(database_url) for _ in range(2)]
    try:
        await one.execute(table)
        first = one.transaction()
        await first.start()
        assert await one.execute(advance, "c", 1, 0) == "INSERT 0 1"
        second = asyncio.create_task(other.execute(advance, "c", 1, 0))
        await asyncio.sleep(0)
        await first.commit()
        assert await second == "INSERT 0 0"
        assert await other.execute(advance, "c", 2, 1) == "INSERT 0 1"
        assert await other.execute(advance, "c", 2, 1) == "INSERT 0 0"
    finally:
        await one.execute("drop table orchestrator_inbox")
        await one.close()
        await other.close()
