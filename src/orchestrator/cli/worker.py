"""`orchestrator worker`: the background loops alone, beside servers started with `--no-worker`."""

import asyncio
import contextlib
import signal
from typing import TYPE_CHECKING

from orchestrator.cli.errors import WrongUsage
from orchestrator.cli.settings import read_settings

if TYPE_CHECKING:
    from orchestrator.settings import Settings


def worker() -> None:
    """Run the background loops (callbacks, timers) on the database in ORCHESTRATOR_DATABASE_URL."""
    import uvloop

    from orchestrator.kernel.telemetry import configure_logs

    settings = read_settings()
    if settings.database_url is None:
        raise WrongUsage("set ORCHESTRATOR_DATABASE_URL: the embedded database is served by `orchestrator serve`")
    configure_logs(json=settings.writes_json_logs, level=settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, contextlib.suppress(asyncio.CancelledError):
        runner.run(_run(settings))


async def _run(settings: "Settings") -> None:
    ourselves = asyncio.current_task()
    assert ourselves is not None
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ourselves.cancel)
    import structlog

    from orchestrator.accounts.authentication import Authenticator
    from orchestrator.serving import refuse_turned_clock, secret_box, units
    from orchestrator.worker import Worker

    log = structlog.get_logger(__name__)
    async with units(settings, pool_size=settings.database_pool_size) as opened:
        async with opened.begin() as unit:
            await refuse_turned_clock(unit, settings)
        log.info("the worker runs")
        try:
            await Worker(settings, opened, Authenticator(opened, secret_box(settings))).run()
        finally:
            log.info("the worker has stopped")
