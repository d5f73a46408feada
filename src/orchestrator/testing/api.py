"""How a test talks to the service: as an API client, and as the provider that sends its traffic. All of it waits."""

import ssl
from functools import cache
from typing import Any

import httpx

from orchestrator.phones import Webhook

CLOCK = "/orchestrator/v1/Clock"
__tracebackhide__ = True  # pytest shows the line of the test

_PATIENCE = 30.0
_TURNED_WITHIN = 330.0
"""Seconds; who turns the clock waits until all that became due has happened, and the service gives up after 300."""


class Refused(Exception):
    """The service said no; `body` is its error in Twilio's form, where it has one."""

    def __init__(self, message: str, status: int, body: dict[str, Any]) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class Api:
    """One account's requests. Raises Refused, and httpx.HTTPError where nobody answers. Threads may share it."""

    def __init__(self, url: str, account_sid: str, auth_token: str) -> None:
        self.url = url
        self._account = (account_sid, auth_token)
        self.client = httpx.Client(
            base_url=url,
            auth=self._account,
            timeout=_PATIENCE,
            verify=_trust(),
            trust_env=False,  # no proxy stands between this machine and itself
        )

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def get(self, path: str, **query: Any) -> Any:
        return self._request("GET", path, params=query).json()

    def post(self, path: str, body: Any) -> Any:
        return self._request("POST", path, json=body).json()

    def turn(self, wanted: dict[str, Any]) -> Any:
        """Do something with the clock."""
        return self._request("POST", CLOCK, json=wanted, timeout=_TURNED_WITHIN).json()

    def delete(self, path: str) -> None:
        self._request("DELETE", path)

    def receive(self, webhook: Webhook) -> None:
        """Post what the provider would, signed as the provider signs it."""
        headers = webhook.headers(*self._account, self.url)
        self._request("POST", webhook.path, content=webhook.body(self._account[0]), headers=headers)

    def all(self, path: str, key: str, **query: Any) -> list[dict[str, Any]]:
        """Everything on a list, over all its pages."""
        found: list[dict[str, Any]] = []
        token: str | None = None
        while True:
            page = self.get(path, pageSize=1000, **query, **({"pageToken": token} if token else {}))
            found += page[key]
            token = page["meta"].get("nextToken")
            if not token:
                return found

    def _request(self, method: str, path: str, **content: Any) -> httpx.Response:
        response = self.client.request(method, path, **content)
        if response.is_success:
            return response
        body = _error(response)
        said = body.get("message", response.reason_phrase)
        raise Refused(f"{method} {path} was answered {response.status_code}: {said}", response.status_code, body)


@cache
def _trust() -> ssl.SSLContext:
    """Reading the authorities takes longer than most tests."""
    return httpx.create_ssl_context(trust_env=False)


def _error(response: httpx.Response) -> dict[str, Any]:
    try:
        body: Any = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
