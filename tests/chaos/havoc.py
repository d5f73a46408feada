"""A service in several processes, each of which may be killed at any moment; what nobody else restarts is restarted."""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.cli.prove.instance import Process, Service, fast_clock_settings, reserved_port
from orchestrator.kernel.postgres import EmbeddedPostgres
from tests.cli.running import command_line, descendants

API, POSTGRES, WORKER, EVERYTHING = "orchestrator.cli.process", "bin/postgres", "worker", "everything"
_BACK_WITHIN = 30.0
"""Seconds for `serve` to replace what was killed."""
_LOOK_EVERY = 0.2
"""Seconds between looks whether the worker has ended."""


@dataclass
class Havoc:
    """`orchestrator serve` with its two API processes and its Postgres, and `orchestrator worker` beside it."""

    service: Service
    worker: Process
    database_url: str
    account_id: str
    auth_token: str
    log: Path

    async def start(self) -> None:
        self.service.start()
        await asyncio.to_thread(self.service.wait_until_ready)
        self.worker.start()

    async def kill(self, victim: str) -> None:
        """Kill one with SIGKILL. Waits only for what is not our own to restart, so that it can be killed again."""
        if victim == WORKER:
            self.worker.kill()
        elif victim == EVERYTHING:
            await asyncio.to_thread(self.service.kill)
            self.service.start()
            await asyncio.to_thread(self.service.wait_until_ready)
        else:
            os.kill(random.choice(await self._running(victim)), signal.SIGKILL)

    @asynccontextmanager
    async def looking_after_worker(self) -> AsyncIterator[None]:
        """In the block it is started again whenever it has ended, as the manager of services would do.

        It gives up where there is no database, and may take longer to end than the database to come back: whoever looks
        once may find it running for the last time.
        """

        async def look() -> None:
            while True:
                if not self.worker.is_running:
                    self.worker.start()
                await asyncio.sleep(_LOOK_EVERY)

        looking = asyncio.create_task(look())
        try:
            yield
        finally:
            looking.cancel()

    async def recover(self) -> None:
        """Return once everything but the worker runs again, without any help."""
        for program in (POSTGRES, API):
            await self._running(program)
        await asyncio.to_thread(self.service.wait_until_ready)

    async def _running(self, program: str) -> list[int]:
        give_up = time.monotonic() + _BACK_WITHIN
        while not (found := [pid for pid in descendants(self.service.pid) if program in command_line(pid)]):
            assert time.monotonic() < give_up, f"{program} did not come back: {self.service.log_tail()}"
            await asyncio.sleep(0.05)
        # Of Postgres the first is the main process, the parent of all others.
        return found[:1] if program == POSTGRES else found


@contextmanager
def havoc(folder: Path) -> Iterator[Havoc]:
    """Nothing is left running afterwards."""
    with reserved_port() as port:
        settings = fast_clock_settings() | {"DATA_DIR": str(folder), "SECRET_KEY": "a key for chaos"}
        database_url = EmbeddedPostgres(folder).dsn()
        log = folder.with_suffix(".log")
        service = Service(port, ["--processes", "2", "--no-worker"], settings, log)
        worker = Process(["worker"], settings | {"DATABASE_URL": database_url}, log)
        try:
            yield Havoc(service, worker, database_url, settings["ACCOUNT_SID"], settings["AUTH_TOKEN"], log)
        finally:
            worker.kill()
            service.stop()
            log.unlink(missing_ok=True)
