"""`serve` and `worker` on a Postgres of one's own."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from orchestrator.kernel.ids import new_sid
from orchestrator.serving import refuse_turned_clock, units
from orchestrator.settings import Settings
from tests.cli.running import environment, invoke_json, run, serving
from tests.cli.test_rotation import refused
from tests.support.database import fresh_database


async def test_servers_and_workers_share_a_database(tmp_path: Path) -> None:
    async with fresh_database(f"orchestrator_test_cli_{os.getpid()}") as database_url:
        await asyncio.to_thread(_share, tmp_path, database_url)


def _share(folder: Path, database_url: str) -> None:
    sid, token = new_sid("AC"), "a token of one's own"
    settings = {
        "database_url": database_url,
        "account_sid": sid,
        "auth_token": token,
        "secret_key": "a key of one's own",
        "allow_insecure_callbacks": True,
    }
    with serving(folder, "--no-worker", **settings) as service:
        assert sid in service.output
        assert token not in service.output
        assert not (folder / "data" / "credentials.json").exists()
        assert not service.family
        made = service.run_curl(**settings)
        with _working(folder, settings) as worker:
            shown = run("demo", "--url", service.url, **settings)
            # It succeeds only if its callbacks came, and no loop runs in `serve`.
            assert shown.returncode == 0, shown.stderr
            assert "GROUP_BY_PROFILE" in shown.stdout
            worker.terminate()
            assert worker.wait(30) == 0
        # The demonstration has removed what it made.
        assert service.configurations((sid, token)) == [made]
        assert len(service.get("/v1/ControlPlane/Stores", (sid, token)).json()["stores"]) == 1
        still_open = service.get("/v2/Conversations?status=ACTIVE,INACTIVE", (sid, token)).json()["conversations"]
        assert still_open == []
        assert service.stop(signal.SIGTERM) == 0


def _working(folder: Path, settings: dict[str, object]) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "orchestrator", "worker"]
    with (folder / "worker.log").open("w") as log:
        return subprocess.Popen(command, env=environment(**settings), stderr=log)


def test_a_worker_needs_a_database_of_its_own() -> None:
    done = run("worker")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "ORCHESTRATOR_DATABASE_URL" in done.stderr


def test_a_database_that_cannot_be_reached_is_told_without_its_password(tmp_path: Path) -> None:
    done = run("migrate", database_url="postgresql://me:secret@127.0.0.1:1/none", data_dir=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("orchestrator: cannot use the database postgresql://me:***@127.0.0.1:1/none: ")
    assert done.stderr.count("\n") == 1


def test_only_serve_makes_a_database(tmp_path: Path) -> None:
    for command in (["accounts", "list"], ["accounts", "create"], ["keys", "list", new_sid("AC")], ["migrate"]):
        code, message = refused(*command, data_dir=tmp_path / "data")
        assert (code, message.count("\n")) == (2, 1)
        assert message.startswith(f"orchestrator: there is no database in {tmp_path}/data: `orchestrator serve` makes")
    assert list(tmp_path.iterdir()) == []


async def test_the_schema_is_brought_up_to_date_once(tmp_path: Path) -> None:
    async with fresh_database(f"orchestrator_test_schema_{os.getpid()}") as database_url:
        settings = {"database_url": database_url, "data_dir": tmp_path}
        revision = (await asyncio.to_thread(invoke_json, "migrate", **settings))["revision"]
        connection = await asyncpg.connect(database_url)
        assert await connection.fetchval("select version_num from alembic_version") == revision
        await connection.close()


async def test_production_is_not_served_by_a_clock_that_dev_mode_turned(tmp_path: Path) -> None:
    async with fresh_database(f"orchestrator_test_turned_{os.getpid()}") as database_url:
        settings = {"database_url": database_url, "data_dir": tmp_path, "secret_key": "a key of one's own"}
        await asyncio.to_thread(invoke_json, "migrate", **settings)
        connection = await asyncpg.connect(database_url)
        await connection.execute("insert into clock (ahead, stands_at) values ($1, null)", timedelta(days=365))
        await _must_refuse("serve", r"it shows 2\d{3}-", settings)
        await connection.execute(
            "update clock set ahead = '0', stands_at = $1", datetime(2026, 2, 3, 9, 15, tzinfo=UTC)
        )
        await _must_refuse("worker", "stands still at 2026-02-03 09:15:00 UTC", settings)
        assert await connection.fetchval("select count(*) from accounts") == 0
        await connection.execute("update clock set stands_at = null")  # as a reset leaves it
        await connection.close()
        production = Settings(database_url=database_url)
        async with units(production) as opened, opened.begin() as unit:
            await refuse_turned_clock(unit, production)


async def _must_refuse(command: str, state: str, settings: dict[str, object]) -> None:
    arguments = [command, "--port", "0"] if command == "serve" else [command]
    done = await asyncio.to_thread(run, *arguments, **settings)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert re.search(state, done.stderr)
    assert "orchestrator clock reset" in done.stderr
