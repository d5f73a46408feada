"""How findings are shown: the worst first, each with what to do."""

import json
from collections import Counter

import typer
from rich.padding import Padding
from rich.text import Text

from orchestrator.cli.doctor.examination import Examination
from orchestrator.cli.doctor.findings import Finding, Severity, by_severity
from orchestrator.cli.tables import console

_SIGNS = {Severity.ERROR: ("✗", "bold red"), Severity.WARNING: ("!", "bold yellow"), Severity.INFO: ("·", "bold blue")}
_NOUNS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def print_json(url: str, done: Examination) -> None:
    """One object: what was found, and what was looked at."""
    found = by_severity(done.findings)
    counts = Counter(one.severity.value for one in found)
    typer.echo(
        json.dumps(
            {
                "url": url,
                "findings": [one.as_json() for one in found],
                "counts": {severity.value: counts[severity.value] for severity in Severity},
                "lookedAt": done.looked_at,
            },
            indent=2,
        )
    )


def print_findings(done: Examination) -> None:
    """For people."""
    out = console()
    found = by_severity(done.findings)
    for finding in found:
        _print(finding)
    out.print(Text(f"Looked at {', '.join(done.looked_at)}.", style="dim"))
    out.print(Text(_summary(found), style="bold"))


def _print(finding: Finding) -> None:
    out = console()
    sign, style = _SIGNS[finding.severity]
    out.print(Text.assemble((f"{sign} {finding.severity.value:<8}", style), (finding.code, "bold")))
    for line in (
        Text(finding.about, style="dim"),
        Text(finding.message),
        Text.assemble(("→ ", "green"), finding.advice),
    ):
        out.print(Padding(line, (0, 0, 0, 4), expand=False))
    out.print()


def _summary(found: list[Finding]) -> str:
    counts = Counter(one.severity for one in found)
    parts = [f"{count} {_NOUNS[one]}{'' if count == 1 else 's'}" for one in Severity if (count := counts[one])]
    return (", ".join(parts) or "Nothing was found") + "."
