"""The application behind a real server, for clients that want a socket."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import httpx
import uvicorn
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from orchestrator.accounts.service import Account
from orchestrator.app import create_app
from orchestrator.settings import Settings


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """Serve on a free loopback port, in a thread; yields the origin."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(settings), access_log=False, log_config=None, timeout_graceful_shutdown=5)
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


class LocalHttpClient(TwilioHttpClient):  # type: ignore[misc]
    """The SDK's own HTTP client; all it changes is where requests go."""

    def __init__(self, origin: str) -> None:
        super().__init__()
        self._origin = urlsplit(origin)
        self.requested: list[str] = []
        """Method and path of every request."""

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        parts = urlsplit(url)
        self.requested.append(f"{method} {parts.path}")
        local = urlunsplit(parts._replace(scheme=self._origin.scheme, netloc=self._origin.netloc))
        return super().request(method, local, *args, **kwargs)


@contextmanager
def sdk_client(origin: str, username: str, password: str, account_sid: str | None = None) -> Iterator[Client]:
    """The official SDK, talking to the server."""
    http_client = LocalHttpClient(origin)
    try:
        yield Client(username, password, account_sid, http_client=http_client)
    finally:
        http_client.session.close()


def post_webhook(origin: str, account: Account, path: str, form: dict[str, str]) -> httpx.Response:
    """Post a form as Twilio does."""
    form = {"AccountSid": account.account_id, **form}
    signature = RequestValidator(account.auth_token).compute_signature(origin + path, form)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
    return httpx.post(origin + path, content=urlencode(form), headers=headers, trust_env=False)
