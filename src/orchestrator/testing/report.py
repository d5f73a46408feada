"""What the report of a failed test says of the service: its log since the test began, and what came to nothing."""

from collections.abc import Callable
from pathlib import Path

from orchestrator.testing import situation
from orchestrator.testing.api import Api
from orchestrator.testing.orchestrator import Orchestrator

_TAIL = 4000
"""Bytes."""


class Watched:
    """The service, from the beginning of a test."""

    def __init__(self, orchestrator: Orchestrator, log: Path | None) -> None:
        self._orchestrator = orchestrator
        self._log = log
        self._began = log.stat().st_size if log else 0

    def sections(self) -> list[tuple[str, str]]:
        """Headings and texts."""
        found = [("orchestrator: log", self._logged())] if self._log else []
        found += [
            ("orchestrator: traffic that was not captured", self._ask(situation.uncaptured)),
            ("orchestrator: callbacks that were not delivered", self._ask(situation.undelivered)),
        ]
        return [(heading, text) for heading, text in found if text]

    def _logged(self) -> str:
        assert self._log is not None
        return self._log.read_bytes()[self._began :][-_TAIL:].decode(errors="replace").strip()

    def _ask(self, about: Callable[[Api], list[str]]) -> str:
        return "\n".join(situation.asked(about, self._orchestrator.api))
