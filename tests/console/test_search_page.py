"""The search box, what was not captured, diagnostics, and charts."""

import html
import re
from urllib.parse import urlencode

from orchestrator.console.charts import HEIGHT, WIDTH, lines, stacked
from tests.support import traffic
from tests.support.app import Service
from tests.support.console import Browser
from tests.support.factories import make_configuration
from tests.support.memory import new_profile, new_store
from tests.support.traffic import KIRAN, US


async def leads(browser: Browser, text: str) -> str:
    """Where a search leads to at once."""
    answer = await browser.http.get(f"/console/search?{urlencode({'q': text})}")
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def found(browser: Browser, text: str) -> str:
    return html.unescape(await browser.page(f"/console/search?{urlencode({'q': text})}"))


async def test_an_id_or_sid_leads_to_its_page(service: Service, browser: Browser) -> None:
    await make_configuration(service)
    sid = await traffic.message(service, KIRAN, US)
    lost = await traffic.message(service, KIRAN, "+16505550000")
    conversation = await traffic.only_conversation(service)
    (said,) = await traffic.communications(service, conversation)
    path = f"/console/conversations/{conversation['id']}"
    assert await leads(browser, f" {conversation['id']} ") == path
    assert await leads(browser, f"{conversation['id']}:3") == f"{path}#event-3"
    assert await leads(browser, said["id"]) == f"/console/communications/{said['id']}"
    assert await leads(browser, sid) == f"{path}#{said['id']}"
    turned_away = await leads(browser, lost)
    assert turned_away.startswith("/console/uncaptured/orch_uncaptured_")
    assert lost in await browser.page(turned_away)
    assert await leads(browser, turned_away.rpartition("/")[2]) == turned_away
    assert await leads(browser, service.account.account_id) == "/console"
    assert await leads(browser, f'"{conversation["participants"][0]["id"]}",') == path
    assert '<p class="by" id="event-4">' in await browser.page(path)  # what was said has the anchor of its event, too
    for unknown in ("conv_conversation_01kgh3m8qce0m9x2t6v4b7r5zn", "SM" + "0" * 32, "mem_profile_" + "0" * 26):
        assert "Nothing was found." in await found(browser, unknown)


async def test_an_operation_leads_to_what_it_was_about(service: Service, browser: Browser) -> None:
    configuration = await make_configuration(service)
    changed = await service.api.patch(
        f"/v2/ControlPlane/Configurations/{configuration}", json={"description": "another"}
    )
    assert await leads(browser, changed.headers["operation-id"]) == f"/console/configurations/{configuration}"
    made = await service.api.post("/v1/ControlPlane/Stores", json={"displayName": "looked-for"})
    assert (await leads(browser, made.headers["operation-id"])).startswith("/console/stores/mem_store_")
    for _ in range(2):
        await make_configuration(service)
    sid = await traffic.message(service, KIRAN, US)
    several = await leads(browser, sid)
    assert several == f"/console/conversations?channelId={sid}"
    assert (await browser.page(several)).count('<tr class="stack" id="row-') == 3


async def test_a_number_or_text_leads_to_everything_that_has_it(service: Service, browser: Browser) -> None:
    store = await new_store(service)
    profile = await new_profile(service, store, phone="+15551230077")
    await make_configuration(service, memoryStoreId=store)
    await traffic.message(service, "+15551230077", US, "<i>my parcel</i>")
    await traffic.message(service, "+15551230077", "+16505550000")
    conversation = await traffic.only_conversation(service)
    page = await found(browser, "1 (555) 123-0077")
    for one in (conversation["id"], profile, "+15551230077 → +16505550000"):
        assert one in page
    said = await browser.page("/console/search?q=PARCEL")
    assert "&lt;i&gt;my parcel&lt;/i&gt;" in said
    assert "An id, a SID, a number" in await browser.page("/console/search")
    for refused in ("x" * 301, "a\x00b"):
        assert "20001" in await found(browser, refused)


async def test_what_was_not_captured_tells_why_and_where_to_try(service: Service, browser: Browser) -> None:
    await make_configuration(service)
    await traffic.message(service, f"whatsapp:{KIRAN}", "whatsapp:+16505550000")
    page = html.unescape(await browser.page("/console/uncaptured"))
    assert "Not captured: " in page
    (tester,) = re.findall(r'href="(/console/explain\?[^"]*)"', page)
    assert tester.startswith("/console/explain?channel=WHATSAPP&from=")
    await traffic.message(service, "AcmeShop", US)
    diagnostics = await browser.page("/console/diagnostics?code=530001")
    assert "an address of this kind identifies nobody" in diagnostics
    assert "No diagnostic fits." in await browser.page("/console/diagnostics?code=530003")


async def test_traffic_is_drawn_and_there_as_a_table(service: Service, browser: Browser) -> None:
    await make_configuration(service)
    await traffic.message(service, KIRAN, US)
    page = await browser.page("/console/traffic?by=DAY")
    for part in ('class="sms"', 'class="new"', "As a table", 'id="charts"'):
        assert part in page
    assert 'hx-get="/console/traffic" hx-trigger="load" hx-select="#charts"' in await browser.page("/console")
    assert "20001" in await browser.page("/console/traffic?by=WEEK")


def test_bars_and_lines_stay_within_the_drawing() -> None:
    times = [f"2026-02-03T09:{minute:02}:00Z" for minute in range(60)]
    kinds = [("a", "A"), ("b", "B")]
    for most in (0, 1, 3, 7, 99, 100, 12_345):
        numbers = [{"a": most * (place % 3), "b": None if place % 2 else most} for place in range(60)]
        chart = stacked("x", times, kinds, numbers)
        assert all(bar.y >= 0 and bar.y + bar.height <= HEIGHT and bar.x + bar.width <= WIDTH for bar in chart.bars)
        assert chart.is_empty == (most == 0)
        drawn = [
            float(y) for _, points in lines("x", times, kinds, numbers).lines for y in re.findall(r",(\S+)", points)
        ]
        assert all(0 <= y <= HEIGHT for y in drawn)
