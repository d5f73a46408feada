"""The page at /docs works without any other host."""

import re

import httpx
import pytest

from orchestrator.openapi.reference import FOLDER, fingerprint
from tests.support.app import Service


@pytest.fixture
def browser(service: Service) -> httpx.AsyncClient:
    """Not the client of other tests, which knows the paths of the OpenAPI file alone."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(service.app), base_url="https://orchestrator.test")


async def test_the_page_asks_no_other_host_and_its_policy_forbids_it(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/docs")
    assert page.status_code == 200
    assert "//" not in page.text.replace("<!--", "")
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    sources = {source for name, value in policy.items() for source in value.split()}
    assert sources == {"'none'", "'self'", "data:"}
    assert policy["default-src"] == "'none'"
    assert (await browser.get("/redoc")).status_code == 404  # FastAPI's own, which asks others


async def test_what_the_page_loads_is_served_and_kept_by_browsers(browser: httpx.AsyncClient) -> None:
    page = (await browser.get("/docs")).text
    paths = [path for path in re.findall(r'(?:src|href)="([^"]+)"', page) if not path.startswith("data:")]
    assert [path.rpartition("/")[2] for path in paths] == ["swagger-ui.css", "swagger-ui-bundle.js", "reference.js"]
    for path in paths:
        answer = await browser.get(f"/{path}")
        assert answer.status_code == 200, path
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"].startswith(("text/css", "text/javascript"))
    own = (await browser.get(f"/{paths[-1]}")).text
    (description,) = re.findall(r'url: "([^"]+)"', own)
    assert (await browser.get(f"/{description}")).json()["openapi"].startswith("3.")


async def test_a_file_that_is_not_there_is_a_404_and_nothing_else_can_be_read(browser: httpx.AsyncClient) -> None:
    for path in ("nothing.js", "%2e%2e/reference.py", "..%2freference.py", "%00", "swagger-ui"):
        answer = await browser.get(f"/docs/{fingerprint()}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, 20404), path


def test_the_viewer_comes_with_its_licences() -> None:
    assert {"LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"} <= {one.name for one in FOLDER.rglob("*")}
