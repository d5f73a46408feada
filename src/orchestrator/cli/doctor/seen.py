"""What the doctor sees of an account over the API: fetched once, judged by the checks."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from orchestrator.cli.api import Api, Refused
from orchestrator.domain.configuration import Settings, settings_from_wire
from orchestrator.kernel.clock import Clock, rest_time

Body = Mapping[str, Any]

LOOKED_AT = 200
"""Conversations, deliveries and traces that are looked at: the newest."""
RECENT = timedelta(days=1)
LATE = timedelta(minutes=1)
"""What has been due for so long is late."""


@dataclass(frozen=True)
class Configured:
    """A configuration, as the API shows it and as values."""

    body: Body

    @cached_property
    def settings(self) -> Settings:
        return settings_from_wire(self.body)

    @property
    def id(self) -> str:
        return str(self.body["id"])

    @property
    def name(self) -> str:
        return f"configuration {self.body['displayName']} ({self.id})"


@dataclass(frozen=True)
class Seen:
    """One account of an instance."""

    now: datetime
    """By the service's clock, which may be turned."""
    configurations: tuple[Configured, ...] = ()
    """In the order of their creation, which is the order in which they capture."""
    numbers: frozenset[str] = frozenset()
    """The account's own addresses, in canonical form."""
    stores_missing: frozenset[str] = frozenset()
    conversations: tuple[Body, ...] = ()
    """The newest ones."""
    endpoints: tuple[Body, ...] = ()
    dead: tuple[Body, ...] = ()
    """Deliveries that were given up lately."""
    waiting: tuple[Body, ...] = ()
    """Deliveries that were recorded a while ago and not settled."""
    uncaptured: tuple[Body, ...] = ()
    """Traffic of the last day that landed nowhere."""
    diagnostics: tuple[Body, ...] = ()
    """What went wrong with profiles in the last day."""
    clock: Body | None = None
    """The clock that can be turned, where there is one."""


async def see(api: Api) -> Seen:
    """Fetch it. Raises CommandFailed, of which Refused is a kind."""
    clock = await _clock(api)
    now = datetime.fromisoformat(clock["now"]) if clock else Clock().now()
    bodies = [one async for one in api.every("/v2/ControlPlane/Configurations", "configurations")]
    configurations = tuple(Configured(body) for body in reversed(bodies))
    recent, due = rest_time(now - RECENT), rest_time(now - LATE)
    numbers = [str(one["canonicalAddress"]) async for one in api.every("/orchestrator/v1/Numbers", "numbers")]
    deliveries = "/orchestrator/v1/Deliveries"
    return Seen(
        now,
        configurations,
        frozenset(numbers),
        await _missing(api, {str(one.body["memoryStoreId"]) for one in configurations}),
        await _newest(api, "/v2/Conversations", "conversations"),
        tuple([one async for one in api.every("/orchestrator/v1/Endpoints", "endpoints")]),
        await _newest(api, deliveries, "deliveries", status="DEAD", createdAfter=recent),
        await _newest(api, deliveries, "deliveries", status="PENDING", createdBefore=due),
        await _since(api, "/orchestrator/v1/Uncaptured", "uncaptured", "receivedAt", recent),
        await _since(api, "/orchestrator/v1/Diagnostics", "diagnostics", "occurredAt", recent),
        clock,
    )


async def _newest(api: Api, path: str, key: str, **query: str) -> tuple[Body, ...]:
    return tuple((await api.get(path, pageSize=str(LOOKED_AT), **query))[key])


async def _since(api: Api, path: str, key: str, field: str, moment: str) -> tuple[Body, ...]:
    # All times are UTC in one form, which sorts as text.
    return tuple(one for one in await _newest(api, path, key) if one[field] >= moment)


async def _missing(api: Api, stores: set[str]) -> frozenset[str]:
    async def is_missing(store_id: str) -> bool:
        return await _found(api, f"/v1/ControlPlane/Stores/{store_id}") is None

    ordered = sorted(stores)
    missing = await asyncio.gather(*(is_missing(store_id) for store_id in ordered))
    return frozenset(store_id for store_id, gone in zip(ordered, missing, strict=True) if gone)


async def _clock(api: Api) -> Body | None:
    return await _found(api, "/orchestrator/v1/Clock")


async def _found(api: Api, path: str) -> Body | None:
    """A resource; None where there is none."""
    try:
        body: Body = await api.get(path)
    except Refused as refused:
        if refused.status == 404:
            return None
        raise
    return body
