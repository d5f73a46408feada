"""Which hosts callbacks may reach."""

import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from orchestrator.outbox.guard import (
    AddressInfo,
    ForbiddenTarget,
    GuardedResolver,
    check_address,
    check_url,
    guarded_socket,
)

PUBLIC_V4, PUBLIC_V6 = "93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"

PRIVATE_V4 = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",  # Alibaba's metadata
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",  # Azure's host agent
    "169.254.169.254",  # nearly everybody's metadata
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",  # Oracle's metadata
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.7",
    "224.0.1.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
]
PRIVATE_V6 = [
    "::",
    "::1",
    "::7f00:1",  # deprecated "compatible" 127.0.0.1
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:c0a8:101::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",  # Amazon's metadata
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    PUBLIC_V4,
    "1.1.1.1",
    "172.32.0.1",
    "100.128.0.1",
    PUBLIC_V6,
    f"::ffff:{PUBLIC_V4}",
    f"64:ff9b::{PUBLIC_V4}",
    "2002:5db8:d70e::1",
]


@pytest.mark.parametrize("address", PRIVATE_V4 + PRIVATE_V6)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    with pytest.raises(ForbiddenTarget, match="not a public address"):
        check_address(address)
    host = f"[{address.replace('%', '%25')}]" if ":" in address else address
    with pytest.raises(ForbiddenTarget):
        check_url(f"https://{host}/hook", allow_insecure=False)
    check_url(f"http://{host}:8080/hook", allow_insecure=True)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_admitted(address: str) -> None:
    check_address(address)
    check_url(f"https://{f'[{address}]' if ':' in address else address}:8443/hook", allow_insecure=False)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7f.1",
        "0X7F.0.0.1",
        "127.1",
        "127.0.1",
        "0177.0.0.1",
        "127.0.0.01",
        "1.2.3.4.5",
        "256.1.1.1",
        "127.0.0.1.",
        "93.184.55054",  # public, but in a spelling that only attackers use
        "localhost",
        "LOCALHOST.",
        "api.localhost",
        "user:pass@127.0.0.1",
        "good.example@127.0.0.1",
        "good.example\\@127.0.0.1",
        "127.0.0.1#@good.example",
        "127.0.0.1?@good.example",
        "\uff11\uff12\uff17.0.0.1",  # full-width digits
    ],
)
def test_other_spellings_of_private_hosts_are_refused(host: str) -> None:
    with pytest.raises(ForbiddenTarget):
        check_url(f"https://{host}/hook", allow_insecure=False)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://example.com/", "must be https"),
        ("ftp://example.com/", "must be https, not 'ftp'"),
        ("file:///etc/passwd", "must be https, not 'file'"),
        ("example.com/hook", "must be https, not ''"),
        ("//example.com/hook", "must be https, not ''"),
        ("", "must be https, not ''"),
        ("https:///hook", "no host"),
        ("https://user:pass@/hook", "no host"),
        ("https://exa\tmple.com/", "not a valid URL"),
        ("https://example.com:port/", "not a valid URL"),
        ("https://[::1/", "not a valid URL"),
        ("https://example.com:99999/", "there is no port 99999"),
        ("https://127.1/", "four decimal numbers"),
        ("https://10.0.0.1/", "10.0.0.1 is not a public address"),
        ("https://localhost/", "this machine"),
    ],
)
def test_the_message_says_what_is_wrong(url: str, message: str) -> None:
    with pytest.raises(ForbiddenTarget, match=message):
        check_url(url, allow_insecure=False)


@pytest.mark.parametrize("url", ["ftp://example.com/", "https:///hook", "https://[::1/", "example.com"])
def test_nonsense_is_refused_even_where_insecure_targets_are_admitted(url: str) -> None:
    with pytest.raises(ForbiddenTarget):
        check_url(url, allow_insecure=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "HTTPS://Example.COM:8443/hook?a=1#rc=3",
        "https://user:pass@example.com/hook",
        "https://b\u00fccher.example/",
        "https://1password.example/",
        "https://0x7f.example/",
        "https://localhost.example/",
    ],
)
def test_public_hosts_are_admitted(url: str) -> None:
    check_url(url, allow_insecure=False)


def test_http_and_private_hosts_are_admitted_on_request() -> None:
    for url in ("http://localhost:9000/", "http://127.0.0.1/", "https://intranet/", "http://example.com/"):
        check_url(url, allow_insecure=True)


class Names:
    """Answers lookups from a list of answers, one after the other, as a rebinding name server does."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int, *_: Any) -> list[AddressInfo]:
        self.asked.append((host, port))
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in self.answers.pop(0)
        ]


class Resolvers:
    """Makes resolvers and closes them after the test."""

    def __init__(self) -> None:
        self.made: list[GuardedResolver] = []

    def __call__(self, names: Any, *, allow_insecure: bool = False) -> GuardedResolver:
        self.made.append(GuardedResolver(allow_insecure=allow_insecure, getaddrinfo=names))
        return self.made[-1]


@pytest.fixture
async def resolver() -> AsyncIterator[Resolvers]:
    resolvers = Resolvers()
    yield resolvers
    for made in resolvers.made:
        await made.close()


async def test_the_resolver_returns_numeric_addresses(resolver: Resolvers) -> None:
    names = Names([PUBLIC_V4, PUBLIC_V6])
    found = await resolver(names).resolve("callbacks.example", 443)
    assert [(one["host"], one["port"], one["family"], one["hostname"]) for one in found] == [
        (PUBLIC_V4, 443, socket.AF_INET, "callbacks.example"),
        (PUBLIC_V6, 443, socket.AF_INET6, "callbacks.example"),
    ]
    assert all(one["flags"] & socket.AI_NUMERICHOST for one in found)
    assert names.asked == [("callbacks.example", 443)]


@pytest.mark.parametrize("address", PRIVATE_V4 + PRIVATE_V6)
async def test_the_resolver_refuses_names_of_private_addresses(resolver: Resolvers, address: str) -> None:
    with pytest.raises(ForbiddenTarget, match=r"callbacks\.example resolves to"):
        await resolver(Names([address])).resolve("callbacks.example", 443)


async def test_the_resolver_leaves_private_addresses_out(resolver: Resolvers) -> None:
    found = await resolver(Names(["10.0.0.1", PUBLIC_V4, "::1"])).resolve("callbacks.example", 443)
    assert [one["host"] for one in found] == [PUBLIC_V4]


async def test_a_rebinding_name_is_judged_at_every_lookup(resolver: Resolvers) -> None:
    rebinding = resolver(Names([PUBLIC_V4], ["127.0.0.1"]))
    assert (await rebinding.resolve("callbacks.example", 443))[0]["host"] == PUBLIC_V4
    with pytest.raises(ForbiddenTarget):
        await rebinding.resolve("callbacks.example", 443)


async def test_the_resolver_admits_private_addresses_on_request(resolver: Resolvers) -> None:
    found = await resolver(Names(["127.0.0.1", "::1"]), allow_insecure=True).resolve("callbacks.example", 80)
    assert [one["host"] for one in found] == ["127.0.0.1", "::1"]


async def test_a_name_without_addresses_is_network_trouble(resolver: Resolvers) -> None:
    with pytest.raises(OSError, match="no address"):
        await resolver(Names([])).resolve("callbacks.example", 443)


async def test_the_resolver_asks_the_operating_system(resolver: Resolvers) -> None:
    found = await resolver(socket.getaddrinfo, allow_insecure=True).resolve("127.0.0.1", 80)
    assert [one["host"] for one in found] == ["127.0.0.1"]
    with pytest.raises(ForbiddenTarget, match=r"resolves to 127\.0\.0\.1"):
        await resolver(socket.getaddrinfo).resolve("127.1", 80)  # the C library reads this as loopback


def test_a_socket_is_made_for_public_addresses_only() -> None:
    stream = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
    guarded_socket((*stream, (PUBLIC_V4, 443))).close()
    with pytest.raises(ForbiddenTarget):
        guarded_socket((*stream, ("127.0.0.1", 443)))
