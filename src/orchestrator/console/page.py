"""A page on its way: what it asks of the API, and what it ends with."""

import asyncio
from collections.abc import Coroutine, Mapping
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request
from starlette.responses import RedirectResponse, Response

from orchestrator.console.api import Answer, Api, ApiRequest, Refused
from orchestrator.console.edge import is_fragment, sessions_of
from orchestrator.console.rendering import moment, render
from orchestrator.console.sessions import Session
from orchestrator.kernel.http import Origin

_CLOCK = "/orchestrator/v1/Clock"


def path_to(template: str, *ids: str) -> str:
    """The path of a resource: `path_to("/v2/Conversations/{}", id)`, whatever characters the id has."""
    return template.format(*(quote(one, safe="") for one in ids))


class Page:
    """One request of a browser, for whoever is signed in."""

    def __init__(self, request: Request, api: Api) -> None:
        self._request = request
        self._api = api
        self._clock: Answer | None = None

    @property
    def account_id(self) -> str:
        found: str = self._request.state.account_id
        return found

    @property
    def form(self) -> Mapping[str, str]:
        """The fields of a form that was posted; none where nothing was."""
        found: Mapping[str, str] = getattr(self._request.state, "form", {})
        return found

    def query(self, name: str) -> str | None:
        """A parameter of the page's own address."""
        return self._request.query_params.get(name) or None

    async def ask(self, path: str, **query: object) -> Answer:
        """GET from the API; the answer may be a refusal, which a panel shows in place of its content."""
        return await self._api.send(self._api.request("GET", path, query))

    async def get(self, path: str, **query: object) -> Answer:
        """GET from the API something without which there is no page. Raises Refused, which becomes the page."""
        return _granted(await self.ask(path, **query))

    async def send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Have the API change something. Raises Refused."""
        return _granted(await self.try_to_send(method, path, body, headers))

    async def try_to_send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """The same; the answer may be a refusal, for a form that is shown again."""
        return await self._api.send(self.request_for(method, path, body, headers))

    def request_for(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> ApiRequest:
        """A request that is only shown, as `curl`."""
        return self._api.request(method, path, body=body, headers=headers)

    async def together(self, *asked: Coroutine[Any, Any, Answer]) -> list[Answer]:
        """The answers to what is asked at once, in order. Raises Refused for the first that is refused by `get`."""
        return await asyncio.gather(*asked)

    async def show(self, template: str, status: int = 200, *, live: bool = False, **values: Any) -> Response:
        """The page of a template. A live one is fetched again every two seconds while somebody looks."""
        clock = await self.ask(_CLOCK)
        notice = self._notice()
        known: dict[str, Any] = {"clock": clock.body if clock.succeeded else None, "notice": notice, "live": live}
        if clock.succeeded:
            known["now"] = _now(clock)
        response = render(self._request, template, status, **known, **values)
        if notice is not None:
            response.delete_cookie(sessions_of(self._request).notice_cookie, path="/console")
        return response

    def go(self, path: str, notice: str | None = None) -> Response:
        """After a form: on to a page of the console, which tells the notice."""
        response = RedirectResponse(path, status_code=303)
        if notice is not None:
            session: Session = self._request.state.session
            sessions = sessions_of(self._request)
            response.set_cookie(
                sessions.notice_cookie,
                sessions.seal_notice(notice),
                max_age=60,
                path="/console",
                secure=session.is_secure,
                httponly=True,
                samesite="strict",
            )
        return response

    def _notice(self) -> str | None:
        if is_fragment(self._request):
            return None
        sessions = sessions_of(self._request)
        return sessions.read_notice(self._request.cookies.get(sessions.notice_cookie, ""))


def _granted(answer: Answer) -> Answer:
    if not answer.succeeded:
        raise Refused(answer)
    return answer


def _now(clock: Answer) -> datetime:
    return moment(clock.body["now"])


def local(path: str | None) -> str:
    """A path of the console, or its first page in place of anything that leads elsewhere."""
    if path is None or not (path == "/console" or path.startswith(("/console/", "/console?"))):
        return "/console"
    if "\\" in path or ".." in path.partition("?")[0].split("/"):
        return "/console"
    return path


async def _page(request: Request, origin: Origin) -> Page:
    return Page(request, Api(request.app, request.state.session, origin))


InPage = Annotated[Page, Depends(_page)]
