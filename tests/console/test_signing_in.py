"""Who may see the console: signing in and out, the cookie, and what ends a session."""

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from orchestrator.accounts import rotation
from orchestrator.accounts import service as accounts
from orchestrator.app import create_app
from orchestrator.console import Sessions
from orchestrator.console.sessions import IDLE
from tests.support.app import SECRET_KEY, Service, TurnableClock, api_client
from tests.support.console import Browser


async def test_whoever_is_not_signed_in_is_sent_to_the_login_and_comes_back(stranger: Browser) -> None:
    sent = await stranger.http.get("/console/conversations?status=ACTIVE")
    assert sent.status_code == 303
    login = urlsplit(sent.headers["location"])
    assert login.path == "/console/login"
    wanted = parse_qs(login.query)["next"][0]
    back = await stranger.sign_in(next=wanted)
    assert (back.status_code, back.headers["location"]) == (303, "/console/conversations?status=ACTIVE")


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.test/", "//evil.test", "/console\\@evil.test", "/console/../v2/Conversations"]
)
async def test_the_way_back_leads_to_the_console_only(stranger: Browser, elsewhere: str) -> None:
    assert (await stranger.sign_in(next=elsewhere)).headers["location"] == "/console"


async def test_the_cookie_is_for_the_server_alone_and_does_not_show_the_token(
    service: Service, stranger: Browser
) -> None:
    cookie = (await stranger.sign_in()).headers["set-cookie"].lower()
    for flag in ("httponly", "secure", "samesite=strict", "path=/console", f"max-age={int(IDLE.total_seconds())}"):
        assert flag in cookie
    assert service.account.auth_token not in cookie


@pytest.mark.parametrize(
    ("username", "secret"),
    [("", "wrong"), ("ACffffffffffffffffffffffffffffffff", ""), ("SK0", "wrong"), ("nobody", "x"), ("é:", "\ud7ff")],
)
async def test_wrong_credentials_are_refused_alike_and_late(stranger: Browser, username: str, secret: str) -> None:
    began = asyncio.get_running_loop().time()
    refused = await stranger.sign_in(username, secret)
    assert asyncio.get_running_loop().time() - began >= 0.05
    assert refused.status_code == 401
    assert "the credentials are not those of an account or API key" in refused.text
    assert "20003" in refused.text
    assert "set-cookie" not in refused.headers


async def test_a_session_ends_when_it_is_left(service: Service, browser: Browser) -> None:
    wall = TurnableClock()
    wall.advance(minutes=11)  # old enough to be renewed by any other page
    service.app.state.sessions = Sessions(SECRET_KEY, wall)
    out = await browser.send("/console/logout")
    assert (out.status_code, out.headers["location"]) == (303, "/console/login")
    assert (await browser.http.get("/console")).status_code == 303


async def test_a_session_ends_after_twelve_idle_hours_whatever_the_clock_of_the_service_shows(
    service: Service, browser: Browser
) -> None:
    service.clock.advance(days=3)
    await browser.page("/console")
    wall = TurnableClock()
    service.app.state.sessions = Sessions(SECRET_KEY, wall)
    wall.advance(hours=11)
    polled = await browser.http.get("/console", headers={"HX-Request": "true"})
    assert "set-cookie" not in polled.headers  # a page that is left open is not used
    assert "set-cookie" in (await browser.http.get("/console")).headers
    wall.advance(hours=11)
    await browser.page("/console")
    wall.advance(hours=12, minutes=1)
    assert (await browser.http.get("/console")).status_code == 303


async def test_a_session_ends_when_the_auth_token_is_rotated(service: Service, browser: Browser) -> None:
    async with service.units.begin() as unit:
        await rotation.rotate_token(
            unit, service.app.state.secret_box, service.account.account_id, window=timedelta(days=1)
        )
    service.app.state.authenticator._accounts.clear()  # what it knows is at most five seconds old
    assert (await browser.http.get("/console")).status_code == 303
    polled = await browser.http.get("/console", headers={"HX-Request": "true"})
    assert polled.headers["hx-redirect"].startswith("/console/login")


async def test_an_api_key_signs_in_until_it_is_deleted(service: Service, stranger: Browser) -> None:
    async with service.units.begin() as unit:
        key = await accounts.create_key(unit, service.account.account_id, name="console")
    assert key.secret is not None
    assert (await stranger.sign_in(key.sid, key.secret)).status_code == 303
    assert key.sid in await stranger.page("/console")
    async with service.units.begin() as unit:
        await accounts.delete_key(unit, service.account.account_id, key.sid)
    assert (await stranger.http.get("/console")).status_code == 303


@pytest.mark.parametrize("change", ["another key", "another end", "nonsense"])
async def test_a_cookie_that_the_service_did_not_write_is_none(service: Service, browser: Browser, change: str) -> None:
    sessions: Sessions = service.app.state.sessions
    mine = Sessions.begin(service.account.account_id, service.account.auth_token, is_secure=True)
    forged = {
        "another key": Sessions("another key").seal(mine),
        "another end": sessions.seal(mine)[:-4] + "AAA=",
        "nonsense": "nonsense",
    }[change]
    browser.http.cookies.clear()
    browser.http.cookies.set(sessions.cookie, forged)
    assert (await browser.http.get("/console")).status_code == 303


async def test_the_console_can_be_switched_off(service: Service) -> None:
    app = create_app(service.settings.model_copy(update={"console": False}))
    async with api_client(app, None) as client:
        answer = await client.get("/console")
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)
