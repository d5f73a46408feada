"""Traffic and callbacks counted by minute, hour and day."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.kernel.ids import new_id
from orchestrator.statistics import counting
from tests.support import traffic
from tests.support.app import Service
from tests.support.clock import stop_clock
from tests.support.factories import make_configuration
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, US

PATH = "/orchestrator/v1/Statistics"
NO_LANDINGS = {"new": 0, "joined": 0, "reopened": 0, "placed": 0, "uncaptured": 0}
NOTHING = {
    "communications": 0,
    "channels": {},
    "landings": NO_LANDINGS,
    "deliveries": {"delivered": 0, "dead": 0, "failedAttempts": 0, "latency": None},
}


async def statistics(service: Service, **query: Any) -> dict[str, Any]:
    return await traffic.get(service, PATH, **query)


def happened(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The pieces in which something did, by their beginning."""
    return {
        one["at"]: {name: value for name, value in one.items() if name != "at"}
        for one in answer["buckets"]
        if {name: value for name, value in one.items() if name != "at"} != NOTHING
    }


def wire(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


async def test_traffic_is_counted_where_it_happened(service: Service) -> None:
    clock = stop_clock(service)
    await make_configuration(service)
    minute = clock.now().replace(second=0, microsecond=0)
    await traffic.message(service, KIRAN, US)
    await traffic.message(service, f"whatsapp:{KIRAN}", f"whatsapp:{US}")
    await traffic.message(service, KIRAN, "+16505550000")
    clock.advance(minutes=2)
    await traffic.message(service, US, KIRAN)
    answer = await statistics(service)
    assert (answer["by"], len(answer["buckets"]), answer["isComplete"]) == ("MINUTE", 60, True)
    assert answer["buckets"][-1]["at"] == wire(clock.now().replace(second=0, microsecond=0))
    assert happened(answer) == {
        wire(minute): {
            **NOTHING,
            "communications": 2,
            "channels": {"SMS": 1, "WHATSAPP": 1},
            "landings": {**NO_LANDINGS, "new": 1, "joined": 1, "uncaptured": 1},
        },
        wire(minute + timedelta(minutes=2)): {
            **NOTHING,
            "communications": 1,
            "channels": {"SMS": 1},
            "landings": {**NO_LANDINGS, "joined": 1},
        },
    }
    by_day = happened(await statistics(service, by="DAY"))
    assert sum(one["communications"] for one in by_day.values()) == 3
    before = await statistics(service, by="HOUR", to=wire(minute - timedelta(hours=2)))
    assert (len(before["buckets"]), happened(before)) == (48, {})


async def test_callbacks_are_counted_with_how_long_they_took(service: Service) -> None:
    minute = datetime(2026, 2, 3, 9, 15, tzinfo=UTC)
    for number, (status, seconds) in enumerate((("DELIVERED", 1), ("DELIVERED", 3), ("DEAD", 5))):
        delivery = new_id("orch_delivery")
        values = (service.account.account_id, delivery, number, status, minute, minute + timedelta(seconds=seconds))
        await service.fetch(
            "insert into deliveries (account_id, id, conversation_id, sequence, url, method, status, holds_order,"
            " created_at, settled_at) values ($1, $2, 'c', $3, 'u', 'POST', $4, false, $5, $6) returning 1",
            *values,
        )
        await service.fetch(
            "insert into delivery_attempts (account_id, conversation_id, delivery_id, number, started_at, duration_ms,"
            " error) values ($1, 'c', $2, 1, $3, 1, $4) returning 1",
            service.account.account_id,
            delivery,
            minute,
            "refused" if status == "DEAD" else None,
        )
    answer = await statistics(service, **{"from": wire(minute), "to": wire(minute + timedelta(minutes=5))})
    assert len(answer["buckets"]) == 6
    latency = {"p50": 2000.0, "p95": 2900.0}
    counted = {"delivered": 2, "dead": 1, "failedAttempts": 1, "latency": latency}
    assert happened(answer) == {wire(minute): {**NOTHING, "deliveries": counted}}


async def test_wrong_requests(service: Service) -> None:
    at = "2026-02-03T09:15:00Z"
    for query, field in (
        ({"by": "WEEK"}, "by"),
        ({"by": "\x00"}, "by"),
        ({"from": "yesterday"}, "from"),
        ({"to": "1770110100"}, "to"),
        ({"to": "0999-01-01T00:00:00Z"}, "to"),
        ({"from": "\x00"}, "from"),
        ({"from": at, "to": "2026-02-03T09:14:00Z"}, "from"),
        ({"from": at, "to": "2026-02-03T12:35:00Z"}, "from"),
        ({"from": "1000-01-01T00:00:00Z", "by": "DAY"}, "from"),
    ):
        error = refusal(await service.api.get(PATH, params=query), 400, 20001)
        assert error["params"]["field"] == field, query
    longest = await statistics(service, **{"from": at, "to": "2026-02-03T12:34:59Z"})
    assert len(longest["buckets"]) == 200
    for to in ("1000-01-01T00:00:00Z", "9998-12-31T23:59:59Z"):
        await statistics(service, to=to)


async def test_counting_is_bounded(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    await make_configuration(service)
    for _ in range(3):
        await traffic.message(service, KIRAN, US)
    monkeypatch.setattr(counting, "MOST_COUNTED", 2)
    answer = await statistics(service, by="DAY")
    assert (sum(one["communications"] for one in answer["buckets"]), answer["isComplete"]) == (2, False)
    monkeypatch.setattr(
        counting, "_SAID", "select pg_sleep(9), $1::text, $2::timestamptz, $3::timestamptz, $4::float, $5::text"
    )
    monkeypatch.setattr(counting, "_SECONDS", 0.05)
    answer_ = await service.api.get(PATH)
    refusal(answer_, 503, 20503)
    assert answer_.headers["Retry-After"] == "10"
