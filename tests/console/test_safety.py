"""What other sites, and texts of customers, cannot do with the console."""

from pathlib import Path

import pytest

from orchestrator import console
from orchestrator.console import assets
from tests.support.app import ORIGIN, Service
from tests.support.console import Browser
from tests.support.factories import make_configuration


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": ORIGIN},
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
    ],
    ids=["cross-site", "same-site", "origin", "null"],
)
async def test_a_form_of_another_site_is_refused(service: Service, browser: Browser, headers: dict[str, str]) -> None:
    form = {"formToken": browser.form_token}
    refused = await browser.http.post("/console/logout", data=form, headers=headers)
    assert refused.status_code == 403
    assert "another site" in refused.text
    credentials = {"username": service.account.account_id, "secret": service.account.auth_token}
    assert (await browser.http.post("/console/login", data=credentials, headers=headers)).status_code == 403
    await browser.page("/console")


async def test_a_form_needs_the_token_of_its_session(browser: Browser) -> None:
    mine, browser.form_token = browser.form_token, "of somebody else"
    assert (await browser.send("/console/logout")).status_code == 403
    accepted = await browser.http.post("/console/logout", headers={"X-Form-Token": mine, "Origin": ORIGIN})
    assert accepted.status_code == 303


async def test_forms_that_make_no_sense_are_refused(browser: Browser) -> None:
    for content in (b"formToken=%00", b"\xff", b"name=a%00b"):
        answer = await browser.http.post("/console/first-configuration", content=content)
        assert answer.status_code == 400
    answer = await browser.http.post("/console/first-configuration", json={"formToken": browser.form_token})
    assert answer.status_code == 400


async def test_pages_allow_nothing_from_elsewhere_and_are_not_kept(browser: Browser) -> None:
    for path in ("/console", "/console/nothing", "/console/login"):
        headers = (await browser.http.get(path)).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"


def test_templates_have_no_script_or_style_that_the_policy_forbids() -> None:
    folder = Path(console.__file__).parent / "templates"
    for file in folder.glob("*.html"):
        text = file.read_text()
        for forbidden in ("style=", "<style", "onclick", "hx-on", "js:", "javascript:", "|safe", "http://", "https://"):
            assert forbidden not in text, (file.name, forbidden)
        assert all("src=" in tag for tag in text.split("<script")[1:]), file.name


async def test_files_are_kept_by_browsers_under_the_name_of_their_content(stranger: Browser) -> None:
    for name in ("console.css", "console.js", "htmx-4.0.1.min.js"):
        answer = await stranger.http.get(assets.address_of(name))
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    missing = await stranger.http.get("/console/static/000000000000/console.css")
    assert (missing.status_code, missing.headers["cache-control"]) == (404, "no-store")


async def test_what_customers_write_is_text(service: Service, browser: Browser) -> None:
    await make_configuration(service)
    await service.receive_message("+15551230001", "+16505550199", body="<script>alert('said')</script>")
    found = (await service.api.get("/v2/Conversations")).json()["conversations"]
    page = await browser.page(f"/console/conversations/{found[0]['id']}")
    assert "&lt;script&gt;alert(" in page
    assert "<script>alert(" not in page
    searched = await browser.http.get("/console/conversations?status=%22%3E%3Cscript%3E&channel=%3Cscript%3E")
    assert "<script>" not in searched.text
