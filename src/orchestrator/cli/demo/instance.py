"""The service that the demonstration talks to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Instance:
    """Where the service is, and an account of it."""

    url: str
    account_id: str
    auth_token: str

    def __repr__(self) -> str:
        return f"Instance({self.url})"
