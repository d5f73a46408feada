"""Status callbacks: every event, in order, signed, once for each callback."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support import traffic
from tests.support.app import Service, running_service
from tests.support.delivery import deliver, deliveries, forget_deliveries, until_delivered
from tests.support.factories import make_configuration
from tests.support.receiver import Receiver, receiver
from tests.support.traffic import BY_PROFILE, KIRAN, US


@pytest.fixture
async def hook(service: Service) -> AsyncIterator[Receiver]:
    await forget_deliveries(service)
    async with receiver() as running:
        yield running


async def configure(service: Service, *callbacks: dict[str, str]) -> str:
    return await make_configuration(service, conversationGroupingType=BY_PROFILE, statusCallbacks=[*callbacks])


async def test_every_kind_of_event_arrives_in_order_with_its_resource(service: Service, hook: Receiver) -> None:
    await configure(service, hook.callback())
    sid = await traffic.message(service, US, KIRAN, "your parcel has left")
    await traffic.message(service, f"whatsapp:{KIRAN}", f"whatsapp:{US}", "thanks")
    report = {"MessageSid": sid, "MessageStatus": "read"}
    assert (await service.post_webhook("/ingest/twilio/message-status", report)).status_code == 200
    conversation = await traffic.only_conversation(service)
    closed = await traffic.change(service, conversation, status="CLOSED", name="Parcel")
    await deliver(service)
    agent, customer = closed["participants"]
    written, answered = await traffic.communications(service, closed)
    last_of: dict[str, Any] = {one.type: one.event["data"] for one in hook.received}
    assert hook.types() == [
        "CONVERSATION_CREATED",
        "PARTICIPANT_ADDED",
        "PARTICIPANT_ADDED",
        "COMMUNICATION_CREATED",
        "PARTICIPANT_UPDATED",
        "PARTICIPANT_UPDATED",
        "COMMUNICATION_CREATED",
        "COMMUNICATION_UPDATED",
        "CONVERSATION_UPDATED",
    ]
    assert last_of["CONVERSATION_UPDATED"] == {name: value for name, value in closed.items() if name != "configuration"}
    assert last_of["COMMUNICATION_CREATED"] == answered
    assert last_of["COMMUNICATION_UPDATED"] == written
    assert [one.event["data"]["id"] for one in hook.received if one.type.startswith("PARTICIPANT")] == [
        agent["id"],
        customer["id"],
        customer["id"],
        agent["id"],
    ]
    assert last_of["PARTICIPANT_UPDATED"] == agent


async def test_the_body_is_the_recorded_event_and_nothing_else(service: Service, hook: Receiver) -> None:
    await configure(service, hook.callback())
    await traffic.message(service, KIRAN, US, "déjà vu")
    await deliver(service)
    rows = await service.fetch(
        "select body from events where account_id = $1 order by sequence", service.account.account_id
    )
    assert [one.body.decode() for one in hook.received] == [row["body"] for row in rows]
    for one in hook.received:
        assert set(one.event) == {"eventType", "timestamp", "data"}
        assert len(one.event["timestamp"]) == len("2026-02-03T09:15:04.120Z")
        assert one.event["data"]["accountId"] == service.account.account_id
        assert "configuration" not in one.event["data"]


async def test_the_official_validator_accepts_a_post(service: Service, hook: Receiver) -> None:
    await configure(service, hook.callback("/hook?tenant=a%20b"))
    await traffic.message(service, KIRAN, US)
    await deliver(service)
    assert len(hook.received) == 4
    for one in hook.received:
        assert (one.method, one.headers["Content-Type"]) == ("POST", "application/json")
        assert one.query["tenant"] == "a b"
        assert len(one.query["bodySHA256"]) == 64
        assert one.is_signed_by(service.account.auth_token)
        assert not one.is_signed_by("0" * 32)


async def test_the_official_validator_accepts_a_get(service: Service, hook: Receiver) -> None:
    await configure(service, hook.callback("/hook?tenant=a%20b", "GET"))
    await traffic.message(service, KIRAN, US, "a text & more")
    await deliver(service)
    assert len(hook.received) == 4
    for one in hook.received:
        assert (one.method, one.body) == ("GET", b"")
        assert set(one.query) == {"tenant", "eventType", "timestamp", "data"}
        assert one.is_signed_by(service.account.auth_token)
        assert not one.is_signed_by("0" * 32)
    ((said,),) = await traffic.everything_said(service)
    assert hook.received[-1].event["data"] == said


async def test_events_are_numbered_without_gaps_in_each_conversation(service: Service, hook: Receiver) -> None:
    await configure(service, hook.callback())
    for sender in (KIRAN, "+15550000001", KIRAN, "+15550000001", KIRAN):
        await traffic.message(service, sender, US)
    await deliver(service)
    for conversation, events in zip(await traffic.conversations(service), (6, 5), strict=True):
        told = [one for one in hook.received if one.conversation_id == conversation["id"]]
        assert [one.sequence for one in told] == list(range(1, events + 1))
        request_ids = {one.headers["Twilio-Request-Id"] for one in told}
        assert request_ids == {one.headers["I-Twilio-Request-Id"] for one in told}
        assert len(request_ids) == len(told)
        assert [one.headers["Orchestrator-Event-Id"] for one in told] == [
            f"{conversation['id']}:{sequence}" for sequence in range(1, events + 1)
        ]


async def test_both_callbacks_are_told_of_everything(service: Service, hook: Receiver) -> None:
    await configure(service, hook.callback("/one"), hook.callback("/two", "GET"))
    await traffic.message(service, KIRAN, US)
    await deliver(service)
    assert hook.sequences("/one") == hook.sequences("/two") == [1, 2, 3, 4]
    assert len({one.token for one in hook.received}) == 8
    assert {one["status"] for one in await deliveries(service)} == {"DELIVERED"}


async def test_what_was_delivered_is_not_delivered_again(service: Service, hook: Receiver) -> None:
    await configure(service, hook.callback())
    await traffic.message(service, KIRAN, US)
    await deliver(service)
    service.clock.advance(days=2)
    await deliver(service)
    assert hook.sequences() == [1, 2, 3, 4]


async def test_a_duplicate_message_is_no_event(service: Service, hook: Receiver) -> None:
    await configure(service, hook.callback())
    sid = await traffic.message(service, KIRAN, US)
    await traffic.message(service, KIRAN, US, MessageSid=sid)
    await deliver(service)
    assert hook.sequences() == [1, 2, 3, 4]


async def test_without_callbacks_nothing_is_to_be_delivered(service: Service) -> None:
    await configure(service)
    await traffic.message(service, KIRAN, US)
    assert len(await traffic.events(service)) == 4
    assert await deliveries(service) == []


async def test_a_change_of_the_callbacks_takes_effect_at_once(service: Service, hook: Receiver) -> None:
    path = f"/v2/ControlPlane/Configurations/{await configure(service, hook.callback('/old'))}"
    body = await traffic.get(service, path)
    await traffic.message(service, KIRAN, US)
    for callbacks in ([hook.callback("/new")], []):
        assert (await service.api.put(path, json={**body, "statusCallbacks": callbacks})).status_code == 202
        await traffic.message(service, KIRAN, US)
    await deliver(service)
    assert hook.sequences("/old") == [1, 2, 3, 4]
    assert hook.sequences("/new") == [5]


async def test_the_worker_inside_the_service_delivers_and_sweeps_by_itself(database_url: str) -> None:
    quick = {"worker": True, "deliver_interval": 0.05, "sweep_interval": 0.05}
    async with running_service(database_url) as idle:
        await forget_deliveries(idle)
    async with receiver() as hook, running_service(database_url, **quick) as service:
        await configure(service, hook.callback())
        await traffic.message(service, KIRAN, US)
        # A claim would lapse if the clock were turned while a callback is being sent.
        await until_delivered(service, 4)
        service.clock.advance(minutes=10)
        await until_delivered(service, 5)
        assert hook.received[-1].event["data"]["status"] == "INACTIVE"
        service.clock.advance(minutes=50)
        await until_delivered(service, 6)
        assert hook.received[-1].event["data"]["status"] == "CLOSED"
        assert hook.sequences() == [1, 2, 3, 4, 5, 6]
        assert all(one.is_signed_by(service.account.auth_token) for one in hook.received)
