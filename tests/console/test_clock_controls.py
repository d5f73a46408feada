"""The clock is turned in the console, and it is shown what that has brought."""

import html
from collections.abc import AsyncIterator

import pytest

from tests.support import traffic
from tests.support.app import Service
from tests.support.console import Browser
from tests.support.database import worker_database
from tests.support.receiver import receiver
from tests.support.traffic import KIRAN, US
from tests.support.turning import configure, turnable


@pytest.fixture(scope="module")
async def own_database() -> AsyncIterator[str]:
    async with worker_database("_console_clock") as url:
        yield url


@pytest.fixture
async def service(own_database: str) -> AsyncIterator[Service]:
    async with turnable(own_database) as running:
        yield running


async def turned(browser: Browser, status: int = 200, **fields: str) -> str:
    answer = await browser.send("/console/clock", next="/console/phones?channel=SMS", **fields)
    assert answer.status_code == status, answer.text
    return html.unescape(answer.text)


async def test_turning_shows_what_moved_and_what_was_told(service: Service, browser: Browser) -> None:
    async with receiver() as hooks:
        await configure(service, hooks)
        await traffic.message(service, KIRAN, US)
        conversation = await traffic.only_conversation(service)
        other = await service.api.post("/v2/Conversations", json={"configurationId": conversation["configurationId"]})
        for one in (conversation["id"], other.json()["id"]):  # each its own, not the first of all alone
            page = await browser.page(f"/console/conversations/{one}")
            assert 'name="to" value="' in page
            assert "Jump there" in page
        await service.api.patch(f"/v2/Conversations/{other.json()['id']}", json={"status": "CLOSED"})
        assert "Jump there" not in await browser.page(f"/console/conversations/{other.json()['id']}")
        page = await browser.page("/console")
        for control in ("+10 min", "Freeze", "Next deadline", "becomes INACTIVE"):
            assert control in page
        moved = await turned(browser, action="ADVANCE", by="10m")
        moved = moved[moved.index("<h1>") :]
        assert f"/console/conversations/{conversation['id']}" in moved
        assert moved.index("ACTIVE") < moved.index("INACTIVE") < moved.index("Callbacks that went out")
        assert "/console/deliveries/orch_delivery_" in moved
        assert 'href="/console/phones?channel=SMS"' in moved
        frozen = await turned(browser, action="FREEZE")
        assert "FROZEN" in frozen
        assert "Let it run" in frozen
        jumped = await turned(browser, action="NEXT_DEADLINE")
        assert "CLOSED" in jumped[jumped.index("<h1>") :]
        refused = await turned(browser, 400, action="ADVANCE", by="yesterday")
        assert "/by" in refused
        reset = await turned(browser, 409, action="RESET")
        assert "Reset it all the same" in reset
        assert "FROZEN" in reset
        forced = await turned(browser, action="RESET", force="1", by="")
        assert "FROZEN" not in forced
        elsewhere = await browser.send("/console/clock", action="RUN", next="https://evil.test")
        assert 'href="/console"' in elsewhere.text[elsewhere.text.index("<h1>") :]
        assert "evil" not in elsewhere.text


async def test_where_it_cannot_be_turned_there_are_no_controls(service: Service, browser: Browser) -> None:
    service.units.clock = service.clock
    assert "+10 min" not in await browser.page("/console")
    assert "cannot be turned" in await browser.page("/console/clock")
    await turned(browser, 403, action="FREEZE")
