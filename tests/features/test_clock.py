"""The clock of a service in dev mode, turned over the API: what becomes due happens on the way, at its own time."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from time import monotonic
from typing import Any

import pytest

from orchestrator.devtools import clock, walking
from orchestrator.kernel.clock import SharedClock
from orchestrator.kernel.unit import Unit
from orchestrator.lifecycle.reap import reap
from orchestrator.receiver import verify
from tests.support import traffic
from tests.support.app import Service, api_client
from tests.support.database import worker_database
from tests.support.extractor import failing, fake_extractor, memory
from tests.support.messages import asked
from tests.support.receiver import Received, receiver
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, OTHER_PHONE, US
from tests.support.turning import CLOCK, configure, frozen, shown, steps, turn, turnable

MINUTE, DAY, YEAR = timedelta(minutes=1), timedelta(days=1), timedelta(days=365)


@pytest.fixture(scope="module")
async def own_database() -> AsyncIterator[str]:
    """In which nobody else turns the clock, or leaves something due."""
    async with worker_database("_clock") as url:
        yield url


@pytest.fixture
async def service(own_database: str) -> AsyncIterator[Service]:
    async with turnable(own_database, callback_standard_webhooks=True) as running:
        yield running


async def test_years_pass_while_one_waits(service: Service) -> None:
    async with receiver() as hooks:
        await configure(service, hooks, inactive=525_600, closed=1_576_800)
        start = await frozen(service)
        await traffic.message(service, KIRAN, US)
        turned = await turn(service, "ADVANCE", by="4y")
        assert (turned["isSettled"], turned["nextDeadline"], shown(turned)) == (True, None, start + 4 * YEAR)
        assert steps(turned, start) == [("ACTIVE", "INACTIVE", YEAR), ("INACTIVE", "CLOSED", 3 * YEAR)]
        assert [(one["sequence"], one["status"], one["at"]) for one in turned["deliveries"]] == [
            (5 + number, "DELIVERED", step["at"]) for number, step in enumerate(turned["transitions"])
        ]
        assert hooks.sequences() == [1, 2, 3, 4, 5, 6]
        assert [one.event["timestamp"][:19] for one in hooks.received[4:]] == [
            step["at"][:19] for step in turned["transitions"]
        ]
        for one in hooks.received:  # who looks whether a callback is fresh looks at a clock of their own
            verify(service.account.auth_token, one.url, one.headers, one.body, tolerance=timedelta(minutes=5))
        await reap(service.units, receipts=DAY, uncaptured=DAY, diagnostics=DAY)
        assert (await traffic.only_conversation(service))["status"] == "CLOSED"


async def test_a_failing_callback_is_tried_again_on_the_way(service: Service) -> None:
    def not_at_first(one: Received) -> int:
        return 200 if one.headers["Orchestrator-Attempt"] == "7" or one.sequence > 1 else 503

    async with receiver() as hooks:
        hooks.answer = not_at_first
        await configure(service, hooks)
        await frozen(service)
        await traffic.message(service, KIRAN, US)
        turned = await turn(service, "ADVANCE", by="1d")
        assert turned["isSettled"], turned
        assert {one["status"] for one in turned["deliveries"]} == {"DELIVERED"}
        assert [one["attempts"] for one in turned["deliveries"]] == [7, 1, 1, 1, 1, 1]
        # Four attempts hold up what comes after them; then the conversation goes on without the first.
        assert hooks.sequences() == [1, 1, 1, 1, 2, 3, 4, 5, 1, 6, 1, 1]
    first = turned["deliveries"][0]["id"]
    attempts = (await traffic.get(service, f"/orchestrator/v1/Deliveries/{first}"))["attempts"]
    waited = [timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1_800, 7_200)]
    times = [datetime.fromisoformat(one["startedAt"]) for one in attempts]
    assert all(
        wait <= later - earlier <= 1.1 * wait for earlier, later, wait in zip(times, times[1:], waited, strict=False)
    )


async def test_an_endpoint_that_is_paused_is_tried_when_its_pause_is_over(service: Service) -> None:
    async with receiver() as hooks:
        hooks.answer = lambda _: 503
        await configure(service, hooks)
        await traffic.message(service, KIRAN, US)
        await turn(service, "ADVANCE", by="30m")
        (endpoint,) = (await traffic.get(service, "/orchestrator/v1/Endpoints"))["endpoints"]
        assert endpoint["state"] == "PAUSED"
        hooks.answer = lambda _: 200
        turned = await turn(service, "ADVANCE", by=3 * 3_600)
        assert (turned["isSettled"], {one["status"] for one in turned["deliveries"]}) == (True, {"DELIVERED"})


async def test_messages_and_extractions_are_tried_again_on_the_way(own_database: str) -> None:
    async with receiver() as hooks, fake_extractor() as extractor:
        hooks.answer = lambda _: 200 if len(hooks.received) > 3 else 503
        extractor.answer = failing(503)
        settings: dict[str, Any] = {"extractor_url": extractor.url, "extractor_retry_delays": (60, 3_600)}
        async with (
            turnable(own_database, extract_interval=0.02, **settings) as service,
            memory(service, None) as extracting,
        ):
            await extracting.hear("hello")
            await asked(service, StatusCallback=hooks.url())
            turned = await turn(service, "ADVANCE", by="1d")
            assert turned["isSettled"], turned
            assert len(hooks.received) == 5  # three failures, and two statuses
            assert [one["status"] for one in await extracting.jobs()] == ["FAILED", "FAILED"]
            assert len(extractor.received) == 6


async def test_a_frozen_clock_stands_still_until_it_runs_on_from_there(service: Service) -> None:
    await configure(service)
    start = await frozen(service)
    await traffic.message(service, KIRAN, US)
    assert (await traffic.get(service, CLOCK))["now"] == (await turn(service, "FREEZE"))["now"]
    turned = await turn(service, "ADVANCE", to=(start + 12 * MINUTE).isoformat())
    assert (turned["isFrozen"], shown(turned)) == (True, start + 12 * MINUTE)
    running = await turn(service, "RUN")
    assert (running["isFrozen"], running["transitions"]) == (False, [])
    assert start + 12 * MINUTE <= shown(running) < start + 13 * MINUTE
    assert running["aheadSeconds"] == pytest.approx(720, abs=60)
    assert running["nextDeadline"]["to"] == "CLOSED"
    assert shown(await turn(service, "ADVANCE", by=60)) >= start + 13 * MINUTE


async def test_from_deadline_to_deadline(service: Service) -> None:
    await configure(service)
    start = await frozen(service)
    await traffic.message(service, KIRAN, US)
    await turn(service, "ADVANCE", by="5m")
    await traffic.message(service, KIRAN, US)  # the look that is planned is earlier than the step now
    await traffic.message(service, OTHER_PHONE, US)
    found = []
    for _ in range(2):
        due = (await traffic.get(service, CLOCK))["nextDeadline"]
        turned = await turn(service, "NEXT_DEADLINE")
        assert due["conversationId"] in {one["conversationId"] for one in turned["transitions"]}
        assert turned["now"] == due["at"]
        found.append([(became, after) for _, became, after in steps(turned, start)])
    assert found == [[("INACTIVE", 15 * MINUTE)] * 2, [("CLOSED", 35 * MINUTE)] * 2]
    refusal(await service.api.post(CLOCK, json={"action": "NEXT_DEADLINE"}), 409, 20409)


async def test_very_many_deadlines_share_stops(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "MOST_STOPS", 4)
    monkeypatch.setattr(walking, "FREE_STOPS", 2)
    await configure(service, inactive=None)
    start = await frozen(service)
    for number in range(6):
        await traffic.message(service, f"+1555123456{number}", US)
        await turn(service, "ADVANCE", by="1m")
    turned = await turn(service, "ADVANCE", by="1h")
    found = [after for _, _, after in steps(turned, start)]
    assert len(found) == 6
    assert found[:2] == [30 * MINUTE, 31 * MINUTE]
    assert len(set(found)) <= 4
    assert found == sorted(found)


async def test_what_no_worker_does_is_told(own_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "WITHOUT_PROGRESS", 0.1)
    async with turnable(own_database, worker=False) as service, receiver() as hooks:
        await configure(service, hooks)
        await traffic.message(service, KIRAN, US)
        turned = await turn(service, "ADVANCE", by="1h")
        assert [one["to"] for one in turned["transitions"]] == ["INACTIVE", "CLOSED"]
        assert {one["status"] for one in turned["deliveries"]} == {"PENDING"}
        assert (turned["isSettled"], turned["left"]["deliveries"], turned["left"]["conversations"]) == (False, 6, 0)


def test_patience_lasts_as_long_as_something_gets_done(monkeypatch: pytest.MonkeyPatch) -> None:
    patience = walking.Patience()
    began = monotonic()

    def is_over(after: float, seen: str) -> bool:
        monkeypatch.setattr(walking, "monotonic", lambda: began + after)
        return patience.is_over(seen)

    assert not is_over(0, "two are left")
    assert not is_over(29, "one is left")
    assert not is_over(58, "one is left")
    patience.begin()  # at another stop
    assert not is_over(87, "one is left")
    assert is_over(118, "one is left")
    assert is_over(119, "nobody waits any more")


async def test_every_process_shows_it_and_any_worker_does_what_is_due(service: Service, own_database: str) -> None:
    async with turnable(own_database, worker=False) as other, receiver() as hooks:
        await configure(service, hooks)
        credentials = (service.account.account_id, service.account.auth_token)
        async with api_client(other.app, credentials) as api:
            frozen_at = (await api.post(CLOCK, json={"action": "FREEZE"})).json()["now"]
            assert (await traffic.get(service, CLOCK))["now"] == frozen_at
            await traffic.message(service, KIRAN, US)
            turned = (await api.post(CLOCK, json={"action": "ADVANCE", "by": "1h"})).json()
        assert (turned["isSettled"], hooks.sequences()) == (True, [1, 2, 3, 4, 5, 6])
        assert (await traffic.get(service, CLOCK))["now"] == turned["now"]


async def test_it_runs_on_although_the_database_is_away_as_a_turn_ends(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_on, lost = clock.run_on, [ConnectionError()]

    async def lose_the_connection(unit: Unit, ours: SharedClock) -> None:
        if lost:
            raise lost.pop()
        await run_on(unit, ours)

    monkeypatch.setattr(clock, "run_on", lose_the_connection)
    assert not (await turn(service, "ADVANCE", by="10m"))["isFrozen"]


async def test_two_turns_come_one_after_the_other(service: Service) -> None:
    await configure(service)
    start = await frozen(service)
    await traffic.message(service, KIRAN, US)
    both = await asyncio.gather(*(turn(service, "ADVANCE", by="20m") for _ in range(2)))
    first, second = sorted(both, key=shown)
    assert [shown(first), shown(second)] == [start + 20 * MINUTE, start + 40 * MINUTE]
    assert steps(first, start) == [("ACTIVE", "INACTIVE", 10 * MINUTE)]
    assert steps(second, start) == [("INACTIVE", "CLOSED", 30 * MINUTE)]


async def test_it_is_put_back_unless_something_would_then_lie_in_the_future(service: Service) -> None:
    await turn(service, "ADVANCE", by="1y")
    assert abs((await turn(service, "RESET"))["aheadSeconds"]) == 0
    await turn(service, "ADVANCE", by="1h")
    await traffic.message(service, KIRAN, US)
    refusal(await service.api.post(CLOCK, json={"action": "RESET"}), 409, 20409)  # also of what landed nowhere
    await configure(service)
    await turn(service, "ADVANCE", by="1d")
    await traffic.message(service, KIRAN, US)
    details = refusal(await service.api.post(CLOCK, json={"action": "RESET"}), 409, 20409)["details"]
    assert details["newest"] > (await turn(service, "FREEZE"))["now"][:10]
    back = await turn(service, "RESET", force=True)
    assert (back["aheadSeconds"], back["isFrozen"]) == (0, False)
    assert (await turn(service, "RESET"))["aheadSeconds"] == 0, "it needs no force where nothing goes back"
