"""Several real API processes on one database, and an account to send traffic to."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import asyncpg

from orchestrator.accounts import service as accounts
from orchestrator.accounts.service import Account
from orchestrator.kernel.clock import Clock
from orchestrator.kernel.db import create_engine
from orchestrator.kernel.secrets import SecretBox
from orchestrator.kernel.signing import sign
from orchestrator.kernel.unit import Units
from tests.support.app import ORIGIN, SECRET_KEY
from tests.support.factories import configuration_body

_ROOT = Path(__file__).parents[2]
_MESSAGES = "/ingest/twilio/messages"
_COUNTED = frozenset({"conversations", "communications", "participants", "profiles", "events", "conversation_keys"})


Started = tuple[int, "subprocess.Popen[bytes]"]
"""A process and its port."""

_kept: list[Started] = []
"""Of this test process, whose tests all have the same database."""


@dataclass
class Cluster:
    """API processes that serve one account's traffic."""

    account: Account
    origins: list[str]
    session: aiohttp.ClientSession
    database: "asyncpg.Pool[asyncpg.Record]"
    running: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    async def post_message(self, position: int, form: dict[str, str]) -> int:
        """Post a signed message webhook to one of the processes; returns the HTTP status."""
        form = {"AccountSid": self.account.account_id, **form}
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": sign(self.account.auth_token, ORIGIN + _MESSAGES, form.items()),
        }
        origin = self.origins[position % len(self.origins)]
        async with self.session.post(origin + _MESSAGES, data=urlencode(form), headers=headers) as answer:
            await answer.read()
            return answer.status

    async def count(self, table: str, **where: str) -> int:
        """Rows of the account."""
        assert table in _COUNTED
        conditions = "".join(f" and {name} = ${place}" for place, name in enumerate(where, start=2))
        query = f"select count(*) from {table} where account_id = $1{conditions}"
        found: int = await self.database.fetchval(query, self.account.account_id, *where.values())
        return found

    async def messages_after_closing(self) -> int:
        """Communications told of after the event that closed their conversation."""
        found: int = await self.database.fetchval(
            """
            select count(*) from events said
            join events closing on closing.account_id = said.account_id
              and closing.conversation_id = said.conversation_id and closing.type = 'CONVERSATION_UPDATED'
              and closing.body::jsonb #>> '{data,status}' = 'CLOSED' and closing.sequence < said.sequence
            where said.account_id = $1 and said.type = 'COMMUNICATION_CREATED'
            """,
            self.account.account_id,
        )
        return found

    async def gaps_in_sequences(self) -> int:
        """Conversations whose events are not numbered 1, 2, 3, … up to the conversation's own counter."""
        found: int = await self.database.fetchval(
            """
            select count(*) from (
              select c.id from conversations c left join events e on e.account_id = c.account_id
                and e.conversation_id = c.id
              where c.account_id = $1 group by c.id, c.event_sequence
              having count(e.sequence) <> c.event_sequence or max(e.sequence) <> c.event_sequence) broken
            """,
            self.account.account_id,
        )
        return found


@asynccontextmanager
async def cluster(
    database_url: str,
    *,
    processes: int,
    grouping: str,
    timeouts: dict[str, int] | None = None,
    worker: bool = False,
    clock_speed: int = 1,
) -> AsyncIterator[Cluster]:
    """Have processes, and make an account with one configuration in it.

    Ordinary processes are kept for the next test, which takes a second to start each; one that failed keeps none.
    """
    account = await _make_account(database_url)
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(asyncpg.create_pool(database_url, min_size=1, max_size=4))
        credentials = {"Authorization": aiohttp.encode_basic_auth(account.account_id, account.auth_token)}
        started_at = Clock().now()
        is_ordinary = not worker and clock_speed == 1
        started = list[Started]()
        for _ in range(processes):
            kept = _kept.pop() if is_ordinary and _kept else None
            new = kept or await _start(database_url, worker=worker, clock_speed=clock_speed, started_at=started_at)
            stack.push_async_exit(partial(_leave, new, is_ordinary))
            started.append(new)
        session = await stack.enter_async_context(
            aiohttp.ClientSession(headers=credentials, connector=aiohttp.TCPConnector(limit_per_host=100))
        )
        origins = [f"http://127.0.0.1:{port}" for port, _ in started]
        body = configuration_body(conversationGroupingType=grouping)
        for setting in body["channelSettings"].values():
            setting["statusTimeouts"] = timeouts or setting["statusTimeouts"]
        async with session.post(origins[0] + "/v2/ControlPlane/Configurations", json=body) as answer:
            assert answer.status == 202, await answer.text()
        yield Cluster(account, origins, session, pool, [process for _, process in started])


async def _make_account(database_url: str) -> Account:
    engine = create_engine(database_url, pool_size=2)
    async with Units(engine, Clock()).begin() as unit:
        account = await accounts.create_account(unit, SecretBox(SECRET_KEY), name="race")
    await engine.dispose()
    return account


async def end_kept() -> None:
    """End the processes that were kept; their database may then go."""
    while _kept:
        await _end(_kept.pop()[1])


async def _leave(started: Started, is_ordinary: bool, *failure: object) -> None:
    if is_ordinary and failure[0] is None and started[1].poll() is None:
        _kept.append(started)
    else:
        await _end(started[1])


async def _start(database_url: str, *, worker: bool, clock_speed: int, started_at: datetime) -> Started:
    environment = {
        **os.environ,
        "ORCHESTRATOR_DATABASE_URL": database_url,
        "ORCHESTRATOR_SECRET_KEY": SECRET_KEY,
        "ORCHESTRATOR_PUBLIC_URL": ORIGIN,
        "ORCHESTRATOR_WORKER": str(worker).lower(),
        "ORCHESTRATOR_SWEEP_INTERVAL": "0.05",
        "ORCHESTRATOR_LOG_LEVEL": "warning",
        "ORCHESTRATOR_MODE": "dev",
        "ORCHESTRATOR_CLOCK_START": started_at.isoformat(),
        "ORCHESTRATOR_CLOCK_SPEED": str(clock_speed),
    }
    command = [sys.executable, str(_ROOT / "tests" / "support" / "api_process.py")]
    process = await asyncio.to_thread(subprocess.Popen, command, env=environment, stdout=subprocess.PIPE)
    assert process.stdout is not None
    line = await asyncio.wait_for(asyncio.to_thread(process.stdout.readline), 30)
    return int(line), process


async def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        await asyncio.to_thread(process.wait, 10)
    finally:
        process.kill()
        assert process.stdout is not None
        process.stdout.close()
