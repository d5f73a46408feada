"""The event log: read on from any position, waited for, followed as a stream."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from orchestrator.app import create_app
from tests.support import traffic
from tests.support.app import Service
from tests.support.factories import make_configuration
from tests.support.refusals import refusal
from tests.support.server import serving_app
from tests.support.traffic import KIRAN, US

PATH = "/orchestrator/v1/Events"


async def read(service: Service, **query: Any) -> dict[str, Any]:
    response = await service.api.get(PATH, params=query)
    assert response.status_code == 200, response.text
    page: dict[str, Any] = response.json()
    return page


async def test_every_event_is_in_the_log_in_order(service: Service) -> None:
    await make_configuration(service)
    assert await read(service) == {"events": [], "after": 0, "latest": 0}
    await traffic.message(service, KIRAN, US, "hello")
    await traffic.message(service, US, KIRAN, "hello to you")
    conversation = await traffic.only_conversation(service)
    page = await read(service)
    events = page["events"]
    assert [event["eventType"] for event in events] == [
        "CONVERSATION_CREATED",
        "PARTICIPANT_ADDED",
        "PARTICIPANT_ADDED",
        "COMMUNICATION_CREATED",
        "COMMUNICATION_CREATED",
    ]
    assert [event["position"] for event in events] == [event["sequence"] for event in events] == [1, 2, 3, 4, 5]
    assert {event["conversationId"] for event in events} == {conversation["id"]}
    assert events[3]["id"] == f"{conversation['id']}:4"
    assert events[3]["data"]["content"]["text"] == "hello"
    assert (page["after"], page["latest"]) == (5, 5)


async def test_a_reader_goes_on_where_it_was(service: Service) -> None:
    await make_configuration(service)
    for _ in range(4):
        await traffic.message(service, KIRAN, US, "hello")
    seen, after = list[int](), 0
    while len(page := (await read(service, after=after, pageSize=3))["events"]):
        seen += [event["position"] for event in page]
        after = seen[-1]
    assert seen == list(range(1, 8))
    filtered = await read(service, eventType="CONVERSATION_CREATED,PARTICIPANT_ADDED", pageSize=3)
    assert (len(filtered["events"]), filtered["after"]) == (3, 3)
    # Nothing more of these types: the reader need not look at the rest again.
    assert (await read(service, eventType="CONVERSATION_CREATED", after=1))["after"] == 7
    conversation = await traffic.only_conversation(service)
    assert len((await read(service, conversationId=conversation["id"]))["events"]) == 7
    assert (await read(service, conversationId="conv_conversation_x"))["events"] == []


async def test_a_reader_may_wait(service: Service) -> None:
    await make_configuration(service)
    waiting = asyncio.create_task(read(service, wait=20))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await traffic.message(service, KIRAN, US, "hello")
    assert len((await waiting)["events"]) == 4
    assert (await read(service, after=4, wait=0))["events"] == []


async def test_another_account_sees_nothing(service: Service) -> None:
    await make_configuration(service)
    await traffic.message(service, KIRAN, US, "hello")
    async with service.client(await service.new_account()) as other:
        assert (await other.get(PATH)).json() == {"events": [], "after": 0, "latest": 0}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"after": "-1"}, "after"),
        ({"after": "x"}, "after"),
        ({"after": "9" * 19}, "after"),
        ({"pageSize": "0"}, "pageSize"),
        ({"pageSize": "1001"}, "pageSize"),
        ({"wait": "61"}, "wait"),
        ({"wait": "1.5"}, "wait"),
        ({"eventType": "MESSAGE"}, "eventType"),
        ({"conversationId": "\x00"}, "conversationId"),
    ],
)
async def test_a_wrong_query_is_refused(service: Service, query: dict[str, str], field: str) -> None:
    assert refusal(await service.api.get(PATH, params=query), 400, 20001)["params"]["field"] == field


async def test_what_is_past_its_keeping_is_told(service: Service) -> None:
    await make_configuration(service)
    await traffic.message(service, KIRAN, US, "hello")
    await service.fetch(
        "update event_positions set reaped_to = 2 where account_id = $1 returning 1", service.account.account_id
    )
    gone = refusal(await service.api.get(PATH, params={"after": 1}), 410, 20410)
    assert gone["details"] == {"after": 2}
    assert [event["position"] for event in (await read(service))["events"]] == [3, 4]
    stream = await service.api.get(PATH, params={"after": 1}, headers={"Accept": "text/event-stream"})
    refusal(stream, 410, 20410)


async def test_a_position_of_another_log_is_not_waited_for(service: Service) -> None:
    await make_configuration(service)
    await traffic.message(service, KIRAN, US, "hello")
    end = (await read(service))["latest"]
    assert (await read(service, after=end))["events"] == []
    beyond = refusal(await service.api.get(PATH, params={"after": end + 1, "wait": 60}), 410, 20410)
    assert beyond["details"] == {"after": 0}


async def test_the_log_is_followed_as_a_stream(service: Service) -> None:
    await make_configuration(service)
    await traffic.message(service, KIRAN, US, "hello")
    app = create_app(service.settings)
    with serving_app(app) as origin:
        async with httpx.AsyncClient(base_url=origin, auth=service.api.auth) as client:
            await _play(service, client)
            app.state.stopping.set()  # a service that stops ends its streams


async def _play(service: Service, client: httpx.AsyncClient) -> None:
    received = asyncio.Queue[dict[str, str]]()
    following = asyncio.create_task(follow(client, received, {}))
    first = [await asyncio.wait_for(received.get(), 5) for _ in range(4)]
    assert [one["id"] for one in first] == ["1", "2", "3", "4"]
    assert first[0]["event"] == "CONVERSATION_CREATED"
    assert json.loads(first[3]["data"])["data"]["content"]["text"] == "hello"
    await traffic.message(service, KIRAN, US, "again")
    assert (await asyncio.wait_for(received.get(), 5))["id"] == "5"
    following.cancel()
    await traffic.message(service, KIRAN, US, "meanwhile")
    following = asyncio.create_task(follow(client, received, {"Last-Event-ID": "5"}))
    assert (await asyncio.wait_for(received.get(), 5))["id"] == "6"
    following.cancel()


async def follow(client: httpx.AsyncClient, received: "asyncio.Queue[dict[str, str]]", headers: dict[str, str]) -> None:
    """Read a stream as a browser's EventSource does."""
    async with client.stream("GET", PATH, headers={"Accept": "text/event-stream", **headers}) as response:
        assert response.status_code == 200
        fields = dict[str, str]()
        async for line in response.aiter_lines():
            if line.startswith(":"):
                continue
            if not line and fields:
                received.put_nowait(fields)
                fields = {}
            elif line:
                name, _, value = line.partition(": ")
                fields[name] = value
