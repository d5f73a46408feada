"""How much this process sends to each endpoint at once, so that a slow or dead one never slows another.

An endpoint begins with one callback in flight and is given one more for each success, up to its most; a failure that
may pass takes half away. So endpoints that answer have all the room they can use, and those that do not have one place
each.

Whoever has not answered for a second costs memory, but no processor time, and does not count against the callbacks
that are sent at once. All the same there is an end to it (`_MOST` times as many, waiting ones included), of which
endpoints that are not known to answer get all but one part.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic

Endpoint = tuple[str, str]
"""Account and URL. One URL of two accounts is two endpoints."""

_MOST = 4
_WAITING_AFTER = 1.0
"""Seconds without an answer."""


@dataclass(eq=False, slots=True)
class Flight:
    """Callbacks that are sent to one endpoint one after the other."""

    endpoint: Endpoint
    started: float
    """When the present one was begun."""


@dataclass(slots=True)
class Flow:
    """What is in flight, and what may be."""

    concurrency: int
    """Callbacks that are being sent at once."""
    per_endpoint: int
    """The most for one endpoint."""
    elapsed: Callable[[], float] = monotonic
    _flights: set[Flight] = field(default_factory=set)
    _windows: dict[Endpoint, int] = field(default_factory=dict)
    """Of endpoints that are given more than one place."""

    def __len__(self) -> int:
        return len(self._flights)

    def begin(self, endpoint: Endpoint) -> Flight:
        flight = Flight(endpoint, self.elapsed())
        self._flights.add(flight)
        return flight

    def end(self, flight: Flight) -> None:
        self._flights.discard(flight)

    def again(self, flight: Flight) -> None:
        """The next callback of this flight is sent."""
        flight.started = self.elapsed()

    def succeeded(self, endpoint: Endpoint) -> None:
        window = min(self._windows.get(endpoint, 1) + 1, self.per_endpoint)
        if window > 1:
            self._windows[endpoint] = window
        while len(self._windows) > 10_000:  # the first to come is the first to begin anew
            del self._windows[next(iter(self._windows))]

    def failed(self, endpoint: Endpoint) -> None:
        """For now: it did not answer, or asked to be left alone."""
        window = self._windows.pop(endpoint, 1) // 2
        if window > 1:
            self._windows[endpoint] = window

    def is_full(self) -> bool:
        return self._room() <= 0

    def rooms(self, due: Sequence[Endpoint]) -> dict[Endpoint, int]:
        """How many callbacks may be sent now to each of the endpoints that have some due; those with none left out.

        When there is not enough for all, who comes first is left to chance.
        """
        room, for_unknown = self._room(), self._room_for_unknown()
        in_flight = Counter(flight.endpoint for flight in self._flights)
        wanted = {one: self._windows.get(one, 1) - in_flight[one] for one in random.sample(due, len(due))}
        given = dict[Endpoint, int]()
        fair = max(1, room // max(1, len(wanted)))
        for limit in (fair, self.per_endpoint):
            for endpoint, want in wanted.items():
                unknown = endpoint not in self._windows
                more = min(want, limit, room + given.get(endpoint, 0)) - given.get(endpoint, 0)
                if more <= 0 or (unknown and for_unknown <= 0):
                    continue
                given[endpoint] = given.get(endpoint, 0) + more
                room -= more
                for_unknown -= more if unknown else 0
        return given

    def _room(self) -> int:
        waiting = self._waiting()
        return min(
            self.concurrency - (len(self._flights) - len(waiting)), _MOST * self.concurrency - len(self._flights)
        )

    def _room_for_unknown(self) -> int:
        waiting = sum(1 for flight in self._waiting() if flight.endpoint not in self._windows)
        return (_MOST - 1) * self.concurrency - waiting

    def _waiting(self) -> list[Flight]:
        before = self.elapsed() - _WAITING_AFTER
        return [flight for flight in self._flights if flight.started < before]
