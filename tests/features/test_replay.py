"""Past events are sent to a callback: once more where they were sent before, for the first time elsewhere."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from orchestrator.outbox import replay as replaying
from tests.support import traffic
from tests.support.app import Service, running_service
from tests.support.clock import StoppedClock, stop_clock
from tests.support.delivery import deliver, forget_deliveries
from tests.support.factories import make_configuration
from tests.support.receiver import Receiver, receiver
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, US

PATH = "/orchestrator/v1/Events/Replay"
OTHER = "+15550000001"


@pytest.fixture
def clock(service: Service) -> StoppedClock:
    return stop_clock(service)


@pytest.fixture
async def hook(service: Service, clock: StoppedClock) -> AsyncIterator[Receiver]:
    """A receiver that was told of two conversations, four events each, a minute apart."""
    await forget_deliveries(service)
    async with receiver() as running:
        await make_configuration(service, statusCallbacks=[running.callback()])
        for customer in (KIRAN, OTHER):
            await traffic.message(service, customer, US)
            clock.advance(minutes=1)
        await deliver(service)
        assert len(running.received) == 8
        yield running


async def replay(service: Service, **body: Any) -> dict[str, Any]:
    response = await service.api.post(PATH, json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def told(events: int, *, redelivered: int = 0, created: int = 0, after: int | None = None) -> dict[str, Any]:
    pending = events - redelivered - created
    return {
        "events": events,
        "redelivered": redelivered,
        "created": created,
        "pending": pending,
        "afterPosition": after,
    }


async def test_where_they_were_sent_before_they_are_the_same_deliveries(
    service: Service, clock: StoppedClock, hook: Receiver
) -> None:
    conversation = (await traffic.conversations(service))[0]
    assert await replay(service, conversationId=conversation["id"], url=hook.url()) == told(4, redelivered=4)
    assert await replay(service, conversationId=conversation["id"], url=hook.url()) == told(4)
    before, again = hook.received[:], 8
    await deliver(service)
    assert [one.sequence for one in hook.received[again:]] == [1, 2, 3, 4]
    tokens = {one.headers["Orchestrator-Event-Id"]: one.token for one in before}
    for one in hook.received[again:]:
        assert one.token == tokens[one.headers["Orchestrator-Event-Id"]]
        assert one.headers["Orchestrator-Redelivery"] == "1"
        assert one.is_signed_by(service.account.auth_token)


async def test_elsewhere_they_are_new_and_in_the_order_of_their_conversation(
    service: Service, clock: StoppedClock, hook: Receiver
) -> None:
    url = hook.url("/elsewhere")
    assert await replay(service, afterPosition=0, url=url, method="GET") == told(8, created=8)
    assert await replay(service, afterPosition=0, url=url) == told(8)
    await deliver(service)
    came = [one for one in hook.received if one.path == "/elsewhere"]
    assert {one.method for one in came} == {"GET"}
    for conversation in await traffic.conversations(service):
        assert [one.sequence for one in came if one.conversation_id == conversation["id"]] == [1, 2, 3, 4]
    assert len({one.token for one in came} | {one.token for one in hook.received[:8]}) == 16
    assert not any("Orchestrator-Redelivery" in one.headers for one in came)
    assert await replay(service, afterPosition=0, url=url) == told(8, redelivered=8)
    assert await replay(service, afterPosition=0, url=url, method="POST") == told(8, created=8)


async def test_a_span_of_time_or_of_positions(service: Service, clock: StoppedClock, hook: Receiver) -> None:
    second_began = clock.moment.replace()
    clock.advance(minutes=-1)
    middle = clock.moment.isoformat()
    assert (await replay(service, after=middle, url=hook.url("/a")))["events"] == 4
    assert (await replay(service, before=middle, url=hook.url("/b")))["events"] == 4
    assert (await replay(service, after=second_began.isoformat(), url=hook.url("/c")))["events"] == 0
    assert (await replay(service, afterPosition=3, beforePosition=6, url=hook.url("/d")))["events"] == 2
    assert (await replay(service, conversationId="conv_conversation_x", url=hook.url("/e")))["events"] == 0


async def test_it_goes_on_where_it_ended(
    service: Service, clock: StoppedClock, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "MOST_AT_ONCE", 3)
    after, found = 0, list[int]()
    while after is not None:
        answer = await replay(service, afterPosition=after, url=hook.url("/elsewhere"))
        found.append(answer["created"])
        after = answer["afterPosition"]
    assert found == [3, 3, 2]


async def test_events_of_others_stay_with_them(service: Service, clock: StoppedClock, hook: Receiver) -> None:
    async with service.client(await service.new_account()) as other:
        answer = await other.post(PATH, json={"afterPosition": 0, "url": hook.url()})
        assert answer.json()["events"] == 0


async def test_what_is_past_its_keeping_is_told(service: Service, clock: StoppedClock, hook: Receiver) -> None:
    await service.fetch(
        "update event_positions set reaped_to = 2 where account_id = $1 returning 1", service.account.account_id
    )
    body = {"afterPosition": 1, "url": hook.url()}
    assert refusal(await service.api.post(PATH, json=body), 410, 20410)["details"] == {"after": 2}


async def test_something_must_be_chosen(service: Service) -> None:
    wrong = refusal(await service.api.post(PATH, json={"url": "https://a.example.com/"}), 400, 20001)
    assert wrong["params"]["field"] == "/conversationId"


async def test_the_url_is_judged_like_any_callback(database_url: str) -> None:
    async with running_service(database_url, allow_insecure_callbacks=False) as strict:
        for url in (
            "http://hooks.example.com/",
            "https://127.0.0.1/",
            "https://169.254.169.254/",
            "x",
            f"https://{'a' * 3000}",
        ):
            wrong = refusal(await strict.api.post(PATH, json={"afterPosition": 0, "url": url}), 400, 20001)
            assert wrong["params"]["field"] == "/url"
