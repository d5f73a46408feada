"""The command: finds what there is to look at, tells what was found."""

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.errors import FAILED, CommandFailed
from orchestrator.cli.instance import Instance, Url, checked, find_instance, url_of_service
from orchestrator.cli.serve import local_url
from orchestrator.cli.settings import AsJson, read_settings

if TYPE_CHECKING:
    from orchestrator.cli.doctor.examination import Patient
    from orchestrator.cli.doctor.findings import Finding
    from orchestrator.settings import Settings

Strict = Annotated[bool, typer.Option("--strict", help="Fail on warnings too.")]
Connect = Annotated[
    bool,
    typer.Option("--connect/--no-connect", help="Open a connection to each status callback's host; sends nothing."),
]


def doctor(*, url: Url = None, strict: Strict = False, connect: Connect = True, as_json: AsJson = False) -> None:
    """Look for what is wrong with a running instance, its settings and its database, and say what to do.

    Exit code 1 if there is an error, with --strict also if there is a warning.
    """
    from rich.console import Console

    from orchestrator.cli.doctor import report
    from orchestrator.cli.doctor.examination import examine
    from orchestrator.cli.doctor.findings import Severity

    patient, problem = find_patient(url, connects=connect)
    with Console(stderr=True).status("looking …"):
        done = asyncio.run(examine(patient))
    done.findings += [problem] if problem else []
    if as_json:
        report.print_json(patient.instance.url, done)
    else:
        report.print_findings(done)
    bad = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    if any(finding.severity in bad for finding in done.findings):
        raise typer.Exit(FAILED)


def find_patient(url: str | None, *, connects: bool) -> "tuple[Patient, Finding | None]":
    """What to look at, and what is wrong already if there are no credentials for it."""
    from orchestrator.cli.doctor.examination import Patient
    from orchestrator.cli.doctor.findings import Finding

    settings = read_settings()
    where = checked(url_of_service(url))
    of_here = settings if where in {_url(settings), local_url(settings)} else None
    try:
        return Patient(find_instance(url), True, of_here, connects), None
    except CommandFailed as failed:
        advice = "The account's configurations, numbers and callbacks are looked at once they are there."
        problem = Finding("no-credentials", where, _sentence(failed), advice)
        return Patient(Instance(where, "", ""), False, of_here, connects), problem


def _url(settings: "Settings") -> str:
    return (settings.public_url or local_url(settings)).rstrip("/")


def _sentence(failed: CommandFailed) -> str:
    text = str(failed)
    return f"{text[0].upper()}{text[1:]}."
