"""A service of its own whose clock is turned over the API, with everything that a worker does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from orchestrator.kernel.clock import SharedClock
from tests.support import traffic
from tests.support.app import Service, running_service
from tests.support.factories import make_configuration
from tests.support.receiver import Receiver
from tests.support.traffic import BY_ADDRESSES, US

CLOCK = "/orchestrator/v1/Clock"
_LEFT_BEHIND = (
    "conversations",
    "communications",
    "events",
    "deliveries",
    "messages",
    "uncaptured",
    "extraction_jobs",
    "clock",
)


@asynccontextmanager
async def turnable(database_url: str, *, worker: bool = True, **settings: Any) -> AsyncIterator[Service]:
    """A service in dev mode; in the end, time has left nothing behind that is later than now, or due."""
    async with running_service(database_url, worker=worker, **settings) as service:
        let_turn(service)
        try:
            yield service
        finally:
            for table in _LEFT_BEHIND:
                await service.fetch(f"delete from {table}")


def let_turn(service: Service) -> None:
    """Give the service a clock that can be turned, and shows what the test's own does as long as nobody turns it."""
    service.units.clock = SharedClock(service.clock)


async def turn(service: Service, action: str, **more: Any) -> dict[str, Any]:
    """Turn the clock; what came of it."""
    response = await service.api.post(CLOCK, json={"action": action, **more})
    assert response.status_code == 200, response.text
    turned: dict[str, Any] = response.json()
    return turned


async def frozen(service: Service) -> datetime:
    """Let the clock stand still; what it shows."""
    return shown(await turn(service, "FREEZE"))


def shown(clock: dict[str, Any]) -> datetime:
    """What it shows."""
    return datetime.fromisoformat(clock["now"])


async def configure(
    service: Service, receiver: Receiver | None = None, *, inactive: int | None = 10, closed: int | None = 30
) -> None:
    """Have SMS captured, with timers in minutes; the receiver is told."""
    settings = {"SMS": traffic.channel(*traffic.both_ways(US), inactive=inactive, closed=closed)}
    callbacks = [receiver.callback()] if receiver else []
    await make_configuration(
        service, conversationGroupingType=BY_ADDRESSES, channelSettings=settings, statusCallbacks=callbacks
    )


def steps(turned: dict[str, Any], start: datetime) -> list[tuple[str, str, timedelta]]:
    """What became of conversations, and how long after the start."""
    return [(one["from"], one["to"], datetime.fromisoformat(one["at"]) - start) for one in turned["transitions"]]
