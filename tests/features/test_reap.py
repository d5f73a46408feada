"""What is past its keeping is thrown away, and nothing else."""

import uuid
from datetime import timedelta

from orchestrator.lifecycle.reap import reap
from orchestrator.outbox.retention import Kept
from tests.support import traffic
from tests.support.app import Service
from tests.support.clock import stop_clock
from tests.support.factories import configuration_body
from tests.support.traffic import KIRAN, OTHER_PHONE, US

REAPED = ("receipts", "uncaptured", "diagnostics", "calls", "idempotency_keys")


async def rows(service: Service) -> dict[str, int]:
    return {
        table: len(await service.fetch(f"select from {table} where account_id = $1", service.account.account_id))
        for table in (*REAPED, "operations", "communications", "events")
    }


async def throw_away(service: Service) -> None:
    days = {name: timedelta(days=number) for name, number in (("receipts", 30), ("uncaptured", 7), ("diagnostics", 20))}
    await reap(service.units, **days, outbox=Kept(events=timedelta(days=100)))


async def test_each_kind_is_kept_for_its_time(service: Service) -> None:
    clock = stop_clock(service)
    await service.api.post(
        "/v2/ControlPlane/Configurations", json=configuration_body(), headers={"Idempotency-Key": str(uuid.uuid4())}
    )
    await traffic.message(service, KIRAN, US)
    await traffic.message(service, KIRAN, OTHER_PHONE, "uncaptured")
    await traffic.message(service, "AcmeShop", US, "whom nobody can recognise")
    await traffic.speech(service, KIRAN, US)
    everything = await rows(service)
    assert [everything[table] for table in (*REAPED, "operations")] == [4, 1, 1, 1, 1, 1]
    for age, gone in (
        (timedelta(hours=24), "idempotency_keys"),
        (timedelta(days=2), "calls"),
        (timedelta(days=7), "uncaptured"),
        (timedelta(days=20), "diagnostics"),
        (timedelta(days=30), "receipts"),
    ):
        start = clock.moment
        clock.moment = start + age
        await throw_away(service)
        assert await rows(service) == everything
        clock.advance(seconds=1)
        await throw_away(service)
        everything[gone] = 0
        assert await rows(service) == everything
        clock.moment = start
