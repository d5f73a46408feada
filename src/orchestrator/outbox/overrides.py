"""What the fragment of a callback URL asks for, as with Twilio's other webhooks: `#ct=2000&rt=5000&rc=2`.

Source: the contract's section 8.4, which cites Twilio's page on connection overrides for names and bounds. Values
beyond the bounds are taken for the nearest bound, what is no number and every other name is ignored: a configuration
that Twilio takes is not refused. The fragment itself is never sent or signed.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl

LONGEST_ATTEMPT = 25.0
"""Seconds; no fragment asks for more."""

_NUMBER = re.compile(r"[0-9]{1,9}")
_CONNECT, _READ, _TOTAL = (100, 10_000), (100, 15_000), (100, 15_000)  # milliseconds
_RETRIES = (0, 5)


@dataclass(frozen=True, slots=True)
class Overrides:
    """What one callback wants other than the settings say; None: as they say."""

    connect: float | None = None
    """`ct`: seconds to wait for a connection."""
    read: float | None = None
    """`rt`: seconds to wait for the answer."""
    total: float | None = None
    """`tt`: seconds for one attempt as a whole."""
    retries: int | None = None
    """`rc`: most attempts after the first one. They come by our schedule, hours later too: `tt` does not end them."""


@lru_cache(maxsize=4096)
def overrides(url: str) -> Overrides:
    """What a URL asks for."""
    fields = dict(parse_qsl(url.partition("#")[2]))
    return Overrides(
        connect=_seconds(fields.get("ct"), _CONNECT),
        read=_seconds(fields.get("rt"), _READ),
        total=_seconds(fields.get("tt"), _TOTAL),
        retries=_within(fields.get("rc"), _RETRIES),
    )


def _seconds(text: str | None, bounds: tuple[int, int]) -> float | None:
    found = _within(text, bounds)
    return None if found is None else found / 1000


def _within(text: str | None, bounds: tuple[int, int]) -> int | None:
    if text is None or not _NUMBER.fullmatch(text):
        return None
    return min(max(int(text), bounds[0]), bounds[1])
