"""Talks to the service as providers and API clients do: what is not answered is sent again."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp

from orchestrator.cli.errors import CommandFailed
from orchestrator.kernel.signing import sign

CONNECTIONS = 64
_TIMEOUT = 30.0
"""Seconds for one answer."""
_AGAIN_AFTER = 0.1
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service said."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass
class Client:
    """One account's provider and API client."""

    url: str
    account_id: str
    auth_token: str = field(repr=False)
    patience: float = 60.0
    """Seconds for which one request is sent again and again."""
    troubles: Counter[str] = field(default_factory=Counter)
    """What stood in the way of an answer: lost connections by their error, and statuses from 500 on."""

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, force_close=False),
            timeout=aiohttp.ClientTimeout(total=_TIMEOUT),
            trust_env=False,
        )
        self._credentials = {"Authorization": aiohttp.encode_basic_auth(self.account_id, self.auth_token)}
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def webhook(self, path: str, fields: Mapping[str, str]) -> None:
        """Post a form, signed as Twilio signs it, until it is answered with 200. Raises CommandFailed."""
        form = {"AccountSid": self.account_id, **fields}
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": sign(self.auth_token, self.url + path, form.items()),
        }
        answer = await self._insist("POST", path, data=urlencode(form), headers=headers)
        if answer.status != 200:
            raise CommandFailed(f"{path} was answered {answer.status}: {answer.body}")

    async def call(self, method: str, path: str, body: Any = None) -> Answer:
        """Ask the API; redirects are not followed. Raises CommandFailed when no answer comes, or a refusal."""
        answer = await self._insist(method, path, json=body, headers=self._credentials, allow_redirects=False)
        if answer.status >= 400:
            raise CommandFailed(f"{method} {path} was answered {answer.status}: {answer.body}")
        return answer

    async def _insist(self, method: str, path: str, **content: Any) -> Answer:
        give_up = time.monotonic() + self.patience
        while True:
            try:
                answer = await self._ask(method, path, content)
            except (aiohttp.ClientError, OSError) as error:  # timeouts too
                trouble = type(error).__name__
            else:
                if answer.status < 500:
                    return answer
                trouble = f"HTTP {answer.status}"
            self.troubles[trouble] += 1
            if time.monotonic() > give_up:
                raise CommandFailed(f"{method} {path} was not answered for {self.patience:.0f} s: {trouble}")
            await asyncio.sleep(_AGAIN_AFTER)

    async def _ask(self, method: str, path: str, content: Mapping[str, Any]) -> Answer:
        async with self._session.request(method, self.url + path, **content) as response:
            is_json = response.content_type == "application/json"
            body = await (response.json() if is_json else response.text())
            return Answer(response.status, response.headers, body)
