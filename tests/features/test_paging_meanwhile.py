"""Whatever happens while somebody walks through a list: no gap and no repeat among what was there at the start."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.features.test_communication_writes import end, text
from tests.support.app import Service, running_service
from tests.support.factories import configuration_body

CONVERSATIONS = "/v2/Conversations"
CONFIGURATIONS = "/v2/ControlPlane/Configurations"
SECONDS = st.integers(0, 3)
"""When something was said: few moments, so that many things are said in the same one."""


@dataclass
class Walker:
    """Somebody who walks through a list, and what happens there meanwhile."""

    api: httpx.AsyncClient
    path: str
    filters: dict[str, str] = field(default_factory=dict)
    made: int = 0

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.api.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def add(self, second: int) -> None:
        """Put something into the list."""
        raise NotImplementedError

    async def change(self, item_id: str, number: int) -> None:
        """Change something in the list, in a way that neither moves it nor takes it out."""
        raise NotImplementedError

    async def page(self, **query: Any) -> tuple[list[str], dict[str, Any]]:
        answer = await self.api.get(self.path, params=query)
        assert answer.status_code == 200, answer.text
        meta = answer.json()["meta"]
        ids = [item["id"] for item in answer.json()[meta["key"]]]
        assert meta["pageSize"] == len(ids)
        return ids, meta

    async def everything(self) -> list[str]:
        return (await self.page(pageSize=1000, **self.filters))[0]


class Configurations(Walker):
    async def add(self, second: int) -> None:
        if self.made < 10:  # as many as an account may have
            self.made += 1
            await self.ask("POST", CONFIGURATIONS, configuration_body())

    async def change(self, item_id: str, number: int) -> None:
        await self.ask("PATCH", f"{CONFIGURATIONS}/{item_id}", {"description": f"{number}"})


class Conversations(Walker):
    async def add(self, second: int) -> None:
        made = await self.ask("POST", CONVERSATIONS, {"configuration": {}})
        if second == 0:
            await self.ask("PATCH", f"{CONVERSATIONS}/{made['id']}", {"status": "CLOSED"})

    async def change(self, item_id: str, number: int) -> None:
        status = (await self.ask("GET", f"{CONVERSATIONS}/{item_id}"))["status"]
        if status != "CLOSED":
            await self.ask("PATCH", f"{CONVERSATIONS}/{item_id}", {"status": ("ACTIVE", "INACTIVE")[number % 2]})


class Participants(Walker):
    async def add(self, second: int) -> None:
        await self.ask("POST", self.path, {"addresses": []})

    async def change(self, item_id: str, number: int) -> None:
        await self.ask("PUT", f"{self.path}/{item_id}", {"name": f"{number}", "type": "AGENT"})


class Communications(Walker):
    async def add(self, second: int) -> None:
        self.made += 1
        said = {"author": end("a", "EMAIL"), "recipients": [end("b", "EMAIL")], "content": text("hello")}
        when = f"2026-02-03T09:15:0{second}Z"
        channel = {"channelId": "CA1"} if self.made % 2 else {}
        await self.ask("POST", self.path, {**said, "occurredAt": when, **channel})

    async def change(self, item_id: str, number: int) -> None:
        said = await self.ask("GET", f"{self.path}/{item_id}")
        await self.ask("PUT", f"{self.path}/{item_id}", {**said, "content": text(f"{number}")})


@pytest.fixture(scope="module")
async def running(database_url: str) -> AsyncIterator[Service]:
    async with running_service(database_url) as service:
        yield service


async def walker(service: Service, kind: type[Walker], **filters: str) -> Walker:
    """A walker through a list of an account of its own."""
    api = service.client(await service.new_account())
    if kind in (Configurations, Conversations):
        return kind(api, f"{CONVERSATIONS if kind is Conversations else CONFIGURATIONS}", filters)
    conversation = (await api.post(CONVERSATIONS, json={"configuration": {}})).json()
    return kind(api, f"{CONVERSATIONS}/{conversation['id']}/{kind.__name__}", filters)


LISTS = [
    (Configurations, {}),
    (Conversations, {}),
    (Conversations, {"status": "ACTIVE,INACTIVE"}),
    (Participants, {}),
    (Communications, {}),
    (Communications, {"channelId": "CA1"}),
]
MEANWHILE = st.lists(st.lists(st.tuples(st.booleans(), SECONDS), max_size=3), max_size=4)
"""For each page: what is added (True) and changed (False) after it."""


async def walk(one: Walker, size: int, direction: str, meanwhile: Any) -> None:
    """Walk from one end of the list to the other, while things happen after each page."""
    ids, meta = await one.page(pageSize=size, **one.filters)
    while direction == "previousToken" and "nextToken" in meta:
        ids, meta = await one.page(pageToken=meta["nextToken"])
    start = await one.everything()
    seen, happenings = list(ids), iter(meanwhile)
    while direction in meta:
        for adds, number in next(happenings, ()):
            if adds:
                await one.add(number)
            else:
                await one.change(start[number % len(start)], number)
        ids, meta = await one.page(pageToken=meta[direction])
        assert len(ids) <= size
        seen = [*seen, *ids] if direction == "nextToken" else [*ids, *seen]
    assert len(seen) == len(set(seen)), "a repeat"
    assert [item for item in seen if item in start] == start


@pytest.mark.parametrize(("kind", "filters"), LISTS)
@settings(max_examples=25)
@given(there=st.lists(SECONDS, max_size=6), size=st.integers(1, 4), forth=MEANWHILE, back=MEANWHILE)
async def test_no_gap_and_no_repeat(
    running: Service, kind: type[Walker], filters: dict[str, str], there: list[int], size: int, forth: Any, back: Any
) -> None:
    one = await walker(running, kind, **filters)
    try:
        for second in there:
            await one.add(second)
        await walk(one, size, "nextToken", forth)
        await walk(one, size, "previousToken", back)
    finally:
        await one.api.aclose()
