"""The service that the proxy leads to."""

import asyncio
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from orchestrator.cli.errors import WrongUsage
from orchestrator.cli.proxy.messages import LARGEST_HEAD, Head

CONNECT_PATIENCE = 10
"""Seconds to wait for a connection."""


@dataclass(frozen=True)
class Service:
    """Where it listens."""

    host: str
    port: int
    tls: bool

    @property
    def origin(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Raises OSError, TimeoutError with it."""
        context = ssl.create_default_context() if self.tls else None
        async with asyncio.timeout(CONNECT_PATIENCE):
            return await asyncio.open_connection(self.host, self.port, ssl=context, limit=LARGEST_HEAD)

    def addressed(self, head: Head, called: str) -> Head:
        """A request as the service has to see it, so that URLs in its answers name the host that the client called.

        Over http `Host` stays as it is. Over https something in between may choose by `Host` whom it asks, so there the
        service has its own name, and URLs name what its ORCHESTRATOR_PUBLIC_URL says.
        """
        head = head.with_fields(X_Forwarded_Proto="https", X_Forwarded_Host=called)
        return head.with_fields(Host=self.host) if self.tls else head


def service_at(url: str) -> Service:
    """Raises WrongUsage unless the URL is an origin."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError as error:
        raise WrongUsage(f"--url: the port of {url} is none") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise WrongUsage(f"--url: give an origin such as http://127.0.0.1:8080, not {url}")
    tls = parts.scheme == "https"
    return Service(parts.hostname, port or (443 if tls else 80), tls)
