"""The API as the console uses it: requests in this process, with the credentials of whoever is signed in.

They go through the whole application, so that what the console shows is what any client would be told, and each can
be shown as the `curl` command that asks the same.
"""

import asyncio
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
from starlette.types import ASGIApp

from orchestrator.console.sessions import Session


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request to the API. Its query has no values that are None."""

    method: str
    origin: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, Any] | None = None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def target(self) -> str:
        """Path and query."""
        return self.path + (f"?{urlencode(self.query)}" if self.query else "")

    @property
    def curl(self) -> str:
        """The command that does the same. $ORCHESTRATOR_AUTH stands for `SID:secret`."""
        method = [] if self.method == "GET" else [f"-X {self.method}"]
        headers = [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in self.headers]
        body = [] if self.body is None else ["-H 'Content-Type: application/json'", f"-d {_quoted(self.body)}"]
        parts = [f"curl {shlex.quote(self.origin + self.target)}", '-u "$ORCHESTRATOR_AUTH"', *method, *headers, *body]
        return " \\\n  ".join(parts)


def _quoted(body: Mapping[str, Any]) -> str:
    return shlex.quote(json.dumps(body, ensure_ascii=False, indent=1))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered to a request."""

    request: ApiRequest
    status: int
    body: Any
    """The JSON; None without one."""

    @property
    def succeeded(self) -> bool:
        return self.status < 300

    @property
    def code(self) -> int | None:
        """Twilio's code of a refusal."""
        return self.body.get("code") if isinstance(self.body, dict) else None

    @property
    def message(self) -> str:
        """Why it was refused."""
        return str(self.body.get("message", "")) if isinstance(self.body, dict) else ""


class Refused(Exception):
    """The API refused a request without which there is no page."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.request.method} {answer.request.target}: {answer.status}")
        self.answer = answer


class Api:
    """The API for one session."""

    def __init__(self, app: ASGIApp, session: Session, origin: str) -> None:
        self._origin = origin
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app, raise_app_exceptions=False),
            base_url=origin,
            auth=session.credentials,
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            follow_redirects=True,  # of profiles that were merged
            trust_env=False,
        )

    def request(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> ApiRequest:
        """A request that may be sent, or only shown. Query values that are None or empty are left out."""
        given = tuple((name, str(value)) for name, value in (query or {}).items() if value not in (None, ""))
        return ApiRequest(method, self._origin, path, given, body, tuple((headers or {}).items()))

    async def send(self, request: ApiRequest) -> Answer:
        """Send it; the answer may be a refusal."""
        # In a task of its own, because the application notes in the context which request it is about.
        response = await asyncio.create_task(
            self._client.request(
                request.method,
                request.path,
                params=request.query or None,
                json=request.body,
                headers=dict(request.headers),
            )
        )
        return Answer(request, response.status_code, response.json() if response.content else None)

    async def post_form(self, path: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        """Post a form as the provider does. The answer has no JSON unless it is a refusal."""
        response = await asyncio.create_task(self._client.post(path, content=content, headers=dict(headers)))
        refused = response.json() if response.is_error else None
        return Answer(self.request("POST", path), response.status_code, refused)
