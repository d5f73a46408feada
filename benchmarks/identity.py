"""Does recognising a customer take longer when the store knows a hundred times as many?

    python -m benchmarks.identity [--profiles 1000000] [--small 10000] [--rounds 10]

Two embedded Postgres of their own, each with one store: a small one and a large one, filled alike. The two are asked in
turns, one request at a time, so that whatever else the machine does meets both. Measured are a Lookup over HTTP; a
signed message over HTTP from a customer who has a profile but no open conversation; and recognition by itself, of a
batch of customers in one transaction, without HTTP. The program fails when an answer is not the right profile, or when
a message makes another one.
"""

import argparse
import asyncio
import os
import platform
import signal
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import uvloop

from benchmarks.population import BATCH, Population, populated

EXPECTED = 1.6
"""The median of the large store is at most as many times that of the small one."""
_PER_ROUND = {"lookup": 200, "message": 100, "batch": 30}

MEASURES: dict[str, tuple[str, Callable[[Population], float]]] = {
    "lookup": ("Lookup over HTTP", Population.lookup),
    "message": ("message over HTTP", Population.message),
    "batch": (f"{BATCH} customers recognised at once", Population.batch),
}


@dataclass
class Times:
    """Milliseconds by measure and by population."""

    small: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in MEASURES})
    large: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in MEASURES})

    def text(self, small: int, large: int) -> str:
        """A table."""
        sizes = f"{f'{small:,} profiles':>20}{f'{large:,} profiles':>22}"
        lines = [f"{'':<34}{sizes}", f"{'milliseconds':<34}{'p50':>10}{'p99':>10}{'p50':>12}{'p99':>10}{'ratio':>8}"]
        for name, (title, _) in MEASURES.items():
            few, many = statistics.quantiles(self.small[name], n=100), statistics.quantiles(self.large[name], n=100)
            ratio = many[49] / few[49]
            verdict = "" if ratio <= EXPECTED else f"  more than {EXPECTED}"
            figures = f"{few[49]:>10.2f}{few[98]:>10.2f}{many[49]:>12.2f}{many[98]:>10.2f}{ratio:>8.2f}"
            lines.append(f"{title:<34}{figures}{verdict}")
        return "\n".join(lines)


def measure(small: Population, large: Population, rounds: int) -> Times:
    """Ask both in turns."""
    for population in (small, large):
        for name, (_, once) in MEASURES.items():
            for _ in range(_PER_ROUND[name]):
                once(population)  # plans are made, pages are read
    times = Times()
    for number in range(rounds):
        for name, (_, once) in MEASURES.items():
            for _ in range(_PER_ROUND[name]):
                times.small[name].append(once(small))
                times.large[name].append(once(large))
        _say(f"round {number + 1} of {rounds}")
    return times


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, so that servers and files go
    arguments = _arguments()
    with (
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        populated(arguments.small, runner) as small,
        populated(arguments.profiles, runner) as large,
    ):
        times = measure(small, large, arguments.rounds)
        for population in (small, large):
            population.check()
    cores, load = os.cpu_count(), os.getloadavg()[2]
    print(f"{platform.platform()}, {cores} cores, load {load:.1f} over the last 15 minutes")
    counts = ", ".join(f"{title}: {arguments.rounds * _PER_ROUND[name]:,}" for name, (title, _) in MEASURES.items())
    print(f"in each store, in turns with the other; {counts}\n")
    print(times.text(arguments.small, arguments.profiles))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.identity", description=__doc__.partition("\n")[0])
    parser.add_argument("--profiles", type=int, default=1_000_000, help="in the large store (%(default)s)")
    parser.add_argument("--small", type=int, default=10_000, help="in the small store (%(default)s)")
    parser.add_argument("--rounds", type=int, default=10, help="of measurements (%(default)s)")
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
