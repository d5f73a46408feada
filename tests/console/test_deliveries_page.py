"""Deliveries, endpoints and events in the console: what was told to whom, what came of it, and all of it once more."""

import html
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest

from orchestrator.domain.pausing import Pausing
from tests.support import traffic
from tests.support.app import Service
from tests.support.clock import stop_clock
from tests.support.console import Browser
from tests.support.delivery import SCHEDULE, deliver, forget_deliveries
from tests.support.factories import make_configuration
from tests.support.receiver import Receiver, receiver
from tests.support.traffic import KIRAN, US


@pytest.fixture
async def hook(service: Service) -> AsyncIterator[Receiver]:
    """It refuses the second event for good."""
    stop_clock(service)
    await forget_deliveries(service)
    async with receiver() as running:
        running.answer = lambda one: 410 if one.sequence == 2 else 200
        running.body = b"<b>gone</b>"
        await make_configuration(service, statusCallbacks=[running.callback()])
        await traffic.message(service, KIRAN, US, "first")
        await deliver(service)
        yield running


async def page(browser: Browser, path: str, **query: str) -> str:
    return html.unescape(await browser.page(path + (f"?{urlencode(query)}" if query else "")))


async def dead_one(service: Service) -> str:
    (dead,) = (await traffic.get(service, "/orchestrator/v1/Deliveries", status="DEAD"))["deliveries"]
    return str(dead["id"])


def rows(page: str) -> int:
    return page.count('<tr class="stack" id="row-')


async def test_the_list_is_filtered_and_one_is_shown_with_its_attempts(
    service: Service, browser: Browser, hook: Receiver
) -> None:
    listed = await page(browser, "/console/deliveries")
    assert rows(listed) == 4
    assert "1 were given up" in listed
    dead = await dead_one(service)
    only = await page(browser, "/console/deliveries", status="DEAD", url=hook.url())
    assert (rows(only), f"/console/deliveries/{dead}" in only) == (1, True)
    assert "No delivery fits." in await page(browser, "/console/deliveries", eventType="CONVERSATION_UPDATED")
    raw = await browser.page(f"/console/deliveries/{dead}")
    assert "&lt;b&gt;gone&lt;/b&gt;" in raw
    shown = html.unescape(raw)
    assert f"{hook.url()}?bodySHA256=<SHA-256 of the body>" in shown
    assert "410" in shown
    assert '"eventType": "PARTICIPANT_ADDED"' in shown
    assert (await browser.http.get("/console/deliveries/orch_delivery_nothing")).status_code == 404
    assert (await browser.http.get("/console/deliveries?status=LOST%00")).status_code == 400


async def test_one_or_all_are_made_once_more(service: Service, browser: Browser, hook: Receiver) -> None:
    dead = await dead_one(service)
    again = await browser.send(f"/console/deliveries/{dead}/redeliver")
    assert again.headers["location"] == f"/console/deliveries/{dead}"
    assert "It is made once more" in await page(browser, f"/console/deliveries/{dead}")
    await deliver(service)
    since = "2020-02-03T09:00:00Z"
    everything = await browser.send("/console/deliveries/redeliver", failedSince=since, url=hook.url())
    assert everything.status_code == 303
    assert "1 deliveries are made once more." in await page(browser, "/console/deliveries")
    wrong = await browser.send("/console/deliveries/redeliver", failedSince="yesterday", url="")
    assert (wrong.status_code, "failedSince" in wrong.text) == (400, True)


async def test_a_paused_endpoint_is_resumed_and_past_events_are_sent(
    service: Service, browser: Browser, hook: Receiver
) -> None:
    hook.answer = lambda _: 500
    await traffic.message(service, US, KIRAN, "second")
    await deliver(service, backoff=SCHEDULE, pausing=Pausing(failures=1, seconds=0))
    paused = await page(browser, "/console/endpoints")
    assert "PAUSED" in paused
    resumed = await browser.send("/console/endpoints/resume", url=hook.url())
    assert resumed.status_code == 303
    told = await page(browser, "/console/endpoints")
    assert "The pause of" in told
    assert "PAUSED" not in told
    conversation = await traffic.only_conversation(service)
    sent = await browser.send(
        "/console/endpoints/replay", url=hook.url(), conversationId=conversation["id"], afterPosition="0", before=""
    )
    assert sent.status_code == 303, sent.text
    assert "5 events: 4 made once more, 0 new, 1 waiting anyhow." in await page(browser, "/console/endpoints")
    for wrong in ({"url": hook.url()}, {"url": hook.url(), "afterPosition": "-1"}, {"url": "nowhere"}):
        assert (await browser.send("/console/endpoints/replay", **wrong)).status_code == 400


async def test_events_are_followed_and_each_tells_what_it_led_to(
    service: Service, browser: Browser, hook: Receiver
) -> None:
    log = await page(browser, "/console/events")
    assert 'hx-trigger="every 2s"' in log
    order = ["communication created", "participant added", "conversation created"]
    places = [log.index(f"<strong>{one}</strong>") for one in order]
    assert places == sorted(places)  # the newest on top
    paused = await page(browser, "/console/events", paused="1", eventType="COMMUNICATION_CREATED")
    assert 'hx-trigger="every 2s"' not in paused
    assert paused.count('<li id="event-') == 1
    conversation = await traffic.only_conversation(service)
    assert (await page(browser, "/console/events", conversationId=conversation["id"])).count('<li id="event-') == 4
    (newest, *_) = [part.split('"')[0] for part in log.split('hx-get="')[1:] if part.startswith("/console/events/")]
    one = await page(browser, newest)
    assert "It was told to:" in one
    assert '"text": "first"' in one
    assert "/console/deliveries/orch_delivery_" in one
    for missing in ("0", "x", "9" * 17, "9" * 30):
        assert (await browser.http.get(f"/console/events/{missing}")).status_code == 404


async def test_empty_lists_say_what_to_do(browser: Browser) -> None:
    for path, told in (
        ("/console/deliveries", "No delivery yet."),
        ("/console/endpoints", "No callback was sent yet."),
        ("/console/events", "No event yet."),
        ("/console/uncaptured", "Nothing was turned away."),
        ("/console/diagnostics", "Nothing went wrong."),
        ("/console/traffic", "nothing in this time"),
    ):
        assert told in await browser.page(path)
