"""Between the asking and the settling conversations end, databases go away, and programs turn out to be wrong."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NoReturn

import pytest

from orchestrator.actions import settling, store
from orchestrator.actions.loopback import Loopback
from orchestrator.actions.model import Action, Message
from orchestrator.actions.senders import Sent
from tests.support import traffic
from tests.support.app import Service
from tests.support.clock import StoppedClock, stop_clock
from tests.support.performing import (
    asked,
    between_kiran_and_us,
    forget_actions,
    nothing_said,
    now,
    perform,
    performer,
    sent_once,
)
from tests.support.provider import Provider, messages_api, provider


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


async def test_the_database_going_away_after_the_sending_loses_nothing(
    service: Service, conversation: dict[str, Any], monkeypatch: pytest.MonkeyPatch, twilio: Provider
) -> None:
    action = await asked(service, conversation)
    whole, failures = store.complete, [ConnectionResetError(), ConnectionResetError()]

    async def fail_at_first(*args: Any) -> bool:
        if failures:
            raise failures.pop()
        return await whole(*args)

    monkeypatch.setattr(store, "complete", fail_at_first)
    async with messages_api(service, twilio.origin) as sender:
        await perform(service, sender)
    assert failures == []
    assert (await now(service, action))["status"] == "COMPLETED"
    assert len(await traffic.communications(service, conversation)) == len(twilio.received) == 1


async def test_a_commit_of_which_nobody_heard_is_not_made_twice(
    service: Service, conversation: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection was lost while it committed: the second attempt finds everything done."""
    action = await asked(service, conversation)
    whole = performer(service)
    settled: list[Action] = []
    original = settling.complete_captured

    async def settle_elsewhere_first(unit: Any, action: Action, sent: Sent, **options: Any) -> None:
        if not settled:
            settled.append(action)
            async with service.units.begin() as another:
                await original(another, action, sent, **options)
            raise ConnectionResetError
        await original(unit, action, sent, **options)

    monkeypatch.setattr(settling, "complete_captured", settle_elsewhere_first)
    assert await whole.run_once() == 1
    await sent_once(service, action)


async def test_a_message_that_cannot_be_captured_was_sent_all_the_same(
    service: Service, conversation: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    action = await asked(service, conversation)

    async def broken(*_: Any, **__: Any) -> NoReturn:
        raise RuntimeError("a mistake in the program")

    monkeypatch.setattr(settling, "capture", broken)
    assert await perform(service) == 1
    completed = await now(service, action)
    assert (completed["status"], completed["related"]) == ("COMPLETED", action["related"])
    await nothing_said(service, action)


async def test_a_sender_that_breaks_is_tried_again_if_that_is_the_same_message(
    service: Service, clock: StoppedClock, conversation: dict[str, Any]
) -> None:
    class Broken(Loopback):
        async def send(self, message: Message) -> NoReturn:
            raise RuntimeError("a mistake in the program")

    action = await asked(service, conversation)
    assert await perform(service, Broken()) == 1
    assert (await now(service, action))["status"] == "PENDING"
    clock.advance(seconds=5)
    assert await perform(service) == 1
    await sent_once(service, action)


async def test_a_conversation_closed_meanwhile_gets_no_message(
    service: Service, conversation: dict[str, Any], twilio: Provider
) -> None:
    action = await asked(service, conversation)
    await traffic.change(service, conversation, status="CLOSED")
    async with messages_api(service, twilio.origin) as sender:
        assert await perform(service, sender) == 1
    failed = await now(service, action)
    assert (failed["status"], failed["related"]) == ("FAILED", {})
    assert failed["failureReason"] == "the conversation was closed before the message was sent"
    assert failed["completedAt"] is not None
    assert twilio.received == []


async def test_nor_does_one_whose_time_is_over(
    service: Service, clock: StoppedClock, conversation: dict[str, Any]
) -> None:
    action = await asked(service, conversation)
    clock.advance(minutes=60)
    assert await perform(service) == 1
    assert (await now(service, action))["status"] == "FAILED"
    await nothing_said(service, action)


async def test_a_conversation_closed_while_the_message_is_sent(
    service: Service, conversation: dict[str, Any], twilio: Provider
) -> None:
    action = await asked(service, conversation)
    before = await traffic.row_counts(service, without=["events"])
    twilio.open.clear()
    async with messages_api(service, twilio.origin) as sender:
        performing = asyncio.create_task(perform(service, sender))
        await twilio.until(1)
        await traffic.change(service, conversation, status="CLOSED")
        twilio.open.set()
        await performing
    completed = await now(service, action)
    assert completed["status"] == "COMPLETED"
    assert set(completed["related"]) == {"messageSid"}
    after = await traffic.row_counts(service, without=["events"])
    assert after == {**before, "conversation_keys": before["conversation_keys"] - 1}


async def test_a_conversation_deleted_meanwhile(service: Service, conversation: dict[str, Any]) -> None:
    action = await asked(service, conversation)
    response = await service.api.delete(f"/v2/Conversations/{conversation['id']}")
    assert response.status_code == 202, response.text
    assert await perform(service) == 0
    path = f"/v2/Conversations/{conversation['id']}/Actions/{action['id']}"
    assert (await service.api.get(path)).status_code == 404


async def test_an_action_that_outlives_its_conversation_fails(service: Service, conversation: dict[str, Any]) -> None:
    """It was written while the conversation was being deleted."""
    action = await asked(service, conversation)
    await service.fetch("delete from conversations where id = $1", conversation["id"])
    assert await perform(service) == 1
    (row,) = await service.fetch("select status, failure_reason from actions where id = $1", action["id"])
    assert tuple(row) == ("FAILED", "the conversation was deleted before the message was sent")


async def test_a_conversation_deleted_while_the_message_is_sent(
    service: Service, conversation: dict[str, Any], twilio: Provider
) -> None:
    await asked(service, conversation)
    twilio.open.clear()
    async with messages_api(service, twilio.origin) as sender:
        performing = asyncio.create_task(perform(service, sender))
        await twilio.until(1)
        response = await service.api.delete(f"/v2/Conversations/{conversation['id']}")
        assert response.status_code == 202, response.text
        rows = await traffic.row_counts(service)
        twilio.open.set()
        assert await performing == 1
    assert await traffic.row_counts(service) == rows
