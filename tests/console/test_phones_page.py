"""Phones that do not exist: what they send takes the way of real traffic, and both ends see it."""

import html
import re
from typing import Any
from urllib.parse import urlencode

from orchestrator.accounts import service as accounts
from tests.support import traffic
from tests.support.app import Service
from tests.support.console import Browser
from tests.support.factories import make_configuration
from tests.support.performing import perform
from tests.support.traffic import KIRAN, US

PHONES = "/console/phones"


def line(channel: str = "SMS", mine: str = KIRAN, theirs: str = US, **more: str) -> dict[str, str]:
    return {"channel": channel, "from": mine, "to": theirs, **more}


async def held(browser: Browser, **of: str) -> str:
    """The page of a phone."""
    return html.unescape(await browser.page(f"{PHONES}?{urlencode(line(**of))}"))


async def sent(browser: Browser, path: str, fields: dict[str, str]) -> str:
    """Where a form leads to."""
    answer = await browser.send(f"{PHONES}/{path}", **fields)
    assert answer.status_code == 303, answer.text
    return html.unescape(await browser.page(answer.headers["location"]))


def thread(page: str) -> list[tuple[str, str]]:
    """Whose bubbles there are, with their texts."""
    found = re.findall(r'<li class="said (\w+)[^>]*>.*?<p class="text">(.*?)</p>', page, re.DOTALL)
    return [(side, re.sub(r"<.*?>", "", text)) for side, text in found]


async def test_two_phones_write_to_each_other_and_see_where_it_lands(service: Service, browser: Browser) -> None:
    await make_configuration(service)
    page = await sent(browser, "messages", line(text="Where is my parcel?"))
    conversation = await traffic.only_conversation(service)
    landed = page[page.index('id="landed"') :]
    assert "NEW" in landed
    assert f"/console/conversations/{conversation['id']}" in landed
    await sent(browser, "messages", line(mine=US, theirs=KIRAN, text="On its way"))
    assert thread(await held(browser)) == [("ours", "Where is my parcel?"), ("customer", "On its way")]
    assert thread(await held(browser, mine=US, theirs="1 (555) 123-4567".replace("1 ", "+1 "))) == [
        ("customer", "Where is my parcel?"),
        ("ours", "On its way"),
    ]
    assert 'hx-trigger="every 2s"' in page
    assert thread(await held(browser, channel="WHATSAPP")) == []
    assert "Nothing has been said yet." in await held(browser, theirs="+16505550000")


async def test_the_same_message_again_is_a_duplicate(service: Service, browser: Browser) -> None:
    await make_configuration(service)
    page = await sent(browser, "messages", line("WHATSAPP", text="once"))
    (sid,) = set(re.findall(r'name="sid" value="(SM\w+)"', page[page.index('id="landed"') :]))
    again = await sent(browser, "messages", line("WHATSAPP", text="once", sid=sid))
    assert "DUPLICATE" in again
    assert await traffic.texts(service) == [["once"]]


async def test_what_nobody_captures_is_shown_with_what_to_do(service: Service, browser: Browser) -> None:
    page = await sent(browser, "messages", line(text="hello?"))
    assert "UNCAPTURED" in page
    (reason,) = [one["reason"] for one in await traffic.uncaptured(service)]
    assert f"Not captured: {reason}." in page
    assert f"/console/explain?{urlencode(line())}" in page
    assert thread(page) == [("ours", "The text was not kept.")]


async def test_what_the_service_sends_arrives_and_is_reported_of(service: Service, browser: Browser) -> None:
    await make_configuration(service)
    await traffic.message(service, KIRAN, US, "hello")
    conversation = await traffic.only_conversation(service)
    action = {
        "type": "SEND_MESSAGE",
        "payload": {
            "from": {"channel": "SMS", "address": US},
            "to": [{"channel": "SMS", "address": KIRAN}],
            "content": {"text": "from an action"},
        },
    }
    assert (await service.api.post(f"/v2/Conversations/{conversation['id']}/Actions", json=action)).status_code == 202
    await perform(service)
    page = await held(browser)
    assert thread(page) == [("ours", "hello"), ("customer", "from an action")]
    (sid,) = re.findall(r'action="/console/phones/reports".*?name="sid" value="(SM\w+)"', page, re.DOTALL)
    read = await sent(browser, "reports", line(sid=sid, status="read"))
    assert f"Read was reported of {sid}." in read
    assert "READ" in thread_part(read)
    wrong = await browser.send(f"{PHONES}/reports", **line(sid=sid, status="eaten"))
    assert wrong.status_code == 400


def thread_part(page: str) -> str:
    return page[page.index('id="thread"') : page.index('id="write"')]


async def test_a_call_is_spoken_on_by_both_in_any_order(service: Service, browser: Browser) -> None:
    await make_configuration(service)
    page = await sent(browser, "calls", line("VOICE", direction="inbound"))
    (call,) = set(re.findall(r'name="call" value="(CA\w+)"', page))
    said: list[dict[str, Any]] = [
        {"speaker": "caller", "text": "hello", "position": "1"},
        {"speaker": "caller", "text": "third", "position": "3"},
        {"speaker": "called", "text": "second", "position": "2"},
    ]
    for one in said:
        page = await sent(browser, "sentences", line("VOICE", call=call, direction="inbound", **one))
    assert thread(page) == [("ours", "hello"), ("ours", "third"), ("customer", "second")]
    assert 'name="position" type="number" min="1" value="4"' in page
    again = await sent(browser, "sentences", line("VOICE", call=call, direction="inbound", **said[0]))
    assert "DUPLICATE" in again
    (conversation,) = await traffic.everything_said(service)
    assert [one["author"]["address"] for one in conversation] == [KIRAN, KIRAN, US]
    page = await sent(browser, "calls", line("VOICE", US, KIRAN, direction="outbound-api"))
    (call,) = set(re.findall(r'name="call" value="(CA\w+)"', page))
    ours = line("VOICE", US, KIRAN, call=call, direction="outbound-api", speaker="caller", text="we", position="1")
    assert ("ours", "we") in thread(await sent(browser, "sentences", ours))


async def test_wrong_forms_are_refused_and_send_nothing(service: Service, browser: Browser) -> None:
    wrong: list[tuple[str, dict[str, str]]] = [
        ("messages", line("PIGEON", text="x")),
        ("messages", line(mine="", text="x")),
        ("messages", line(mine="*", text="x")),
        ("messages", line(theirs="+1", text="x")),
        ("calls", line("VOICE", mine="x" * 300)),
        ("sentences", line("VOICE", call="CA1", text="x", position="0")),
        ("sentences", line("VOICE", call="CA1", text="x", position="9" * 400)),
        ("sentences", line("VOICE", call="", text="x", position="1")),
        ("reports", line(sid="", status="read")),
    ]
    for path, fields in wrong:
        answer = await browser.send(f"{PHONES}/{path}", **fields)
        assert answer.status_code == 400, (path, fields, answer.text)
    assert (await browser.http.get(f"{PHONES}?channel=x")).status_code == 400
    assert all(one["outcome"] == "REFUSED" for one in await traffic.uncaptured(service))


async def test_whoever_has_a_key_alone_has_phones_too(service: Service, stranger: Browser) -> None:
    async with service.units.begin() as unit:
        key = await accounts.create_key(unit, service.account.account_id, name="console")
    await stranger.sign_in(key.sid, key.secret)
    await sent(stranger, "messages", line(text="signed all the same"))
    assert len(await traffic.uncaptured(service)) == 1


async def test_in_production_there_are_no_phones(service: Service, browser: Browser) -> None:
    state = service.app.state
    state.settings = service.settings.model_copy(update={"mode": "production"})
    assert "There are no phones here." in await browser.page(PHONES)
    refused = await browser.send(f"{PHONES}/messages", **line(text="x"))
    assert refused.status_code == 403
    assert await traffic.uncaptured(service) == []
