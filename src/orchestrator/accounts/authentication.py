"""Who a request comes from: Basic auth for the REST API, the account's token for signed provider traffic."""

import base64
import binascii
import re
import time
from collections.abc import Callable

from orchestrator.accounts import service
from orchestrator.accounts.service import Account
from orchestrator.kernel.errors import Unauthorized
from orchestrator.kernel.secrets import SecretBox, same
from orchestrator.kernel.unit import Units

_ACCOUNT_SID = re.compile(r"AC[0-9a-fA-F]{32}")
_CACHED_SECONDS = 5.0
_DOUBTED_SECONDS = 1.0
"""An answer this old is not good enough to refuse somebody: the token may have been rotated since."""
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="Orchestrator"'}


class Authenticator:
    """Finds accounts. What it knows of an account is at most five seconds old."""

    def __init__(self, units: Units, box: SecretBox, elapsed: Callable[[], float] = time.monotonic) -> None:
        self._units = units
        self._box = box
        self._elapsed = elapsed
        """Seconds since any moment."""
        self._accounts: dict[str, tuple[float, Account | None]] = {}

    async def account(self, account_id: str, *, not_older: float = _CACHED_SECONDS) -> Account | None:
        """The account of this SID; every provider webhook asks, so answers are kept for a moment."""
        if not _ACCOUNT_SID.fullmatch(account_id):  # strangers choose it, and it may be as long as a body
            return None
        known = self._accounts.get(account_id)
        if known is not None and self._elapsed() - known[0] < not_older:
            return known[1]
        async with self._units.begin() as unit:
            found = await service.find_account(unit, self._box, account_id)
        if len(self._accounts) > 10_000:  # made-up SIDs must not fill the memory
            self._accounts.clear()
        self._accounts[account_id] = (self._elapsed(), found)
        return found

    async def auth_tokens(self, account_id: str) -> tuple[str, ...]:
        """The account's valid auth tokens, first the one that signs; none when the account is gone."""
        account = await self.account(account_id)
        return account.tokens(self._units.clock.now()) if account else ()

    async def recognise(self, account_id: str, fits: Callable[[str], bool]) -> Account | None:
        """The account, if what somebody did with its auth token fits a valid one; None otherwise.

        Nobody is refused on what was known more than a second ago, so a new token works at once or a second later,
        while wrong ones cost one look into the database a second.
        """
        for age in (_CACHED_SECONDS, _DOUBTED_SECONDS):
            account = await self.account(account_id, not_older=age)
            if account is None:
                return None
            if any(fits(token) for token in account.tokens(self._units.clock.now())):
                return account
        return None

    async def authenticate(self, authorization: str | None) -> str:
        """The account id behind a Basic `Authorization` header. Raises Unauthorized."""
        username, password = _basic(authorization)
        if username.startswith("SK"):
            async with self._units.begin() as unit:
                account_id = await service.account_of_key(unit, username, password)
            if account_id is not None:
                return account_id
        elif (account := await self.recognise(username, lambda token: same(token, password))) is not None:
            return account.account_id
        raise Unauthorized("the credentials are not those of an account or API key", headers=_CHALLENGE)


def _basic(authorization: str | None) -> tuple[str, str]:
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        raise Unauthorized(
            "authenticate with Basic auth: account SID and auth token, or API key SID and secret", headers=_CHALLENGE
        )
    try:
        username, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Unauthorized("the Authorization header is not valid Basic auth", headers=_CHALLENGE) from error
    if not colon or "\x00" in username:
        raise Unauthorized("the Authorization header is not valid Basic auth", headers=_CHALLENGE)
    return username, password
