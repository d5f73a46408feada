"""The pages, for an account with nothing and for one with conversations: they show what the API says, and how."""

import html
import shlex

from orchestrator.console.api import ApiRequest
from tests.support.app import Service
from tests.support.console import Browser
from tests.support.factories import make_configuration
from tests.support.traffic import KIRAN, US


async def test_an_empty_account_is_told_what_to_do_next(service: Service, browser: Browser) -> None:
    page = await browser.page("/console")
    assert "Begin: make a configuration" in page
    assert "No conversation yet." in await browser.page("/console/conversations")
    made = await browser.send(
        "/console/first-configuration",
        name="Support",
        number=US,
        grouping="GROUP_BY_PARTICIPANT_ADDRESSES",
        store="mem_store_01kgh3m8qce0m9x2t6v4b7r5zn",
    )
    assert (made.status_code, made.headers["location"]) == (303, "/console")
    (configuration,) = (await service.api.get("/v2/ControlPlane/Configurations")).json()["configurations"]
    assert configuration["displayName"] == "Support"
    page = await browser.page("/console")
    assert f"Support captures what goes to and from {US}." in page
    assert "Begin: make a configuration" not in page
    assert "captures what goes" not in await browser.page("/console")  # it is told once


async def test_what_the_api_refuses_is_shown_in_its_words(browser: Browser) -> None:
    refused = await browser.send("/console/first-configuration", name="", number=US, grouping="NONE", store="x")
    assert refused.status_code == 400
    assert "displayName" in refused.text
    assert "curl" in refused.text
    unknown = await browser.http.get("/console/conversations/conv_conversation_01kgh3m8qce0m9x2t6v4b7r5zn")
    assert (unknown.status_code, "20404" in unknown.text) == (404, True)
    for path in ("/console/nothing", "/console/conversations/%00", "/console/conversations/..%2F..%2Fhealthz"):
        assert (await browser.http.get(path)).status_code == 404, path


async def test_a_conversation_shows_what_happened_in_its_order(service: Service, browser: Browser) -> None:
    await make_configuration(service)
    await service.receive_message(KIRAN, US, body="my parcel")
    await service.receive_message(US, KIRAN, body="it is on its way")
    (conversation,) = (await service.api.get("/v2/Conversations")).json()["conversations"]
    await service.api.patch(f"/v2/Conversations/{conversation['id']}", json={"status": "CLOSED"})
    page = await browser.page(f"/console/conversations/{conversation['id']}")
    story = ["Opened as", "joined as customer", "my parcel", "it is on its way", "CLOSED</span>"]
    timeline = page[page.index('<ol class="timeline"') :]
    assert [timeline.index(step) for step in story] == sorted(timeline.index(step) for step in story)
    assert 'class="said customer"' in timeline
    assert 'class="said ours"' in timeline
    assert "hx-trigger" not in page[page.index("<main") : page.index("<h1>")]  # nothing more happens


async def test_a_live_page_asks_for_its_content_alone(service: Service, browser: Browser) -> None:
    await make_configuration(service)
    await service.receive_message(KIRAN, US)
    listed = await browser.page("/console/conversations?status=ACTIVE&channel=SMS")
    assert 'hx-get="/console/conversations?status=ACTIVE&amp;channel=SMS" hx-trigger="every 2s"' in listed
    assert "1 of the 1 conversations of this page are on SMS." in listed
    assert "No conversation fits." in await browser.page("/console/conversations?channel=VOICE")
    fragment = await browser.http.get("/console/conversations", headers={"HX-Request": "true"})
    assert fragment.text.strip().startswith("<main")
    assert "<html" not in fragment.text


async def test_long_lists_have_pages(service: Service, browser: Browser) -> None:
    await make_configuration(service)
    for sender in (KIRAN, "+15551230002"):
        await service.receive_message(sender, US)
    token = (await service.api.get("/v2/Conversations", params={"pageSize": 1})).json()["meta"]["nextToken"]
    second = await browser.page(f"/console/conversations?pageToken={token}")
    newer = html.unescape(second.split('rel="prev" href="')[1].split('"')[0])
    first = await browser.page(newer)
    assert (first.count('id="row-'), second.count('id="row-')) == (1, 1)
    assert 'rel="next"' in first


async def test_every_link_leads_somewhere(service: Service, browser: Browser) -> None:
    await make_configuration(service)
    await service.receive_message(KIRAN, US)
    await service.receive_transcript(KIRAN, US, "on the phone")
    found = await browser.crawl()
    assert {path: status for path, status in found.items() if status != 200} == {}
    assert any(path.startswith("/console/communications/") for path in found)


def test_requests_are_shown_as_commands_that_ask_the_same() -> None:
    request = ApiRequest("POST", "http://127.0.0.1:8080", "/v2/x", (("q", "a b&c"),), {"name": "O'Hara; rm -rf"})
    words = shlex.split(request.curl.replace("\\\n", " "))
    assert words[:4] == ["curl", "http://127.0.0.1:8080/v2/x?q=a+b%26c", "-u", "$ORCHESTRATOR_AUTH"]
    assert words[-2:] == ["-d", '{\n "name": "O\'Hara; rm -rf"\n}']
