"""Keeps callbacks away from private networks (server-side request forgery).

Callback URLs come from API users, and the service can reach what they cannot: its own loopback, the machines beside
it, the cloud's metadata address. Three gates, because a name may resolve differently from one moment to the next:

* `check_url` judges the text, when a URL is configured and again before each send;
* `GuardedResolver` judges what a name resolves to, and the connection goes to the very addresses it returned;
* `guarded_socket` judges the address of every single connect. aiohttp asks no resolver about literal addresses.

Which addresses are public: the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890), as far as the standard
library knows them, and what it leaves out. The rule itself is the contract's: HTTPS and a public host, unless
`allow_insecure` (setting `allow_insecure_callbacks`) admits http and every host.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx
from aiohttp.abc import AbstractResolver, ResolveResult

AddressInfo = tuple[int, int, int, str, Any]
"""What `socket.getaddrinfo` returns: family, type, protocol, canonical name, socket address."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_REFUSED_V4 = tuple(
    ipaddress.IPv4Network(block)
    for block in (
        "168.63.129.16/32",  # Azure's host agent and metadata: a public number, answered by the host
        "192.0.0.0/24",  # protocol assignments; Oracle's metadata is in it
        "192.88.99.0/24",  # 6to4 relays
    )
)
_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    ipaddress.IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments, with Teredo: a tunnel to any IPv4 address
        "2001:db8::/32",
        "3fff::/20",  # both for documentation
    )
)
_LAST_PORT = 65_535
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class ForbiddenTarget(ValueError):
    """A callback must not be sent there; the message says why."""


def check_url(url: str, *, allow_insecure: bool) -> None:
    """Raise ForbiddenTarget unless the URL may be called, as far as its text can tell."""
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError) as error:
        raise ForbiddenTarget(f"not a valid URL: {error}") from error
    if parsed.port is not None and not 0 < parsed.port <= _LAST_PORT:
        raise ForbiddenTarget(f"there is no port {parsed.port}")
    check_target(parsed.scheme, parsed.host, allow_insecure=allow_insecure)


def check_target(scheme: str, host: str, *, allow_insecure: bool) -> None:
    """`check_url` for a URL that is already parsed."""
    if scheme not in ("https", "http"):
        raise ForbiddenTarget(f"the scheme must be https{' or http' * allow_insecure}, not '{scheme}'")
    if not host:
        raise ForbiddenTarget("the URL has no host")
    if allow_insecure:
        return
    if scheme == "http":
        raise ForbiddenTarget("the scheme must be https; http is admitted only with allow_insecure_callbacks")
    _check_host(host.rstrip("."))


def _check_host(host: str) -> None:
    if host == "localhost" or host.endswith(".localhost"):
        raise ForbiddenTarget(f"'{host}' is this machine; callbacks go to public hosts")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if _is_numeric(host):
            # 2130706433, 0x7f.1 and 017700000001 are 127.0.0.1 to the C library: no honest URL is written like this.
            raise ForbiddenTarget(f"'{host}' is not a host name; write IPv4 as four decimal numbers") from None
        return
    check_address(address)


def _is_numeric(host: str) -> bool:
    """Whether the C library, or a URL parser that follows WHATWG, might read the host as an IPv4 number."""
    last = host.rpartition(".")[2]
    return last.isdigit() or last.lower().startswith("0x") or ":" in host


def check_address(address: str | _Address) -> None:
    """Raise ForbiddenTarget unless the IP address is a public one. A text must be numeric, without a name lookup."""
    parsed = ipaddress.ip_address(address)
    if not _is_public(parsed):
        raise ForbiddenTarget(f"{address} is not a public address; callbacks go to public hosts")


def _is_public(address: _Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = _embedded(address)
        if inner is None:
            return address in _UNICAST_V6 and address.is_global and not any(address in block for block in _REFUSED_V6)
        address = inner
    # The standard library counts multicast as global.
    return (
        address.is_global
        and not (address.is_multicast or address.is_reserved)
        and not any(address in block for block in _REFUSED_V4)
    )


def _embedded(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a packet to this IPv6 address ends at: mapped, 6to4, or through a NAT64 gateway."""
    if address in _NAT64:
        # Admitted for public addresses: behind DNS64 every IPv4-only host looks like this.
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


class GuardedResolver(AbstractResolver):
    """Resolves names for aiohttp and lets only public addresses through.

    aiohttp connects to the numeric addresses returned, without a second lookup, so a name cannot change its meaning
    between the check and the connect.
    """

    def __init__(
        self, *, allow_insecure: bool, getaddrinfo: Callable[..., Sequence[AddressInfo]] = socket.getaddrinfo
    ) -> None:
        self._allow_insecure = allow_insecure
        self._getaddrinfo = getaddrinfo
        # Threads of our own: names whose servers are dead block one each for many seconds, and must not use up the
        # threads of the rest of the process (uvloop's own lookups share four).
        self._threads = ThreadPoolExecutor(max_workers=32, thread_name_prefix="callback-dns")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The host's admitted addresses. Raises OSError if it has none, ForbiddenTarget if none is admitted."""
        lookup = partial(self._getaddrinfo, host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, lookup)
        if not found:
            raise OSError(f"{host} has no address")
        admitted = [info for info in found if self._allow_insecure or _is_public(ipaddress.ip_address(info[4][0]))]
        if not admitted:
            numbers = ", ".join(sorted({info[4][0] for info in found}))
            raise ForbiddenTarget(f"{host} resolves to {numbers}, not to a public address")
        return [_result(host, port, info) for info in admitted]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _result(host: str, port: int, info: AddressInfo) -> ResolveResult:
    family, _, protocol, _, address = info
    numeric = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(hostname=host, host=address[0], port=port, family=family, proto=protocol, flags=numeric)


def guarded_socket(info: AddressInfo) -> socket.socket:
    """A socket for one connect, for aiohttp's `socket_factory`. Raises ForbiddenTarget unless the address is public."""
    family, kind, protocol, _, address = info
    check_address(address[0])
    return socket.socket(family, kind, protocol)
