"""How commands talk to the service: as an API client, and as Twilio."""

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import httpx

from orchestrator.cli.errors import CommandFailed
from orchestrator.cli.instance import Instance
from orchestrator.phones import Webhook

_PATIENCE = 10.0
"""Seconds for one request."""
_PAGE = "1000"


class Refused(CommandFailed):
    """The service said no; `body` is its error in Twilio's form. Of another program's answer it is empty."""

    def __init__(self, message: str, status: int, body: dict[str, Any]) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class Api:
    """One account's API, and the provider that sends its traffic. Raises CommandFailed, of which Refused is a kind."""

    def __init__(
        self, instance: Instance, *, patience: float = _PATIENCE, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.instance = instance
        self.http = httpx.AsyncClient(
            base_url=instance.url,
            auth=(instance.account_id, instance.auth_token),
            timeout=patience,
            transport=transport,
            trust_env=False,  # no proxy stands between this machine and itself
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()

    async def get(self, path: str, **query: str) -> Any:
        return (await self.request("GET", path, params=query)).json()

    async def every(self, path: str, key: str, **query: str) -> AsyncIterator[dict[str, Any]]:
        """The items of all pages of a list, as they come."""
        page = await self.get(path, pageSize=_PAGE, **query)
        while True:
            for item in page[key]:
                yield item
            if (token := page["meta"].get("nextToken")) is None:
                return
            page = await self.get(path, pageToken=token)

    async def post(self, path: str, body: Any = None, **query: str) -> Any:
        return (await self.request("POST", path, json=body, params=query)).json()

    async def put(self, path: str, body: Any, **query: str) -> Any:
        return (await self.request("PUT", path, json=body, params=query)).json()

    async def patch(self, path: str, body: Any, **query: str) -> Any:
        return (await self.request("PATCH", path, json=body, params=query)).json()

    async def delete(self, path: str) -> None:
        await self.request("DELETE", path)

    async def receive(self, webhook: Webhook) -> None:
        """Post what the provider would, signed as the provider signs it."""
        instance = self.instance
        headers = webhook.headers(instance.account_id, instance.auth_token, instance.url)
        await self.request("POST", webhook.path, content=webhook.body(instance.account_id), headers=headers)

    async def request(self, method: str, path: str, **content: Any) -> httpx.Response:
        """Any request; the answer is a success, else this raises."""
        try:
            response = await self.http.request(method, path, **content)
        except httpx.HTTPError as error:
            raise CommandFailed(f"cannot reach {self.instance.url}: {_trouble(error)}") from error
        if response.is_success and is_ours(response):
            return response
        raise refusal(method, path, response)


def is_ours(response: httpx.Response) -> bool:
    """Whether it is the service that answers, and not another program at its address, or one on the way."""
    return "Twilio-Request-Id" in response.headers


def refusal(method: str, path: str, response: httpx.Response) -> Refused:
    """The error that an answer is, in one line, with advice where there is some."""
    if not is_ours(response):
        said = f"{method} {path} was answered {response.status_code} by another program than the service"
        return Refused(f"{said}: look what listens there; --url names another address", response.status_code, {})
    advice = {
        401: f" ({_WHERE_FROM})",
        403: f" ({_WHERE_FROM}; or the service has another public URL: give that one as --url)"
        if path.startswith("/ingest/")
        else "",
    }.get(response.status_code, "")
    body = _error(response)
    said = body.get("message", response.reason_phrase)
    return Refused(f"{method} {path} was answered {response.status_code}: {said}{advice}", response.status_code, body)


_WHERE_FROM = "they come from ORCHESTRATOR_ACCOUNT_SID and ORCHESTRATOR_AUTH_TOKEN, or from the data folder"


def _trouble(error: httpx.HTTPError) -> str:
    if str(error) == "All connection attempts failed":
        return "nothing listens there; `orchestrator serve` starts it, --url names another"
    return str(error) or type(error).__name__


def _error(response: httpx.Response) -> dict[str, Any]:
    try:
        body: Any = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
