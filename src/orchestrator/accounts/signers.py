"""Who signs the callbacks of an account: its current auth token, in the ways that the settings ask for."""

from dataclasses import dataclass

from orchestrator.accounts.authentication import Authenticator
from orchestrator.kernel.callback_signing import Signer
from orchestrator.kernel.signing import Algorithm


@dataclass(frozen=True, slots=True)
class Signers:
    """Finds the signer of an account; what it knows is at most five seconds old."""

    authenticator: Authenticator
    algorithm: Algorithm = "HMAC_SHA1"
    standard_webhooks: bool = False

    async def __call__(self, account_id: str) -> Signer | None:
        """None when the account is gone."""
        tokens = await self.authenticator.auth_tokens(account_id)
        if not tokens:
            return None
        return Signer(tokens[0], tokens[1:], self.algorithm, self.standard_webhooks)
