"""Callbacks that fail: what is tried again, when, and what waits for it meanwhile."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from orchestrator.kernel.unit import Units
from orchestrator.outbox import store
from tests.support import traffic
from tests.support.app import Service, running_service
from tests.support.clock import StoppedClock, stop_clock
from tests.support.delivery import SCHEDULE, deliver, deliveries, forget_deliveries
from tests.support.factories import make_configuration
from tests.support.receiver import Received, Receiver, everything_is_fine, receiver
from tests.support.traffic import BY_PROFILE, KIRAN, US

OTHER = "+15550000001"
LEASE = timedelta(seconds=60)


@pytest.fixture
def clock(service: Service) -> StoppedClock:
    return stop_clock(service)


@pytest.fixture
async def hook(service: Service, clock: StoppedClock) -> AsyncIterator[Receiver]:
    """A receiver of everything, and a first message that waits to be told: events 1 to 4."""
    await forget_deliveries(service)
    async with receiver() as running:
        await make_configuration(service, conversationGroupingType=BY_PROFILE, statusCallbacks=[running.callback()])
        await traffic.message(service, KIRAN, US)
        yield running


def failing(sequence: int, status: int = 500) -> Callable[[Received], int]:
    """Answers a failure to the event of this number, 200 to the others."""
    return lambda one: status if one.sequence == sequence else 200


async def attempt(service: Service, hook: Receiver, **options: object) -> list[int]:
    """Deliver what is due; the sequence numbers that were sent."""
    before = len(hook.received)
    await deliver(service, **options)
    return hook.sequences()[before:]


async def test_attempts_carry_the_same_token_and_their_number(
    service: Service, clock: StoppedClock, hook: Receiver
) -> None:
    hook.answer = failing(1, 503)
    for delay in (0, *SCHEDULE.delays[:2]):
        clock.advance(seconds=delay)
        assert await attempt(service, hook) == [1]
    assert len({one.token for one in hook.received}) == 1
    assert len({(one.url, one.body) for one in hook.received}) == 1
    assert [one.headers["Orchestrator-Attempt"] for one in hook.received] == ["1", "2", "3"]
    assert hook.received[0].token == (await deliveries(service))[0]["id"]


@pytest.mark.parametrize("status", [408, 429, 500])
async def test_failures_that_may_pass_are_tried_again_by_the_schedule(
    service: Service, clock: StoppedClock, hook: Receiver, status: int
) -> None:
    hook.answer = failing(1, status)
    assert await attempt(service, hook) == [1]
    head = (await deliveries(service))[0]
    assert (head["status"], head["attempts"], head["last_status"]) == ("PENDING", 1, status)
    for delay in SCHEDULE.delays[:3]:
        clock.advance(seconds=delay - 1)
        assert await attempt(service, hook) == []
        clock.advance(seconds=1)
        hook.answer = hook.answer if delay != SCHEDULE.delays[2] else everything_is_fine
        assert (await attempt(service, hook))[0] == 1
    assert {one["status"] for one in await deliveries(service)} == {"DELIVERED"}


@pytest.mark.parametrize("status", [302, 400, 410])
async def test_failures_that_will_not_pass_are_dead_at_once_and_hold_up_nothing(
    service: Service, clock: StoppedClock, hook: Receiver, status: int
) -> None:
    hook.answer = failing(2, status)
    assert await attempt(service, hook) == [1, 2, 3, 4]
    found = await deliveries(service)
    assert [one["status"] for one in found] == ["DELIVERED", "DEAD", "DELIVERED", "DELIVERED"]
    assert (found[1]["attempts"], found[1]["last_status"]) == (1, status)
    clock.advance(days=2)
    assert await attempt(service, hook) == []


async def test_a_receiver_that_is_not_there_is_tried_again(service: Service, clock: StoppedClock) -> None:
    await forget_deliveries(service)
    async with receiver() as gone:
        pass
    await make_configuration(service, statusCallbacks=[gone.callback()])
    await traffic.message(service, KIRAN, US)
    await deliver(service)
    head = (await deliveries(service))[0]
    assert (head["status"], head["attempts"], head["last_status"]) == ("PENDING", 1, None)
    assert head["last_error"].startswith("connect")


async def test_a_failing_head_holds_up_its_conversation_for_four_attempts_then_is_overtaken(
    service: Service, clock: StoppedClock, hook: Receiver
) -> None:
    hook.answer = failing(2)
    assert await attempt(service, hook) == [1, 2]
    for delay in SCHEDULE.delays[:2]:
        clock.advance(seconds=delay)
        assert await attempt(service, hook) == [2]
    await traffic.message(service, KIRAN, US)
    clock.advance(seconds=SCHEDULE.delays[2])
    assert await attempt(service, hook) == [2, 3, 4, 5]
    await traffic.message(service, KIRAN, US)
    assert await attempt(service, hook) == [6]
    hook.answer = everything_is_fine
    clock.advance(seconds=SCHEDULE.delays[3] - 1)
    assert await attempt(service, hook) == []
    clock.advance(seconds=1)
    assert await attempt(service, hook) == [2]
    assert {one["status"] for one in await deliveries(service)} == {"DELIVERED"}


async def test_other_conversations_do_not_wait(service: Service, clock: StoppedClock, hook: Receiver) -> None:
    await traffic.message(service, OTHER, US)
    first, second = await traffic.conversations(service)
    hook.answer = lambda one: 500 if one.conversation_id == first["id"] else 200
    await deliver(service)
    assert [one.sequence for one in hook.received if one.conversation_id == first["id"]] == [1]
    assert [one.sequence for one in hook.received if one.conversation_id == second["id"]] == [1, 2, 3, 4]


async def test_other_callbacks_do_not_wait(service: Service, clock: StoppedClock) -> None:
    await forget_deliveries(service)
    async with receiver() as hook:
        await make_configuration(service, statusCallbacks=[hook.callback("/broken"), hook.callback("/whole")])
        await traffic.message(service, KIRAN, US)
        hook.answer = lambda one: 500 if one.path == "/broken" else 200
        await deliver(service)
        assert hook.sequences("/broken") == [1]
        assert hook.sequences("/whole") == [1, 2, 3, 4]


async def test_after_the_last_attempt_a_callback_is_dead(service: Service, clock: StoppedClock, hook: Receiver) -> None:
    hook.answer = failing(1)
    for delay in (0, *SCHEDULE.delays):
        clock.advance(seconds=delay)
        await attempt(service, hook)
    assert hook.sequences().count(1) == 6
    head = (await deliveries(service))[0]
    assert (head["status"], head["attempts"], head["next_attempt_at"]) == ("DEAD", 6, None)
    clock.advance(days=2)
    assert await attempt(service, hook) == []


async def test_retry_after_lengthens_the_wait(service: Service, clock: StoppedClock, hook: Receiver) -> None:
    hook.answer, hook.headers = failing(1, 429), {"Retry-After": "90"}
    assert await attempt(service, hook) == [1]
    clock.advance(seconds=89)
    assert await attempt(service, hook) == []
    clock.advance(seconds=1)
    assert await attempt(service, hook) == [1]


async def test_strict_order_waits_until_death(service: Service, clock: StoppedClock, hook: Receiver) -> None:
    hook.answer = failing(2)
    assert await attempt(service, hook, order="strict") == [1, 2]
    for delay in SCHEDULE.delays[:-1]:
        clock.advance(seconds=delay)
        assert await attempt(service, hook, order="strict") == [2]
    clock.advance(seconds=SCHEDULE.delays[-1])
    assert await attempt(service, hook, order="strict") == [2, 3, 4]


async def test_parallel_order_waits_for_nothing(service: Service, clock: StoppedClock, hook: Receiver) -> None:
    hook.answer = failing(2)
    assert sorted(await attempt(service, hook, order="parallel")) == [1, 2, 3, 4]


async def test_retries_survive_a_restart(
    service: Service, clock: StoppedClock, hook: Receiver, database_url: str
) -> None:
    hook.answer = failing(1)
    assert await attempt(service, hook) == [1]
    async with running_service(database_url) as restarted:
        restarted.units.clock = clock
        assert await attempt(restarted, hook) == []
        clock.advance(seconds=SCHEDULE.delays[0])
        hook.answer = everything_is_fine
        assert await attempt(restarted, hook) == [1, 2, 3, 4]
    assert hook.received[0].token == hook.received[1].token
    assert hook.received[1].is_signed_by(service.account.auth_token)


async def claim(units: Units) -> list[store.Delivery]:
    """Take what is due, as a worker does that dies before it has sent anything."""
    async with units.begin() as unit:
        due = (await store.look(unit, None)).due
        claim = await store.claim(unit, dict.fromkeys(due, 10), lease=LEASE, order="bounded", more={})
    (chain,) = claim.chains
    return chain


async def test_a_claim_that_was_never_settled_lapses_and_is_tried_with_the_same_token(
    service: Service, clock: StoppedClock, hook: Receiver
) -> None:
    lost, *_ = await claim(service.units)
    assert await attempt(service, hook) == []
    clock.advance(seconds=LEASE.total_seconds() - 1)
    assert await attempt(service, hook) == []
    clock.advance(seconds=1)
    assert await attempt(service, hook) == [1, 2, 3, 4]
    assert hook.received[0].token == lost.id
    assert hook.received[0].headers["Orchestrator-Attempt"] == "1"


async def test_a_late_settlement_does_not_undo_a_delivery(
    service: Service, clock: StoppedClock, hook: Receiver
) -> None:
    slow, *_ = await claim(service.units)
    clock.advance(seconds=LEASE.total_seconds())
    await deliver(service)
    tried = store.Tried(clock.now(), 60_000.0, 500, "HTTP 500")
    failed = store.Settlement(slow, "PENDING", clock.now(), holds_order=True, tried=tried)
    async with service.units.begin() as unit:
        await store.settle(unit, [failed])
    assert await attempt(service, hook) == []
    assert {one["status"] for one in await deliveries(service)} == {"DELIVERED"}


async def test_a_long_retry_after_does_not_silence_the_conversation(
    service: Service, clock: StoppedClock, hook: Receiver
) -> None:
    hook.answer, hook.headers = failing(1, 503), {"Retry-After": "86400"}
    assert await attempt(service, hook) == [1, 2, 3, 4]
