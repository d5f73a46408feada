"""Deliveries: listed, looked at with their attempts, and made once more."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support import traffic
from tests.support.app import Service
from tests.support.clock import StoppedClock, stop_clock
from tests.support.delivery import SCHEDULE, deliver, forget_deliveries
from tests.support.factories import make_configuration
from tests.support.lists import walk_there_and_back
from tests.support.receiver import Receiver, everything_is_fine, receiver
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, US

PATH = "/orchestrator/v1/Deliveries"
OTHER = "+15550000001"


@pytest.fixture
def clock(service: Service) -> StoppedClock:
    return stop_clock(service)


@pytest.fixture
async def hook(service: Service, clock: StoppedClock) -> AsyncIterator[Receiver]:
    """A receiver that refuses the second event for good; two conversations were told of, four events each."""
    await forget_deliveries(service)
    async with receiver() as running:
        running.answer = lambda one: 410 if one.sequence == 2 else 200
        await make_configuration(service, statusCallbacks=[running.callback()])
        for customer in (KIRAN, OTHER):
            await traffic.message(service, customer, US)
        await deliver(service)
        yield running


async def listed(service: Service, **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await traffic.get(service, PATH, **query))["deliveries"]
    return found


async def post(service: Service, path: str, **body: Any) -> dict[str, Any]:
    response = await service.api.post(PATH + path, json=body or None)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def test_the_list_has_everything_newest_first(service: Service, clock: StoppedClock, hook: Receiver) -> None:
    found = await listed(service)
    assert len(found) == 8
    assert [one["id"] for one in found] == sorted((one["id"] for one in found), reverse=True)
    last = found[0]
    assert (last["sequence"], last["eventType"], last["status"]) == (4, "COMMUNICATION_CREATED", "DELIVERED")
    assert last["eventId"] == f"{last['conversationId']}:4"
    assert (last["attemptCount"], last["lastStatus"], last["url"]) == (1, 200, hook.url())
    assert len(await walk_there_and_back(service, PATH, pageSize=3)) == 3


async def test_filters(service: Service, clock: StoppedClock, hook: Receiver) -> None:
    first, second = await traffic.conversations(service)
    assert [one["sequence"] for one in await listed(service, status="DEAD")] == [2, 2]
    assert len(await listed(service, status="DEAD,PENDING", conversationId=first["id"])) == 1
    assert len(await listed(service, eventType="CONVERSATION_CREATED,COMMUNICATION_CREATED")) == 4
    assert {one["conversationId"] for one in await listed(service, conversationId=second["id"])} == {second["id"]}
    assert await listed(service, url=hook.url("/other")) == []
    assert len(await listed(service, status="", url="", conversationId="")) == 8
    now = clock.now().isoformat()
    assert len(await listed(service, createdAfter=now, url=hook.url())) == 8
    assert await listed(service, createdBefore=now) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"createdAfter": "yesterday"}, "createdAfter"),
        ({"createdBefore": "2026-02-03T09:15:04"}, "createdBefore"),
        ({"createdBefore": ""}, "createdBefore"),
        ({"status": "DEAD,FAILED"}, "status"),
        ({"eventType": "COMMUNICATION_CREATED,COMMUNICATION_SENT"}, "eventType"),
        ({"url": "\x00"}, "url"),
    ],
)
async def test_a_wrong_filter_is_refused(service: Service, query: dict[str, str], field: str) -> None:
    assert refusal(await service.api.get(PATH, params=query), 400, 20001)["params"]["field"] == field


async def test_a_delivery_shows_its_attempts_and_its_event(
    service: Service, clock: StoppedClock, hook: Receiver
) -> None:
    hook.answer, hook.headers = (lambda _: 503), {"Retry-After": "1", "X-Secret": "x"}
    hook.body = "\x00é".encode() * 10_000
    await traffic.message(service, KIRAN, US)
    await deliver(service)
    clock.advance(seconds=SCHEDULE.delays[0])
    hook.answer, hook.headers = everything_is_fine, {}
    await deliver(service)
    newest = (await listed(service))[0]
    found = await traffic.get(service, f"{PATH}/{newest['id']}")
    assert {name: found[name] for name in newest} == newest
    assert found["event"]["eventType"] == "COMMUNICATION_CREATED"
    assert found["event"]["id"] == found["eventId"]
    failed, succeeded = found["attempts"]
    assert (failed["number"], failed["status"], failed["error"]) == (1, 503, "HTTP 503")
    assert failed["response"]["headers"]["retry-after"] == "1"
    assert "x-secret" not in failed["response"]["headers"]
    assert failed["response"]["reason"] == "Service Unavailable"
    assert failed["response"]["body"].startswith("?é?é")
    assert len(failed["response"]["body"].encode()) <= 1_024 + 3
    assert (succeeded["number"], succeeded["status"], succeeded["error"]) == (2, 200, None)
    assert succeeded["durationMs"] > 0
    assert succeeded["startedAt"] > failed["startedAt"]


async def test_one_is_made_once_more_with_the_same_token_and_all_its_retries(
    service: Service, clock: StoppedClock, hook: Receiver
) -> None:
    dead = (await listed(service, status="DEAD"))[0]
    before = len(hook.received)
    hook.answer = lambda _: 500
    answer = await post(service, f"/{dead['id']}/Redeliver")
    assert (answer["status"], answer["redeliveries"]) == ("PENDING", 1)
    for delay in (0, *SCHEDULE.delays):
        clock.advance(seconds=delay)
        await deliver(service)
    again = hook.received[before:]
    assert {one.token for one in again} == {dead["id"]}
    assert {one.headers["Orchestrator-Event-Id"] for one in again} == {dead["eventId"]}
    assert {one.headers["Orchestrator-Redelivery"] for one in again} == {"1"}
    assert [one.headers["Orchestrator-Attempt"] for one in again] == ["2", "3", "4", "5", "6", "7"]
    found = await traffic.get(service, f"{PATH}/{dead['id']}")
    assert (found["status"], [one["number"] for one in found["attempts"]]) == ("DEAD", [1, 2, 3, 4, 5, 6, 7])


async def test_what_was_delivered_can_be_made_once_more(service: Service, clock: StoppedClock, hook: Receiver) -> None:
    first = (await listed(service))[-1]
    await post(service, f"/{first['id']}/Redeliver")
    await deliver(service)
    assert [one.token for one in hook.received].count(first["id"]) == 2
    assert (await listed(service, status="PENDING")) == []


async def test_one_that_waits_is_tried_at_once(service: Service, clock: StoppedClock, hook: Receiver) -> None:
    hook.answer = lambda _: 500
    await traffic.message(service, KIRAN, US)
    await deliver(service)
    (waiting,) = await listed(service, status="PENDING")
    answer = await post(service, f"/{waiting['id']}/Redeliver")
    assert (answer["redeliveries"], answer["attemptCount"]) == (0, 1)
    hook.answer = everything_is_fine
    await deliver(service)
    assert hook.received[-1].headers["Orchestrator-Attempt"] == "2"
    assert "Orchestrator-Redelivery" not in hook.received[-1].headers


async def test_all_that_failed_since_are_made_once_more(service: Service, clock: StoppedClock, hook: Receiver) -> None:
    since = clock.now().isoformat()
    assert await post(service, "/Redeliver", failedSince=since, url=hook.url("/other")) == {
        "redelivered": 0,
        "more": False,
    }
    assert (await post(service, "/Redeliver", failedSince=since, failedBefore=since))["redelivered"] == 0
    assert (await post(service, "/Redeliver", failedSince=since, url=hook.url()))["redelivered"] == 2
    hook.answer = everything_is_fine
    await deliver(service)
    assert {one["status"] for one in await listed(service)} == {"DELIVERED"}
    assert (await post(service, "/Redeliver", failedSince=since))["redelivered"] == 0


async def test_another_account_finds_none_and_redelivers_none(
    service: Service, clock: StoppedClock, hook: Receiver
) -> None:
    dead = (await listed(service, status="DEAD"))[0]
    async with service.client(await service.new_account()) as other:
        assert (await other.get(PATH)).json()["deliveries"] == []
        refusal(await other.get(f"{PATH}/{dead['id']}"), 404, 20404)
        refusal(await other.post(f"{PATH}/{dead['id']}/Redeliver"), 404, 20404)
        answer = await other.post(f"{PATH}/Redeliver", json={"failedSince": "2020-01-01T00:00:00Z"})
        assert answer.json()["redelivered"] == 0
    assert len(await listed(service, status="DEAD")) == 2


async def test_without_its_event_nothing_can_be_sent(service: Service, clock: StoppedClock, hook: Receiver) -> None:
    dead = (await listed(service, status="DEAD"))[0]
    waiting = (await listed(service))[0]
    await post(service, f"/{waiting['id']}/Redeliver")
    await service.fetch("delete from events where account_id = $1 returning 1", service.account.account_id)
    refusal(await service.api.post(f"{PATH}/{dead['id']}/Redeliver"), 410, 20410)
    found = await traffic.get(service, f"{PATH}/{dead['id']}")
    assert (found["event"], found["eventType"]) == (None, None)
    await deliver(service)
    (given_up,) = [one for one in await listed(service) if one["id"] == waiting["id"]]
    assert (given_up["status"], given_up["lastError"]) == ("DEAD", "refused: the event is past its keeping")
