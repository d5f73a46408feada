"""What the doctor can find: each kind once, under a code that stays the same, with its severity."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    """Something does not work, or nobody is safe."""
    WARNING = "warning"
    """Something works otherwise than somebody would expect."""
    INFO = "info"
    """Worth knowing."""


CODES = {
    "unreachable": Severity.ERROR,
    "not-ready": Severity.ERROR,
    "no-credentials": Severity.ERROR,
    "credentials-refused": Severity.ERROR,
    "look-failed": Severity.ERROR,
    "no-configuration": Severity.INFO,
    "configurations-full": Severity.INFO,
    "never-closes": Severity.WARNING,
    "store-missing": Severity.ERROR,
    "extraction-idle": Severity.INFO,
    "one-way-rule": Severity.WARNING,
    "shadowed-rule": Severity.INFO,
    "captured-twice": Severity.WARNING,
    "everything-captured": Severity.INFO,
    "number-not-registered": Severity.WARNING,
    "voice-twice": Severity.WARNING,
    "traffic-uncaptured": Severity.INFO,
    "profiles-unresolved": Severity.INFO,
    "callback-unreachable": Severity.WARNING,
    "callback-forbidden": Severity.ERROR,
    "endpoint-paused": Severity.WARNING,
    "endpoint-failing": Severity.WARNING,
    "deliveries-dead": Severity.WARNING,
    "worker-missing": Severity.ERROR,
    "timers-late": Severity.ERROR,
    "clock-skew": Severity.WARNING,
    "database-clock-skew": Severity.WARNING,
    "clock-turned": Severity.WARNING,
    "database-unreachable": Severity.ERROR,
    "database-stopped": Severity.INFO,
    "postgres-old": Severity.ERROR,
    "schema-missing": Severity.WARNING,
    "schema-behind": Severity.WARNING,
    "schema-ahead": Severity.ERROR,
    "secret-key-wrong": Severity.ERROR,
    "secret-key-weak": Severity.WARNING,
    "secret-readable": Severity.ERROR,
    "data-folder-writable": Severity.WARNING,
    "signatures-off": Severity.ERROR,
    "signatures-off-in-dev": Severity.INFO,
    "public-url-http": Severity.WARNING,
    "public-url-missing": Severity.WARNING,
    "insecure-callbacks": Severity.WARNING,
    "sends-nothing": Severity.WARNING,
    "worker-elsewhere": Severity.INFO,
    "python-old": Severity.ERROR,
    "package-old": Severity.WARNING,
}
"""Every kind of finding. docs/doctor.md has a row for each."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found."""

    code: str
    about: str
    """What it was found on."""
    message: str
    advice: str
    """What to do."""

    @property
    def severity(self) -> Severity:
        return CODES[self.code]

    def as_json(self) -> dict[str, Any]:
        return {"severity": self.severity.value, **asdict(self)}


def by_severity(findings: Iterable[Finding]) -> list[Finding]:
    """The worst first; otherwise as they were found, each once."""
    order = list(Severity)
    return sorted(dict.fromkeys(findings), key=lambda one: order.index(one.severity))
