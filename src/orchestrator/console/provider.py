"""The provider's part, which the console plays in dev mode: webhooks, signed and posted to this very service."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request

from orchestrator.console.api import Answer, Api
from orchestrator.console.edge import Accounts
from orchestrator.kernel.errors import OnlyInDevMode
from orchestrator.kernel.http import Origin
from orchestrator.phones import Webhook


class Provider:
    """Posts for the account that is signed in, and signs with its auth token, whoever it is that signed in."""

    def __init__(self, request: Request, origin: str) -> None:
        self._request = request
        self._origin = origin

    @property
    def is_allowed(self) -> bool:
        """Whether there may be phones that do not exist: in dev mode alone."""
        allowed: bool = self._request.app.state.settings.is_dev
        return allowed

    async def post(self, webhook: Webhook) -> Answer:
        """Have the service receive it, by the way that real traffic takes. Raises OnlyInDevMode."""
        if not self.is_allowed:
            raise OnlyInDevMode("only a service in dev mode has phones that do not exist")
        accounts: Accounts = self._request.app.state.authenticator
        account_id: str = self._request.state.account_id
        token = (await accounts.auth_tokens(account_id))[0]
        scheme, host = urlsplit(self._origin)[:2]
        api = Api(self._request.app, self._request.state.session, f"{scheme}://{host}")
        headers = webhook.headers(account_id, token, self._origin)
        return await api.post_form(webhook.path, webhook.body(account_id), headers)


async def _provider(request: Request, origin: Origin) -> Provider:
    return Provider(request, origin)


InProvider = Annotated[Provider, Depends(_provider)]
