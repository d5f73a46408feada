"""A browser for the console: it keeps cookies, fills in forms, and follows links."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from tests.support.app import ORIGIN, Service

_LINKS = re.compile(r'(?:href|hx-get|src)="(/console[^"#]*)')
_TOKEN = re.compile(r'name="formToken" value="([^"]+)"')


class Browser:
    """One browser at the console of a service."""

    def __init__(self, service: Service, http: httpx.AsyncClient) -> None:
        self._service = service
        self.http = http
        self.form_token = ""

    async def sign_in(self, username: str | None = None, secret: str | None = None, **more: str) -> httpx.Response:
        """With the credentials of the service's account unless others are given."""
        account = self._service.account
        form = {"username": username or account.account_id, "secret": secret or account.auth_token, **more}
        answer = await self.http.post("/console/login", data=form)
        if answer.status_code == 303:
            page = await self.http.get("/console")
            self.form_token = _TOKEN.findall(page.text)[0]
        return answer

    async def page(self, path: str) -> str:
        """The text of a page that must be there."""
        answer = await self.http.get(path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.text

    async def send(self, path: str, **fields: str) -> httpx.Response:
        """Post a form of the session."""
        return await self.http.post(path, data={"formToken": self.form_token, **fields})

    async def crawl(self, start: str = "/console", *, most: int = 60) -> dict[str, int]:
        """Status by path of every page and file that links lead to, from a first page on."""
        found: dict[str, int] = {}
        waiting = [start]
        while waiting and len(found) < most:
            path = waiting.pop(0)
            answer = await self.http.get(path)
            found[path] = answer.status_code
            if answer.headers["content-type"].startswith("text/html"):
                links = [html.unescape(link) for link in _LINKS.findall(answer.text)]
                waiting += [link for link in dict.fromkeys(links) if link not in found and link not in waiting]
        return found


@asynccontextmanager
async def browser_at(service: Service) -> AsyncIterator[Browser]:
    """A browser that nobody has signed in with yet."""
    transport = httpx.ASGITransport(service.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as http:
        yield Browser(service, http)
