"""Whatever is killed, and whenever: no message is lost, and none is sent twice."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, NoReturn

import pytest

from orchestrator.actions import store
from orchestrator.actions.loopback import Loopback
from orchestrator.actions.model import Action, Message
from orchestrator.actions.senders import Sent
from tests.support import traffic
from tests.support.app import Service
from tests.support.clock import StoppedClock, stop_clock
from tests.support.performing import (
    asked,
    between_kiran_and_us,
    claim,
    forget_actions,
    nothing_said,
    now,
    perform,
    performer,
    sending,
    sent_once,
    with_kiran,
)
from tests.support.provider import Provider, messages_api, provider

LEASE = timedelta(seconds=60)


class Killed(BaseException):
    """The process ends here, as far as the database can tell."""


class Dying(Loopback):
    """Dies while it sends."""

    async def send(self, message: Message) -> NoReturn:
        raise Killed


class Slow(Loopback):
    """Sends once it is let."""

    def __init__(self) -> None:
        self.asked, self.let = asyncio.Event(), asyncio.Event()

    async def send(self, message: Message) -> Sent:
        self.asked.set()
        await self.let.wait()
        return await super().send(message)


@pytest.fixture(autouse=True)
async def nothing_left(service: Service) -> None:
    await forget_actions(service)


@pytest.fixture
def clock(service: Service) -> StoppedClock:
    return stop_clock(service)


@pytest.fixture
async def conversation(service: Service, clock: StoppedClock) -> dict[str, Any]:
    return await between_kiran_and_us(service)


@pytest.fixture
async def twilio() -> AsyncIterator[Provider]:
    async with provider() as running:
        yield running


async def after_the_lease(service: Service, clock: StoppedClock) -> int:
    """Perform once the claim of whoever died has lapsed, and not before."""
    clock.advance(seconds=LEASE.total_seconds() - 1)
    assert await perform(service) == 0
    clock.advance(seconds=1)
    return await perform(service)


async def test_killed_after_the_claim(service: Service, clock: StoppedClock, conversation: dict[str, Any]) -> None:
    action = await asked(service, conversation)
    await claim(service)
    assert await perform(service) == 0
    assert await after_the_lease(service, clock) == 1
    await sent_once(service, action)


async def test_killed_while_sending(service: Service, clock: StoppedClock, conversation: dict[str, Any]) -> None:
    """With the SID that was chosen beforehand, a second attempt is the same message."""
    action = await asked(service, conversation)
    with pytest.raises(Killed):
        await perform(service, Dying())
    assert (await now(service, action))["status"] == "PENDING"
    assert await after_the_lease(service, clock) == 1
    await sent_once(service, action)


async def test_killed_while_settling(
    service: Service, clock: StoppedClock, conversation: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    action = await asked(service, conversation)

    async def die(*_: object) -> NoReturn:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(store, "complete", die)
        with pytest.raises(Killed):
            await perform(service)
    await nothing_said(service, action)
    assert await after_the_lease(service, clock) == 1
    await sent_once(service, action)


async def test_killed_while_somebody_else_sends(
    service: Service, clock: StoppedClock, conversation: dict[str, Any], twilio: Provider
) -> None:
    """The provider may have the message, so it never gets it again."""
    action = await asked(service, conversation)
    twilio.open.clear()
    async with messages_api(service, twilio.origin) as sender:
        performing = asyncio.create_task(perform(service, sender))
        await twilio.until(1)
        performing.cancel()
        await asyncio.wait([performing])
        twilio.open.set()
        clock.advance(seconds=LEASE.total_seconds())
        assert await perform(service, sender) == 1
    failed = await now(service, action)
    assert (failed["status"], failed["related"]) == ("FAILED", {})
    assert failed["failureReason"].startswith("it is unknown whether the message was sent")
    assert len(twilio.received) == 1
    await nothing_said(service, action)


async def test_killed_before_it_was_handed_over_is_sent(
    service: Service, clock: StoppedClock, conversation: dict[str, Any], twilio: Provider
) -> None:
    action = await asked(service, conversation)
    await claim(service)
    clock.advance(seconds=LEASE.total_seconds())
    async with messages_api(service, twilio.origin) as sender:
        assert await perform(service, sender) == 1
    assert (await now(service, action))["status"] == "COMPLETED"
    assert len(twilio.received) == 1


async def test_two_performers_at_once_send_every_message_once(service: Service, twilio: Provider) -> None:
    conversations = [await with_kiran(service) for _ in range(4)]
    actions = [
        await asked(service, conversation, sending(f"{turn}")) for turn in range(3) for conversation in conversations
    ]
    async with messages_api(service, twilio.origin) as sender:
        shares = await asyncio.gather(*(performer(service, sender).run_once() for _ in range(3)))
    assert sum(shares) == len(actions)
    assert len(twilio.received) == len(actions)
    assert [(await now(service, action))["status"] for action in actions] == ["COMPLETED"] * len(actions)
    assert await traffic.texts(service) == [["0", "1", "2"]] * 4


async def test_a_claim_that_has_lapsed_is_another_performers(
    service: Service, clock: StoppedClock, conversation: dict[str, Any]
) -> None:
    action = await asked(service, conversation)
    slow = await claim(service)
    clock.advance(seconds=LEASE.total_seconds())
    fast = await claim(service)
    await performer(service).perform(slow)
    await nothing_said(service, action)
    await performer(service).perform(fast)
    await performer(service).perform(slow)
    await sent_once(service, action)


async def test_the_claim_is_held_anew_when_the_message_is_handed_over(
    service: Service, clock: StoppedClock, conversation: dict[str, Any], twilio: Provider
) -> None:
    """A performer that was held up before it sent has the whole time for sending."""
    action = await asked(service, conversation)
    claimed = await claim(service)
    clock.advance(seconds=LEASE.total_seconds() - 1)
    twilio.open.clear()
    async with messages_api(service, twilio.origin) as sender:
        performing = asyncio.create_task(performer(service, sender).perform(claimed))
        await twilio.until(1)
        clock.advance(seconds=LEASE.total_seconds() - 1)
        assert await perform(service, sender) == 0
        twilio.open.set()
        await performing
    assert (await now(service, action))["status"] == "COMPLETED"


async def test_handing_over_may_be_written_down_again_by_the_same_performer_only(
    service: Service, clock: StoppedClock, conversation: dict[str, Any]
) -> None:
    """The connection was lost while it committed, and it was written again; anybody else would be a second sender."""
    await asked(service, conversation)
    claimed, until = await claim(service), clock.now() + 2 * LEASE

    async def hand_over() -> Action | None:
        async with service.units.begin() as unit:
            return await store.hand_over(unit, claimed, until)

    first = await hand_over()
    assert first is not None
    assert await hand_over() == first
    assert (first.attempts, first.next_attempt_at) == (1, until)
    clock.advance(seconds=2 * LEASE.total_seconds())
    await claim(service)
    assert await hand_over() is None


async def test_two_who_send_the_same_message_capture_it_once(
    service: Service, clock: StoppedClock, conversation: dict[str, Any]
) -> None:
    action = await asked(service, conversation)
    slow = Slow()
    first = asyncio.create_task(perform(service, slow))
    await slow.asked.wait()
    clock.advance(seconds=LEASE.total_seconds())
    assert await perform(service) == 1
    await sent_once(service, action)
    slow.let.set()
    assert await first == 1
    await sent_once(service, action)


async def test_an_answer_after_the_action_was_given_up_is_captured_and_changes_no_verdict(
    service: Service, clock: StoppedClock, conversation: dict[str, Any], twilio: Provider
) -> None:
    action = await asked(service, conversation)
    twilio.open.clear()
    async with messages_api(service, twilio.origin) as sender:
        first = asyncio.create_task(perform(service, sender))
        await twilio.until(1)
        clock.advance(seconds=LEASE.total_seconds())
        assert await perform(service, sender) == 1
        failed = await now(service, action)
        assert failed["status"] == "FAILED"
        twilio.open.set()
        assert await first == 1
    assert await now(service, action) == failed
    assert [one["content"]["text"] for one in await traffic.communications(service, conversation)] == [
        "your parcel has left"
    ]
    assert len(twilio.received) == 1


async def test_a_stopping_performer_settles_what_it_is_sending(service: Service, conversation: dict[str, Any]) -> None:
    action = await asked(service, conversation)
    slow = Slow()
    running = asyncio.create_task(performer(service, slow).run())
    await slow.asked.wait()
    running.cancel()
    await asyncio.sleep(0)
    slow.let.set()
    await asyncio.wait([running])
    await sent_once(service, action)
