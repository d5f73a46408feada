"""An instance for a while: in this process, on a free port, with data that goes away again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from orchestrator.cli.errors import CommandFailed
from orchestrator.cli.first_account import settle
from orchestrator.cli.instance import Instance, find_instance
from orchestrator.cli.server import build_server, listen, load
from orchestrator.cli.temporary_folder import temporary_folder
from orchestrator.kernel.telemetry import configure_logs
from orchestrator.serving import database, secret_box, units
from orchestrator.settings import Settings


@asynccontextmanager
async def temporary_instance(name: str) -> AsyncIterator[Instance]:
    """Start it; afterwards nothing of it is left. The name is part of its folder's, for whoever finds it."""
    configure_logs(json=False, level="warning")
    with temporary_folder(name) as folder, listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        # Constructed, not read: the environment may name somebody's production database.
        settings = Settings.model_construct(data_dir=folder, port=port, mode="dev", log_level="warning")
        with database(settings, meanwhile=load) as ready:
            async with units(ready) as opened, opened.begin() as unit:
                account = await settle(unit, secret_box(ready), ready, embedded=True)
            assert account is not None
            serving = asyncio.Event()
            server = build_server(ready, serving.set)
            running = asyncio.create_task(server.serve(sockets=[listener]))
            try:
                await asyncio.wait([running, asyncio.create_task(serving.wait())], return_when=asyncio.FIRST_COMPLETED)
                if not serving.is_set():
                    raise CommandFailed("the temporary instance did not start")
                yield Instance(f"http://127.0.0.1:{port}", account.account_id, account.auth_token)
            finally:
                server.should_exit = True
                await running


@asynccontextmanager
async def instance_at(url: str | None, name: str) -> AsyncIterator[Instance]:
    """The running instance at a URL, or a temporary one where none is given."""
    if url is not None:
        yield find_instance(url)
        return
    async with temporary_instance(name) as instance:
        yield instance
