"""The sender that has Twilio send: its Messages API, or whatever answers like it.

httpx's API on aiohttp's connections (docs/adr/0004). Every message gets a connection of its own: if one was kept and
the other side closed it at the moment of sending, nobody could tell whether the message had arrived.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import aiohttp
import httpx
import orjson
from httpx_aiohttp import AiohttpTransport

from orchestrator.actions.messages_form import form_of
from orchestrator.actions.model import Message
from orchestrator.actions.senders import NotNow, Refused, Sent, Uncertain
from orchestrator.domain.messages import TWILIO_STATUSES, DeliveryStatus
from orchestrator.outbox.answers import retry_after
from orchestrator.outbox.client import USER_AGENT

AuthTokens = Callable[[str], Awaitable[str | None]]
"""The auth token of an account, which is also its password at the provider; None when the account is gone."""

CONNECT_TIMEOUT = 5.0
"""Seconds for a connection: name lookup, TCP and TLS."""
READ_TIMEOUT = 15.0
"""Seconds for the answer, once there is a connection."""

_LONGEST_SID = 255
_NEVER_CONNECTED = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError)
_MISCONFIGURED = (httpx.InvalidURL, httpx.UnsupportedProtocol, aiohttp.InvalidURL)
# As in `outbox.client`: the transport lets through what it has no translation for.
_NETWORK_ERRORS = (httpx.HTTPError, aiohttp.ClientError, OSError, UnicodeError)


class MessagesApi:
    """Sends messages as the account that asks for them, with its SID and auth token."""

    def __init__(
        self,
        auth_tokens: AuthTokens,
        *,
        url: str,
        status_callback: str | None = None,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        self._auth_tokens = auth_tokens
        self._url = url.rstrip("/")
        self._status_callback = status_callback
        self._total_timeout = connect_timeout + read_timeout
        self._ssl_context: ssl.SSLContext = httpx.create_ssl_context()
        self._http = httpx.AsyncClient(
            transport=AiohttpTransport(verify=self._ssl_context, client=self._open_session),
            timeout=httpx.Timeout(read_timeout, connect=connect_timeout, pool=connect_timeout),
            follow_redirects=False,
            trust_env=False,
        )

    def _open_session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(ssl=self._ssl_context, limit=0, force_close=True)
        return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())

    def is_repeatable(self, message: Message) -> bool:
        """Never: the API knows no idempotency key, so a repeat would be a second message."""
        return False

    async def send(self, message: Message) -> Sent:
        form = form_of(message, self._status_callback)
        auth_token = await self._auth_token(message.account_id)
        return _read(await self._post(message.account_id, auth_token, form))

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _auth_token(self, account_id: str) -> str:
        try:
            auth_token = await self._auth_tokens(account_id)
        except Exception as error:  # nothing has been sent yet, whatever it is
            raise NotNow(f"the account's auth token cannot be read: {type(error).__name__}") from error
        if auth_token is None:
            raise Refused("the account is gone")
        return auth_token

    async def _post(self, account_id: str, auth_token: str, form: list[tuple[str, str]]) -> httpx.Response:
        try:
            async with asyncio.timeout(self._total_timeout):
                return await self._http.post(
                    f"{self._url}/2010-04-01/Accounts/{account_id}/Messages.json",
                    content=urlencode(form).encode(),
                    headers={
                        "Content-Type": "application/x-www-form-urlencoded",
                        "Accept": "application/json",
                        "Accept-Encoding": "identity",
                        "User-Agent": USER_AGENT,
                    },
                    auth=(account_id, auth_token),
                )
        except _MISCONFIGURED as error:
            raise Refused("the URL of the API cannot be requested") from error
        except _NETWORK_ERRORS as error:
            raise _lost(error) from error


def _lost(error: BaseException) -> NotNow | Uncertain:
    """No answer. Only a connection that never came about says that nothing was sent."""
    # httpx's own class says little: its aiohttp transport calls every failed or lost connection a ConnectTimeout.
    cause = error.__cause__ if isinstance(error, httpx.HTTPError) and error.__cause__ else error
    if isinstance(cause, _NEVER_CONNECTED):
        return NotNow(f"no connection to the provider: {type(cause).__name__}")
    if isinstance(cause, TimeoutError):
        return Uncertain("the provider did not answer in time")
    return Uncertain(f"the connection to the provider was lost: {type(cause).__name__}")


def _read(response: httpx.Response) -> Sent:
    """What an answer says. Raises Refused, NotNow, Uncertain."""
    body = _json(response)
    if response.is_success:
        return _sent(body)
    told = body.get("message")
    reason = told if isinstance(told, str) and told else "the provider gave no reason"
    code = f", Twilio error {body['code']}" if isinstance(body.get("code"), int) else ""
    reason = f"{reason} (HTTP {response.status_code}{code})"
    if response.status_code in (429, 503):
        raise NotNow(reason, retry_after=retry_after(response.headers))
    if response.status_code >= 500:
        raise Uncertain(reason)
    raise Refused(reason, code=body["code"] if code else None)


def _sent(body: dict[str, Any]) -> Sent:
    sid, status, text = body.get("sid"), body.get("status"), body.get("body")
    if not isinstance(sid, str) or not 0 < len(sid) <= _LONGEST_SID or "\x00" in sid:
        raise Uncertain("the provider's answer names no message")
    return Sent(
        sid,
        TWILIO_STATUSES.get(str(status), DeliveryStatus.IN_PROGRESS),
        text.replace("\x00", "\ufffd") if isinstance(text, str) and text.strip() else None,
    )


def _json(response: httpx.Response) -> dict[str, Any]:
    """The body, if it is a JSON object; else nothing of it counts."""
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}
