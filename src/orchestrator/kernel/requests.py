"""Every request gets an id, a line in the log, a place in the metrics, and a limit to its body."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import structlog
from prometheus_client import Counter, Histogram
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.kernel.errors import MethodNotAllowed, PayloadTooLarge
from orchestrator.kernel.http import HeaderName, render_error
from orchestrator.kernel.ids import new_sid
from orchestrator.kernel.telemetry import REQUEST_SECONDS, REQUESTS

log = structlog.get_logger(__name__)

_REQUEST_ID = HeaderName(b"Twilio-Request-Id")


class RequestLog:
    """ASGI middleware around the whole application; answers what nobody inside has answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = new_sid("RQ")
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.perf_counter()
        status = 0
        answered = False

        async def send_with_id(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (_REQUEST_ID, request_id.encode())]
            else:
                answered = not message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except Exception as error:
            if not status:
                await render_error(error)(scope, receive, send_with_id)
            elif not answered:
                raise  # the answer broke off; only the connection can still tell
            # Starlette raises what it has answered once more; `render_error` has logged it.
        finally:
            _tell(scope, status, time.perf_counter() - started)


def _tell(scope: Scope, status: int, seconds: float) -> None:
    route: Any = scope.get("route")
    path = scope["path"] if isinstance(route, HotRoute) else getattr(route, "path", "(none)")
    requests, duration = _metrics(scope["method"], path, status)
    requests.inc()
    duration.observe(seconds)
    tell = log.info if status >= 400 else log.debug
    tell("answered", method=scope["method"], path=scope["path"], status=status, ms=round(seconds * 1000, 1))


@lru_cache(maxsize=4096)
def _metrics(method: str, path: str, status: int) -> tuple[Counter, Histogram]:
    """The labelled metrics; finding them anew costs more than counting."""
    return REQUESTS.labels(method, path, status), REQUEST_SECONDS.labels(path)


@dataclass(frozen=True, slots=True)
class HotRoute:
    """A POST endpoint of one exact path."""

    endpoint: Callable[[Request], Awaitable[Response]]


class HotRoutes:
    """ASGI middleware that answers a few paths itself, past FastAPI's routing: they carry the provider's traffic."""

    def __init__(self, app: ASGIApp, *, routes: Mapping[str, HotRoute]) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._routes.get(scope["path"]) if scope["type"] == "http" else None
        if route is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        if scope["method"] != "POST":
            raise MethodNotAllowed(f"{scope['method']} is not possible on {scope['path']}", headers={"Allow": "POST"})
        response = await route.endpoint(Request(scope, receive))
        await response(scope, receive, send)


class BodyLimit:
    """ASGI middleware that refuses longer bodies, announced or not, with 413.

    Below the paths in `longer`, bodies that nobody keeps in memory have limits of their own, in bytes too.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, longer: Mapping[str, int] | None = None) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._longer = dict(longer or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._most(scope["path"])
        refusal = PayloadTooLarge(f"a request body has at most {most} bytes")
        if self._announced(scope) > most:
            await render_error(refusal)(scope, receive, send)
            return
        received = 0

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise refusal
            return message

        async def send_unless_refused(message: Message) -> None:
            # Whoever read the body may have made an answer of its own out of our refusal.
            if received <= most:
                await send(message)

        await self._app(scope, receive_limited, send_unless_refused)
        if received > most:
            raise refusal

    def _most(self, path: str) -> int:
        return next((most for start, most in self._longer.items() if path.startswith(start)), self._max_bytes)

    @staticmethod
    def _announced(scope: Scope) -> int:
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        return int(lengths[0]) if lengths and lengths[0].isdigit() else 0
