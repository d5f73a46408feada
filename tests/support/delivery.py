"""Deliverers for tests: each run delivers what is due by the service's clock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from orchestrator.accounts.authentication import Authenticator
from orchestrator.accounts.signers import Signers
from orchestrator.domain.backoff import Backoff
from orchestrator.domain.pausing import Pausing
from orchestrator.outbox.client import CallbackClient
from orchestrator.outbox.deliver import Deliverer
from orchestrator.outbox.store import Order
from tests.support.app import Service

SCHEDULE = Backoff(delays=(5, 30, 120, 600, 1_800), jitter=0)
"""Seconds between attempts; after the sixth failure a callback is dead."""
PATIENT = Pausing(failures=1_000)
"""Pauses no endpoint."""


@asynccontextmanager
async def deliverer(
    service: Service,
    *,
    backoff: Backoff = SCHEDULE,
    pausing: Pausing = PATIENT,
    order: Order = "bounded",
    concurrency: int = 64,
    read_timeout: float = 10,
) -> AsyncIterator[Deliverer]:
    """What a worker delivers with."""
    authenticator: Authenticator = service.app.state.authenticator
    settings = service.settings
    signers = Signers(authenticator, settings.callback_signature_algorithm, settings.callback_standard_webhooks)
    async with CallbackClient(
        allow_insecure=True, connect_timeout=2, read_timeout=read_timeout, connections_per_host=0
    ) as client:
        yield Deliverer(
            service.units, client, signers, backoff, pausing, order=order, concurrency=concurrency, interval=0.05
        )


async def deliver(service: Service, **options: Any) -> None:
    """Deliver what is due now, with a deliverer that knows nothing of any other."""
    async with deliverer(service, **options) as running:
        await running.run_once()


async def until_delivered(service: Service, count: int) -> None:
    """Wait until as many callbacks have been delivered, and that has been written down."""
    async with asyncio.timeout(10):
        while [one["status"] for one in await deliveries(service)] != ["DELIVERED"] * count:
            pass  # the look into the database is the pause


async def forget_deliveries(service: Service) -> None:
    """Drop what other tests have left to deliver in this database."""
    await service.fetch("delete from deliveries")


async def deliveries(service: Service) -> list[dict[str, Any]]:
    """The account's deliveries in the order of their events."""
    rows = await service.fetch(
        "select id, sequence, url, status, attempts, last_status, last_error, next_attempt_at, holds_order "
        "from deliveries where account_id = $1 order by conversation_id, sequence, url",
        service.account.account_id,
    )
    return [dict(row) for row in rows]
