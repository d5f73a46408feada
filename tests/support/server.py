"""The application behind a real server, for clients that want a socket, and the official SDK that talks to it."""

import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from threading import Thread
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx
import uvicorn
from fastapi import FastAPI
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from orchestrator.accounts.service import Account
from orchestrator.app import create_app
from orchestrator.settings import Settings


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """Serve this service; yields the origin."""
    with serving_app(create_app(settings)) as origin:
        yield origin


@contextmanager
def serving_app(app: FastAPI) -> Iterator[str]:
    """Serve any application on a free loopback port, in a thread; yields the origin."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, access_log=False, log_config=None, timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def moved(url: str, origin: str) -> str:
    """The same URL at another origin."""
    there = urlsplit(origin)
    return urlunsplit(urlsplit(url)._replace(scheme=there.scheme, netloc=there.netloc))


class LocalHttpClient(TwilioHttpClient):  # type: ignore[misc]
    """The SDK's own HTTP client; all it changes is where requests go."""

    def __init__(self, origin: str) -> None:
        super().__init__()
        self._origin = origin
        self.requested: list[str] = []
        """Method and path of every request."""
        self.answered: list[int] = []
        """The status of every answer."""

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        self.requested.append(f"{method} {urlsplit(url).path}")
        response = super().request(method, moved(url, self._origin), *args, **kwargs)
        self.answered.append(response.status_code)
        return response


class AsyncLocalHttpClient(AsyncTwilioHttpClient):  # type: ignore[misc]
    """The SDK's own asynchronous HTTP client; it changes where requests go, and sends as JSON what it calls JSON.

    twilio-python 9.13 hands the body to aiohttp as a form whatever the content type says; `as_released` leaves it so.
    """

    def __init__(self, origin: str, *, as_released: bool = False) -> None:
        super().__init__()
        self._origin = origin
        self._as_released = as_released
        self.requested: list[str] = []
        """Method and path of every request."""
        self.answered: list[int] = []
        """The status of every answer."""

    async def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        self.requested.append(f"{method} {urlsplit(url).path}")
        if not self._as_released and (kwargs.get("headers") or {}).get("Content-Type") == "application/json":
            kwargs["data"] = json.dumps(kwargs["data"])
        response = await super().request(method, moved(url, self._origin), *args, **kwargs)
        self.answered.append(response.status_code)
        return response


@contextmanager
def sdk_client(origin: str, username: str, password: str, account_sid: str | None = None) -> Iterator[Client]:
    """The official SDK, talking to the server."""
    http_client = LocalHttpClient(origin)
    try:
        yield Client(username, password, account_sid, http_client=http_client)
    finally:
        http_client.session.close()


@asynccontextmanager
async def async_sdk_client(origin: str, account: Account, **options: Any) -> AsyncIterator[Client]:
    """The same for its asynchronous methods; the options are AsyncLocalHttpClient's."""
    async with AsyncLocalHttpClient(origin, **options) as http_client:
        yield Client(account.account_id, account.auth_token, http_client=http_client)


def post_webhook(origin: str, account: Account, path: str, form: dict[str, str]) -> httpx.Response:
    """Post a form as Twilio does."""
    form = {"AccountSid": account.account_id, **form}
    signature = RequestValidator(account.auth_token).compute_signature(origin + path, form)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
    return httpx.post(origin + path, content=urlencode(form), headers=headers, trust_env=False)
