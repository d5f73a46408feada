"""`orchestrator migrate-configuration`: a configuration takes the place of another, also after interruptions."""

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from orchestrator.cli.errors import CommandFailed, WrongUsage
from orchestrator.cli.instance import Instance
from orchestrator.cli.regrouping.command import run
from orchestrator.cli.regrouping.state import Wish
from orchestrator.domain.configuration import GroupingType
from tests.cli.test_rotation import refused
from tests.features.test_configurations import BRIDGE, PATH, fetch
from tests.support import traffic
from tests.support.app import ORIGIN, Service
from tests.support.factories import make_configuration
from tests.support.traffic import BY_ADDRESSES, BY_PROFILE, KIRAN, US, both_ways, channel

Hook = Callable[[httpx.Request], Awaitable[None]]


async def nothing(request: httpx.Request) -> None:
    """A hook that does nothing."""


class Wire(httpx.AsyncBaseTransport):
    """The way to the application. Hooks are called around each request that writes."""

    def __init__(self, service: Service, before: Hook = nothing, after: Hook = nothing) -> None:
        self.inner = httpx.ASGITransport(service.app)
        self.before, self.after = before, after
        self.written: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return await self.inner.handle_async_request(request)
        await self.before(request)
        response = await self.inner.handle_async_request(request)
        self.written.append(f"{request.method} {request.url.path}")
        await self.after(request)
        return response


def wish(old_id: str, grouping: str = BY_PROFILE, **more: Any) -> Wish:
    return Wish(old_id, GroupingType(grouping), **more)


async def migrate(service: Service, wanted: Wish, wire: Wire | None = None, **options: Any) -> None:
    account = service.account
    instance = Instance(ORIGIN, account.account_id, account.auth_token)
    await run(instance, wanted, transport=wire or Wire(service), **options)


def shown(capsys: pytest.CaptureFixture[str]) -> str:
    """What the command has printed, without the log of the application in the same process."""
    lines = capsys.readouterr().out.splitlines()
    return "\n".join(line for line in lines if not re.match(r"\d{4}-\d\d-\d\d .* \[", line))


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    """The same of a command that prints JSON."""
    return json.loads(shown(capsys))


async def configurations(service: Service) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await traffic.get(service, PATH))["configurations"]
    return found


def settings(configuration: dict[str, Any]) -> dict[str, Any]:
    """What a configuration says, without what it is called by and when it was made."""
    return {
        name: value
        for name, value in configuration.items()
        if name not in {"id", "conversationGroupingType", "createdAt", "updatedAt", "version"}
    }


async def test_a_configuration_takes_the_place_of_another(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    old_id = await make_configuration(
        service,
        channelSettings={"SMS": channel(*both_ways()), "VOICE": channel(("*", US)), "RCS": {}},
        statusCallbacks=[{"url": "https://hooks.example.com/a"}],
        memoryExtractionEnabled=True,
        conversationsV1Bridge=BRIDGE,
    )
    old = await fetch(service, old_id)
    for customer in (KIRAN, "+15550001111"):
        await traffic.message(service, customer, US)
    await migrate(service, wish(old_id), as_json=True)
    said = printed(capsys)
    (new,) = await configurations(service)
    assert settings(new) == settings(old)
    assert (new["id"], new["conversationGroupingType"]) == (said["new"], BY_PROFILE)
    assert (said["closed"], said["isComplete"], said["capturedTwice"], said["leftOpen"]) == (2, True, [], 0)
    await traffic.message(service, KIRAN, US, "again")
    assert [(one["status"], one["configurationId"]) for one in await traffic.conversations(service)] == [
        ("CLOSED", old_id),
        ("CLOSED", old_id),
        ("ACTIVE", new["id"]),
    ]


WRITES = 6
"""Make, give, take, move the bridge, close one conversation, delete; then only the mark is left to be taken away."""


async def test_a_run_goes_on_where_one_before_it_broke_off(service: Service) -> None:
    """Whichever answer is the last one: nothing that comes meanwhile is lost, and the next run comes to the end."""
    for position in range(WRITES):
        number = f"+1650555{position:04}"
        rules = channel(*both_ways(number))
        settings_then = {"channelSettings": {"SMS": rules, "RCS": rules}, "conversationsV1Bridge": BRIDGE}
        old = await fetch(service, await make_configuration(service, **settings_then))
        await traffic.message(service, KIRAN, number)
        await break_off(service, old["id"], position)
        await traffic.message(service, KIRAN, number, "meanwhile")
        await migrate(service, wish(old["id"]))
        (new,) = await configurations(service)
        assert settings(new) == settings(old), position
        assert "meanwhile" in [texts[-1] for texts in await traffic.texts(service)], position
        active = await traffic.conversations(service, status="ACTIVE")
        assert old["id"] not in [one["configurationId"] for one in active], position
        for conversation in await traffic.conversations(service):
            await service.api.delete(f"/v2/Conversations/{conversation['id']}")
        assert (await service.api.delete(f"{PATH}/{new['id']}")).status_code == 202
    assert await traffic.uncaptured(service) == []


async def break_off(service: Service, old_id: str, position: int) -> None:
    """Begin a migration, of which the answer to one request gets lost."""
    wire = Wire(service)

    async def lose(request: httpx.Request) -> None:
        if len(wire.written) == position + 1:
            raise httpx.ConnectError("gone", request=request)

    wire.after = lose
    with pytest.raises(CommandFailed, match="gone"):
        await migrate(service, wish(old_id), wire)


async def test_what_came_while_both_had_the_rules_is_told(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    old_id = await make_configuration(service)
    sids: list[str] = []

    async def write(request: httpx.Request) -> None:
        if request.method == "PATCH" and request.url.path.endswith(old_id):
            sids.append(await traffic.message(service, KIRAN, US))

    await migrate(service, wish(old_id), Wire(service, before=write), as_json=True)
    (twice,) = printed(capsys)["capturedTwice"]
    assert [twice["resourceId"]] == sids
    assert twice["conversations"] == [one["id"] for one in await traffic.conversations(service)]


async def test_the_new_one_gives_the_rules_back_if_the_old_one_was_changed(service: Service) -> None:
    old_id = await make_configuration(service)

    async def change(request: httpx.Request) -> None:
        if request.method == "PATCH" and request.url.path.endswith(old_id):
            await service.api.patch(f"{PATH}/{old_id}", json={"description": "changed meanwhile"})

    with pytest.raises(CommandFailed, match="nothing is captured twice"):
        await migrate(service, wish(old_id), Wire(service, before=change))
    new, old = await configurations(service)
    rules = [[bool(one["captureRules"]) for one in each["channelSettings"].values()] for each in (new, old)]
    assert rules == [[False] * 3, [True] * 3]
    await migrate(service, wish(old_id))
    (new,) = await configurations(service)
    assert all(one["captureRules"] for one in new["channelSettings"].values())


async def test_open_conversations_may_be_left_to_their_timers(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    old_id = await make_configuration(service)
    await traffic.message(service, KIRAN, US)
    for _ in range(2):
        await migrate(service, wish(old_id, closes=False, name="Newer"))
        assert "still has open conversations (1)" in shown(capsys)
    (conversation,) = await traffic.conversations(service)
    assert conversation["status"] == "ACTIVE"
    await traffic.message(service, KIRAN, US)
    assert [one["configurationId"] == old_id for one in await traffic.conversations(service)] == [True, False]
    await traffic.change(service, conversation, status="CLOSED")
    await migrate(service, wish(old_id, closes=False))
    (new,) = await configurations(service)
    assert (new["displayName"], new["description"]) == ("Newer", "Everything that customers send us")
    assert "has taken the place" in shown(capsys)


async def test_a_dry_run_shows_every_request_and_writes_nothing(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    old_id = await make_configuration(service, conversationsV1Bridge=BRIDGE)
    await traffic.message(service, KIRAN, US)
    dry, real = Wire(service), Wire(service)
    await migrate(service, wish(old_id), dry, dry_run=True)
    plan = shown(capsys)
    assert "PATCH /v2/Conversations/{conversation}, 1 times" in plan
    assert "- /channelSettings/SMS/captureRules: [{" in plan
    await migrate(service, wish(old_id), dry, dry_run=True, as_json=True)
    planned = printed(capsys)
    assert (planned["dryRun"], planned["openConversations"], dry.written) == (True, 1, [])
    await migrate(service, wish(old_id), real, as_json=True)
    new_id = printed(capsys)["new"]
    (conversation,) = await traffic.conversations(service)
    ids = {"{new}": new_id, "{conversation}": conversation["id"]}
    announced = [f"{step['method']} {step['path']}" for step in planned["steps"]]
    for name, value in ids.items():
        announced = [one.replace(name, value) for one in announced]
    assert announced == real.written


async def test_what_cannot_be_migrated_is_refused_before_anything_is_written(service: Service) -> None:
    old_id = await make_configuration(service, description="x" * 500)
    with pytest.raises(WrongUsage, match="already"):
        await migrate(service, wish(old_id, BY_ADDRESSES))
    with pytest.raises(CommandFailed, match="Shorten it to 455"):
        await migrate(service, wish(old_id))
    with pytest.raises(CommandFailed, match="never there"):
        await migrate(service, wish("conv_configuration_01kgh3k1w8fmkrxj2c5a9d7e6b"))
    await service.api.patch(f"{PATH}/{old_id}", json={"description": "short"})
    for _ in range(2):
        await make_configuration(service, conversationGroupingType=BY_PROFILE, description=f"short [replaces {old_id}]")
    with pytest.raises(CommandFailed, match="delete all but one"):
        await migrate(service, wish(old_id))
    first, second, _ = await configurations(service)
    await service.api.delete(f"{PATH}/{first['id']}")
    wanted = replace(wish(old_id), grouping=GroupingType.ADDRESSES_AND_CHANNEL)
    with pytest.raises(CommandFailed, match=f"has begun \\(configuration {second['id']}\\)"):
        await migrate(service, wanted)
    await service.api.delete(f"{PATH}/{second['id']}")
    for _ in range(9):
        await make_configuration(service)
    with pytest.raises(CommandFailed, match="10 configurations"):
        await migrate(service, wish(old_id))


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_nobody_is_asked_where_nobody_is_there(more: list[str]) -> None:
    code, message = refused("migrate-configuration", "x", "--grouping", BY_PROFILE, *more)
    assert (code, "add --yes" in message) == (2, True)
