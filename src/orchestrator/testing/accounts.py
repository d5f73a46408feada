"""Whom a test acts as, and where that comes from; for an instance that runs already, its one account."""

import secrets
from contextlib import closing
from dataclasses import dataclass, field
from typing import Protocol

from orchestrator.testing.api import Api


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a test acts as."""

    account_sid: str
    auth_token: str = field(repr=False)
    memory_store_id: str
    number: str
    """Of our side, for configurations that name none."""
    is_fresh: bool
    """Whether nobody else has used it, and nobody will."""


class Accounts(Protocol):
    """Where tests get their account."""

    def take(self) -> Account: ...


class GivenAccount:
    """One account for all tests, each with a memory store and a number of its own."""

    def __init__(self, url: str, account_sid: str, auth_token: str) -> None:
        self._url = url
        self._credentials = (account_sid, auth_token)

    def take(self) -> Account:
        with closing(Api(self._url, *self._credentials)) as api:
            accepted = api.post("/v1/ControlPlane/Stores", {"displayName": f"test-{secrets.token_hex(8)}"})
            store_id = api.get(accepted["statusUrl"])["result"]["id"]
        number = f"+1650{2_000_000 + secrets.randbelow(8_000_000)}"  # as good as never the same for two tests
        return Account(*self._credentials, store_id, number, is_fresh=False)
