"""When a failed callback is tried again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

DEFAULT_DELAYS = (5.0, 30.0, 120.0, 600.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0)
"""Seconds before attempts 2 to 9; about 5 s, 30 s, 2 min, 10 min, 30 min, 2 h, 5 h, 10 h (contract README)."""

_LONGEST_WISH = 24 * 3_600.0  # seconds


@dataclass(frozen=True, slots=True)
class Backoff:
    """A retry schedule."""

    delays: Sequence[float] = DEFAULT_DELAYS
    """Seconds between the attempts."""
    jitter: float = 0.1
    """Largest share of a delay that is added to it, so that failures that came together do not return together."""
    fast_attempts: int = 4
    """As many attempts hold up the later events of their conversation; then those overtake (`bounded` order)."""

    def delay(self, attempts: int, *, chance: float, retry_after: float | None = None) -> timedelta | None:
        """How long to wait after the given number of failed attempts; None = give up.

        `chance` is a random number in 0..1. A receiver's `Retry-After` (seconds) lengthens the wait, up to a day, and
        never shortens it.
        """
        if attempts > len(self.delays):
            return None
        planned = timedelta(seconds=self.delays[attempts - 1] * (1 + self.jitter * chance))
        wished = min(retry_after, _LONGEST_WISH) if retry_after and retry_after > 0 else 0.0
        return max(planned, timedelta(seconds=wished))

    def holds_order(self, attempts: int, wait: timedelta) -> bool:
        """Whether a delivery that failed so many times still goes before the later events of its conversation.

        Not while it waits longer than any fast attempt would, because the receiver asked for that: one broken reply
        must not silence a conversation for hours.
        """
        longest = max(self.delays[: self.fast_attempts - 1], default=0.0) * (1 + self.jitter)
        return attempts < self.fast_attempts and wait <= timedelta(seconds=longest)
