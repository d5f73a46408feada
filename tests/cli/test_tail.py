"""`orchestrator tail`: every event once, from where one wants to begin, whatever happens to the connection."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from orchestrator import phones
from orchestrator.cli.api import Api, Refused
from orchestrator.cli.instance import Instance
from orchestrator.cli.lists import Resource
from orchestrator.cli.tail import beginning
from orchestrator.cli.tail.choosing import Choice
from orchestrator.cli.tail.command import Given, follow
from orchestrator.cli.tail.following import Following
from orchestrator.cli.tail.forwarding import Forwarder
from orchestrator.cli.tail.stream import Stream, Wish
from orchestrator.kernel.callback_signing import Signer
from orchestrator.kernel.clock import Clock, event_time
from orchestrator.outbox.answers import Outcome
from orchestrator.outbox.client import CallbackClient
from orchestrator.receiver import verify
from tests.cli.terminal import Terminal, typed
from tests.support import traffic
from tests.support.delivery import deliver, forget_deliveries
from tests.support.factories import make_configuration
from tests.support.receiver import Received, Receiver, receiver
from tests.support.traffic import KIRAN, OTHER_PHONE, US


@pytest.fixture
async def told(terminal: Terminal) -> Terminal:
    """Two conversations: eleven events, of which five are communications."""
    await make_configuration(terminal.service, displayName="Support")
    async with terminal.api() as api:
        for sender, words in ((KIRAN, ("one", "two", "three")), (OTHER_PHONE, ("four", "five"))):
            for word in words:
                await api.receive(phones.message("SMS", sender, US, word))
    return terminal


class Kept:
    """A screen that tests look at."""

    def __init__(self) -> None:
        self.events: list[Resource] = []

    def show(self, event: Resource) -> None:
        self.events.append(event)

    @property
    def positions(self) -> list[int]:
        return [event["position"] for event in self.events]


def test_what_is_shown_begins_and_ends_as_asked(told: Terminal) -> None:
    shown = told.type("tail", "--last", "2", "--count", "2").out.splitlines()
    assert len(shown) == 3
    assert shown[0].endswith(" (UTC)")
    assert [line.rpartition(": ")[2] for line in shown[1:]] == ["“four” DELIVERED", "“five” DELIVERED"]
    lines = told.type("tail", "--since", "1h", "--type", "communication_created", "--json", "--count", "5").out
    events = [json.loads(line) for line in lines.splitlines()]
    assert [event["data"]["content"]["text"] for event in events] == ["one", "two", "three", "four", "five"]
    conversation_id = events[0]["conversationId"]
    of_one = told.type("tail", "--after", "0", "--conversation", conversation_id, "--count", "6", "--json")
    assert [json.loads(line)["sequence"] for line in of_one.out.splitlines()] == [1, 2, 3, 4, 5, 6]
    (conversation,) = told.type("conversations", "--limit", "1", "--json").json["conversations"]
    configuration_id = conversation["configurationId"]
    chosen = told.type("tail", "--last", "99", "--channel", "sms", "--configuration", configuration_id, "--count", "9")
    assert "CONVERSATION_" not in chosen.out
    assert chosen.out.count("PARTICIPANT_ADDED") == 4


async def test_it_ends_after_its_time(told: Terminal) -> None:
    kept = Kept()
    async with told.api() as api:
        nobody = Choice(api, configuration_id="conv_configuration_x")
        assert await Following(Stream(api, Wish(), 0, print), nobody, kept, seconds=0.2).run()
    assert kept.events == []


async def test_the_beginning_is_found(told: Terminal) -> None:
    async with told.api() as api:
        assert await beginning.latest(api) == 11
        communications = Wish(("COMMUNICATION_CREATED",))
        assert await beginning.before_last(api, communications, Choice(api), 3) == 5
        assert await beginning.before_last(api, communications, Choice(api), 99) == 3
        assert await beginning.before_last(api, Wish(conversation_id="none"), Choice(api), 1) == 11
        now = Clock().now()
        assert await beginning.before_time(api, now - timedelta(hours=1)) == 0
        assert await beginning.before_time(api, now + timedelta(hours=1)) == 11
        long_ago = event_time(now - timedelta(hours=2))
        body = {"eventType": "COMMUNICATION_CREATED", "timestamp": long_ago, "data": {}}
        await told.service.fetch(
            "update events set body = $2 where account_id = $1 and position < 5 returning 1",
            told.account.account_id,
            json.dumps(body),
        )
        assert await beginning.before_time(api, now - timedelta(hours=1)) == 4
        await told.service.fetch(
            "update event_positions set reaped_to = 6 where account_id = $1 returning 1", told.account.account_id
        )
        assert await beginning.before_last(api, communications, Choice(api), 99) == 9


async def test_what_is_forwarded_is_what_a_callback_would_have_brought(terminal: Terminal) -> None:
    await forget_deliveries(terminal.service)
    async with receiver() as there:
        await make_configuration(terminal.service, statusCallbacks=[there.callback("/callback")])
        async with terminal.api() as api:
            for sender in (KIRAN, OTHER_PHONE, KIRAN):
                await api.receive(phones.message("SMS", sender, US, "parcel № 4711 €"))
        await deliver(terminal.service)
        await _forward(terminal, there.url("/forwarded?tenant=1"), count=9)
        by_path = {path: _by_event(there, path) for path in ("/callback", "/forwarded")}
        bodies = {path: {name: one.body for name, one in found.items()} for path, found in by_path.items()}
        assert len(bodies["/callback"]) == 9
        assert bodies["/forwarded"] == bodies["/callback"]
        token = terminal.account.auth_token
        for one in by_path["/forwarded"].values():
            assert one.is_signed_by(token)
            assert not one.is_signed_by(token[::-1])
            assert verify(token, one.url, one.headers, one.body).sequence == one.sequence
        for conversation in await traffic.conversations(terminal.service):
            came = [
                one.sequence
                for one in there.received
                if (one.path, one.conversation_id) == ("/forwarded", conversation["id"])
            ]
            assert came == sorted(came)
            assert len(came) in (4, 5)


def _by_event(there: Receiver, path: str) -> dict[str, Received]:
    return {one.headers["Orchestrator-Event-Id"]: one for one in there.received if one.path == path}


async def _forward(terminal: Terminal, url: str, *, count: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        for name, value in terminal.environment.items():
            patched.setenv(name, value)
        given = Given(None, (), None, None, None, None, None, 0, url, count, None, as_json=True)
        assert await follow(given)


async def test_what_is_not_taken_is_tried_again_and_told(terminal: Terminal) -> None:
    def event(position: int) -> Resource:
        place = {"id": f"c:{position}", "position": position, "conversationId": "c", "sequence": position}
        return place | {"eventType": "COMMUNICATION_CREATED", "timestamp": "2026-02-03T09:15:04.120Z", "data": {}}

    answers = iter([503, 503, 200, 400, 503, 503, 503, 204])
    outcomes = list[tuple[str, int | None]]()

    def report(event: Resource, outcome: Outcome) -> None:
        outcomes.append((event["id"], outcome.status))

    async with receiver() as there, CallbackClient(allow_insecure=True) as client:
        there.answer = lambda _: next(answers)
        forwarder = Forwarder(client, there.url(), Signer("token"), report, waits=(0, 0))
        async with forwarder.running():
            for position in (1, 2, 3, 4):
                await forwarder.put(event(position))
            await forwarder.finish()
    assert outcomes == [("c:1", 200), ("c:2", 400), ("c:3", 503), ("c:4", 204)]
    attempts = [(one.sequence, one.headers["Orchestrator-Attempt"]) for one in there.received]
    assert attempts == [(1, "1"), (1, "2"), (1, "3"), (2, "1"), (3, "1"), (3, "2"), (3, "3"), (4, "1")]
    assert len({one.token for one in there.received}) == 4
    assert (forwarder.failed, forwarder.unsent) == (2, set())


def sse(position: int) -> bytes:
    event = {"position": position, "timestamp": "2026-02-03T09:15:04.120Z", "data": {"text": "\u2028\x85\x0c"}}
    data = json.dumps(event, ensure_ascii=False)
    return f"event: COMMUNICATION_CREATED\ndata: {data}\nid: {position}\n\n".encode()


@asynccontextmanager
async def flaky(*connections: Any) -> AsyncIterator[tuple[Api, list[str]]]:
    """A service that answers each connection with the next of these: bytes of a stream that then breaks off, or an
    error; with the ids that it was asked to go on from."""
    left, asked = iter(connections), list[str]()

    async def events(request: web.Request) -> web.StreamResponse:
        asked.append(request.headers["Last-Event-ID"])
        answer = next(left)
        if isinstance(answer, web.Response):
            answer.headers["Twilio-Request-Id"] = "RQ1"
            return answer
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Twilio-Request-Id": "RQ1"})
        await stream.prepare(request)
        await stream.write(answer)
        assert request.transport is not None
        request.transport.abort()
        return stream

    application = web.Application()
    application.router.add_get("/orchestrator/v1/Events", events)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        async with Api(Instance(f"http://{host}:{port}", "AC1", "token")) as api:
            yield api, asked
    finally:
        await runner.cleanup()


async def test_a_lost_connection_loses_and_doubles_nothing() -> None:
    kept, remarks = Kept(), list[str]()
    connections = (
        b": still here\n\n" + sse(1) + sse(2) + sse(3) + sse(4)[:20],
        web.Response(status=503),
        sse(3) + sse(4),
        web.json_response({"details": {"after": 9}}, status=410),
        sse(10),
        web.json_response({"message": "who are you?"}, status=401),
    )
    async with flaky(*connections) as (api, asked):
        stream = Stream(api, Wish(), 0, remarks.append, first_wait=0.01)
        with pytest.raises(Refused, match="who are you"):
            await Following(stream, Choice(api), kept).run()
    assert kept.positions == [1, 2, 3, 4, 10]
    assert kept.events[0]["data"]["text"] == "\u2028\x85\x0c"  # which are ends of lines elsewhere
    assert asked == ["0", "3", "3", "4", "9", "10"]
    assert [remark.rpartition("; ")[2] for remark in remarks] == [
        "connecting again",
        "again in 0.01 s",
        "connecting again",
        "going on after them",
        "connecting again",
    ]


@pytest.mark.parametrize("count", [None, 1])
async def test_an_interruption_ends_it_in_good_order(told: Terminal, count: int | None) -> None:
    kept = Kept()
    async with told.api() as api, receiver() as there, CallbackClient(allow_insecure=True) as client:
        there.open.clear()  # nothing is answered
        forwarder = Forwarder(client, there.url(), Signer("token"), lambda *_: None)
        stream = Stream(api, Wish(), 0, print)
        following = asyncio.create_task(Following(stream, Choice(api), kept, forwarder, count).run())
        await there.until(1)
        signal.raise_signal(signal.SIGINT)
        assert await following is False
    assert forwarder.unsent == set(kept.positions)
    assert min(forwarder.unsent) == 1


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (("--last", "1", "--after", "2"), "give one of --since, --last and --after"),
        (("--for", "long"), "--for: give a duration such as 90s"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_line(arguments: tuple[str, ...], wrong: str) -> None:
    done = typed("tail", *arguments)
    assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
    assert wrong in done.err


async def test_what_makes_no_sense_to_the_service_is_told_too(terminal: Terminal) -> None:
    for arguments, wrong in (
        (("--since", "yesterday"), "--since: give a time with its zone such as 2026-02-03T09:15:00Z"),
        (("--since", "999999d"), "--since: 999999d ago there was no time yet"),
        (("--forward-to", "ftp://here"), "--forward-to: the scheme must be https"),
    ):
        done = await terminal.typed("tail", *arguments)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert wrong in done.err
