"""A clock that stands still, for tests in which every second counts."""

from datetime import datetime, timedelta

from orchestrator.kernel.clock import Clock
from tests.support.app import Service


class StoppedClock(Clock):
    """Shows the same moment until it is advanced."""

    def __init__(self) -> None:
        # Whole seconds, so that moments survive REST bodies.
        self.moment = super().now().replace(microsecond=0)

    def now(self) -> datetime:
        return self.moment

    def advance(self, **duration: float) -> None:
        self.moment += timedelta(**duration)


def stop_clock(service: Service) -> StoppedClock:
    """Give the service a clock that stands still."""
    clock = StoppedClock()
    service.units.clock = clock
    return clock
