"""Which host a program may reach through the proxy, and where that leads."""

import re
from collections.abc import Iterable

_PRODUCTS = re.compile(r"(?:conversations|memory|api)(?:\.[a-z0-9-]+){0,2}\.twilio\.com")
"""As the SDKs spell them: product, edge and region, region, or nothing between the product and `twilio.com`."""


class Hosts:
    """The three products lead to the service, allowed hosts to themselves, and all others nowhere."""

    def __init__(self, allowed: Iterable[str]) -> None:
        self._allowed = frozenset(canonical(host) for host in allowed)

    def leads_away(self, host: str) -> bool:
        """Whether a host was allowed by name; also one of the products, which is then Twilio's own."""
        return canonical(host) in self._allowed

    def leads_here(self, host: str) -> bool:
        """Whether the service answers for a host."""
        return not self.leads_away(host) and _PRODUCTS.fullmatch(canonical(host)) is not None


def is_name(host: str) -> bool:
    """Whether this is a host, and not a URL or a host with a port."""
    return bool(re.fullmatch(r"[\w.-]+|\[?[0-9a-fA-F]*:[0-9a-fA-F.]*:[0-9a-fA-F:.]*\]?", host))


def canonical(host: str) -> str:
    """A host's name as it is compared: small letters, no dot at the end, no brackets."""
    return host.strip().strip("[]").rstrip(".").lower()


def split_authority(text: str) -> tuple[str, int]:
    """Host and port of a CONNECT request's target. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isascii() and port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError(f"not host:port: {text[:100]}")
    return canonical(host), int(port)
