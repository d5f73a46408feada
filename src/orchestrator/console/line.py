"""A line between two phones: who holds which number, on which channel, and what the page's address says of it."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, get_args
from urllib.parse import urlencode

from orchestrator import phones
from orchestrator.console.page import Page
from orchestrator.domain import addresses
from orchestrator.kernel.errors import BadRequest

CHANNELS: tuple[phones.Channel, ...] = get_args(phones.Channel)


@dataclass(frozen=True, slots=True)
class Line:
    """One phone, and whom it writes to or speaks with."""

    channel: phones.Channel
    mine: str
    """The number of the phone that is held."""
    theirs: str

    @property
    def other_way(self) -> "Line":
        """The phone at the other end."""
        return replace(self, mine=self.theirs, theirs=self.mine)

    @property
    def query(self) -> dict[str, str]:
        return {"channel": self.channel, "from": self.mine, "to": self.theirs}

    def path(self, **more: str | None) -> str:
        """The page of this phone."""
        return "/console/phones?" + urlencode(self.query | {name: one for name, one in more.items() if one})

    @property
    def tester(self) -> str:
        """Where to learn what would become of a message."""
        return tester_of(self.channel, self.mine, self.theirs)

    @property
    def command(self) -> str:
        """What does the same in a terminal."""
        ends = f"--from {shlex.quote(self.mine)} --to {shlex.quote(self.theirs)}"
        return f'orchestrator send {self.channel.lower()} {ends} "Hello"'

    def has_ends(self, one: str, other: str) -> bool:
        """Whether two addresses are those of the line, whichever of them wrote."""
        return {self.canonical(one), self.canonical(other)} == {self.canonical(self.mine), self.canonical(self.theirs)}

    def is_mine(self, address: str) -> bool:
        return self.canonical(address) == self.canonical(self.mine)

    def canonical(self, address: str) -> str:
        """In the form for comparing; what cannot be an address of the channel is compared as it is."""
        try:
            return addresses.canonical(addresses.Channel(self.channel), address)
        except addresses.InvalidAddress:
            return address


def tester_of(channel: str, sender: str, to: str) -> str:
    """The page that tells which rules would capture what."""
    return "/console/explain?" + urlencode({"channel": channel, "from": sender, "to": to})


def line_of(given: Mapping[str, Any]) -> Line:
    """The line that a form or an address names. Raises BadRequest."""
    channel, mine, theirs = (str(given.get(name) or "").strip() for name in ("channel", "from", "to"))
    if channel not in CHANNELS:
        raise BadRequest(f"channel must be one of {', '.join(CHANNELS)}")
    for name, address in (("from", mine), ("to", theirs)):
        try:
            addresses.parse(addresses.Channel(channel), address)
        except addresses.InvalidAddress as error:
            raise BadRequest(f"{name}: {error}") from error
    return Line(channel, mine, theirs)


async def known_numbers(page: Page) -> tuple[list[str], list[str]]:
    """Numbers that may be picked: those that configurations capture or that are registered, and customers'."""
    configurations, registered, recent = await page.together(
        page.ask("/v2/ControlPlane/Configurations", pageSize=100),
        page.ask("/orchestrator/v1/Numbers", pageSize=100),
        page.ask("/v2/Conversations", pageSize=50),
    )
    ours = [one["address"] for one in (registered.body["numbers"] if registered.succeeded else [])]
    for one in configurations.body["configurations"] if configurations.succeeded else []:
        for settings in one["channelSettings"].values():
            ours += [rule[end] for rule in settings["captureRules"] or () for end in ("to", "from") if rule.get(end)]
    customers = [
        end["address"]
        for one in (recent.body["conversations"] if recent.succeeded else [])
        for who in one["participants"]
        for end in who["addresses"]
        if who["type"] == "CUSTOMER"
    ]
    return _distinct(ours), _distinct(customers)


def _distinct(numbers: list[str]) -> list[str]:
    """Without channel prefixes, so that each is there once."""
    bare = [one.rpartition(":")[2] if one.startswith(("whatsapp:", "rcs:")) else one for one in numbers]
    return [one for one in dict.fromkeys(bare) if "*" not in one]
