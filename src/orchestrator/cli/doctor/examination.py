"""The examination: what can be reached is fetched and judged by every check; what cannot be is itself a finding."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestrator.cli.api import Api, Refused
from orchestrator.cli.doctor import callbacks, calls, clocks, configurations, database, environment, rules
from orchestrator.cli.doctor.database import Database
from orchestrator.cli.doctor.findings import Finding
from orchestrator.cli.doctor.seen import Seen, see
from orchestrator.cli.errors import CommandFailed
from orchestrator.cli.instance import Instance
from orchestrator.settings import Settings

if TYPE_CHECKING:
    import httpx

CHECKS = (*configurations.CHECKS, *rules.CHECKS, *calls.CHECKS, *callbacks.CHECKS, *clocks.CHECKS)
"""What is judged by what the API shows."""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at."""

    instance: Instance
    has_credentials: bool
    settings: Settings | None
    """Those of the instance; None where it is another machine's."""
    connects: bool = True
    """Whether the hosts of status callbacks are connected to."""


@dataclass(slots=True)
class Examination:
    """What was found, and what could be looked at."""

    findings: list[Finding] = field(default_factory=list)
    looked_at: list[str] = field(default_factory=list)


async def examine(patient: Patient, *, transport: "httpx.AsyncBaseTransport | None" = None) -> Examination:
    """Look at everything."""
    done = Examination()
    seen = None
    async with Api(patient.instance, transport=transport) as api:
        if await _answers(api, done) and patient.has_credentials:
            seen = await _account(api, done)
    if seen is not None:
        done.looked_at.append(f"the account {patient.instance.account_id}")
        done.findings += _judged(seen, patient)
        if patient.connects:
            done.findings += await callbacks.unreachable(seen)
    if patient.settings is not None:
        await _machine(patient.settings, done)
    done.findings += environment.of_versions()
    done.looked_at.append("versions")
    return done


async def _answers(api: Api, done: Examination) -> bool:
    """Whether the service can be reached and is ready."""
    try:
        skew = await clocks.service_skew(api)
        done.looked_at.append(f"the service at {api.instance.url}")
        done.findings += clocks.skewed(skew)
        await api.get("/readyz")
    except Refused as refused:
        done.findings.append(_not_ready(api, refused))
        return False
    except CommandFailed as failed:
        done.findings.append(
            Finding(
                "unreachable",
                api.instance.url,
                f"The service does not answer: {failed}.",
                "Start it (`orchestrator serve`), or name the right address: --url, ORCHESTRATOR_URL, "
                "ORCHESTRATOR_PUBLIC_URL, ORCHESTRATOR_PORT.",
            )
        )
        return False
    return True


def _not_ready(api: Api, refused: Refused) -> Finding:
    return Finding(
        "not-ready",
        api.instance.url,
        f"Something answers there, but not as a service that is ready: {refused}.",
        "Look into the service's log. If another program has that port, name the service's with --url.",
    )


async def _account(api: Api, done: Examination) -> Seen | None:
    try:
        return await see(api)
    except Refused as refused:
        if refused.status == 401:
            done.findings.append(
                Finding(
                    "credentials-refused",
                    api.instance.url,
                    f"The service does not know the account {api.instance.account_id}, or not with this auth token.",
                    "Set ORCHESTRATOR_ACCOUNT_SID and ORCHESTRATOR_AUTH_TOKEN, or ORCHESTRATOR_DATA_DIR to the data "
                    "folder of that service. A token that was rotated counts as wrong.",
                )
            )
        else:
            done.findings.append(_look_failed(str(refused)))
    except CommandFailed as failed:
        done.findings.append(_look_failed(str(failed)))
    return None


def _look_failed(reason: str) -> Finding:
    return Finding(
        "look-failed",
        "the account",
        f"It could not be looked at: {reason}.",
        "Repeat; if it stays so, the service's log says more. An older service may lack what is asked for.",
    )


def _judged(seen: Seen, patient: Patient) -> Iterator[Finding]:
    for check in CHECKS:
        yield from check(seen)
    settings = patient.settings
    if settings is None:
        return
    yield from callbacks.forbidden(seen, allow_insecure=settings.admits_insecure_callbacks)
    yield from extraction_idle(seen, settings)


def extraction_idle(seen: Seen, settings: Settings) -> Iterator[Finding]:
    """Configurations that ask for extraction, where nothing extracts."""
    if settings.extractor_url is not None or settings.digest_summaries:
        return
    for one in seen.configurations:
        if one.settings.extracts_memory:
            yield Finding(
                "extraction-idle",
                one.name,
                "It has memoryExtractionEnabled, but there is no extractor: nothing is remembered of conversations.",
                "Set ORCHESTRATOR_EXTRACTOR_URL (docs/extraction.md) or ORCHESTRATOR_DIGEST_SUMMARIES.",
            )


async def _machine(settings: Settings, done: Examination) -> None:
    found = await database.look(settings)
    if isinstance(found, Database):
        done.looked_at.append("the database")
        done.findings += database.judge(found, environment.box(settings))
    else:
        done.findings.append(found)
    done.findings += environment.of_settings(settings)
    done.findings += environment.of_data_folder(settings.data_dir)
    done.looked_at += ["the settings", f"the data folder {settings.data_dir}"]
