"""Checks of status callbacks: can their hosts be reached, do they take what is sent, is it sent at all."""

import asyncio
import ssl
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from urllib.parse import urlsplit

from orchestrator.cli.doctor.findings import Finding
from orchestrator.cli.doctor.seen import LATE, LOOKED_AT, Seen
from orchestrator.outbox.guard import ForbiddenTarget, check_url

_PATIENCE = 5.0
"""Seconds for one connect, as the service waits by default."""
_AT_ONCE = 16

REDELIVER = 'POST /orchestrator/v1/Deliveries/Redeliver {"failedSince": …}'


def paused(seen: Seen) -> Iterator[Finding]:
    """Endpoints that nothing is sent to for the time being."""
    for endpoint in seen.endpoints:
        if endpoint["state"] != "OPEN":
            yield Finding(
                "endpoint-paused",
                without_secrets(str(endpoint["url"])),
                f"It failed {endpoint['failures']} times in a row and is paused until {endpoint['until']}; "
                f"{endpoint['pendingCount']} deliveries wait. The last error: {endpoint['lastError']}.",
                "Repair the receiver. It is tried again after each pause; POST /orchestrator/v1/Endpoints/Resume ends "
                "the pause at once.",
            )


def failing(seen: Seen) -> Iterator[Finding]:
    """Endpoints that failed last, and are not paused yet."""
    for endpoint in seen.endpoints:
        if endpoint["state"] == "OPEN" and endpoint["failures"] and endpoint["pendingCount"]:
            yield Finding(
                "endpoint-failing",
                without_secrets(str(endpoint["url"])),
                f"Its last attempts failed ({endpoint['failures']}), {endpoint['pendingCount']} deliveries wait. "
                f"The last error: {endpoint['lastError']}.",
                "Repair the receiver: what waits is repeated for hours.",
            )


def dead(seen: Seen) -> Iterator[Finding]:
    """Deliveries of the last day that were given up, by URL."""
    for url, count in Counter(str(one["url"]) for one in seen.dead).items():
        last = next(one for one in seen.dead if one["url"] == url)
        yield Finding(
            "deliveries-dead",
            without_secrets(url),
            f"{count}{' or more' if count >= LOOKED_AT else ''} of the last day's deliveries were given up. "
            f"The newest: {last['lastError'] or last['lastStatus']}.",
            f"Repair the receiver, then {REDELIVER} sends them again (docs/recipes/redeliver-after-an-outage.md).",
        )


def undelivered(seen: Seen) -> Iterator[Finding]:
    """Deliveries that are due, to endpoints that are not paused, and that nobody sends."""
    held = {one["url"] for one in seen.endpoints if one["state"] != "OPEN"}
    late = [
        one
        for one in seen.waiting
        if one["url"] not in held and datetime.fromisoformat(one["nextAttemptAt"]) < seen.now - LATE
    ]
    if late:
        yield Finding(
            "worker-missing",
            "status callbacks",
            f"{len(late)} deliveries have been due for more than a minute, and nobody sends them.",
            "Run `orchestrator worker`, or `orchestrator serve` without --no-worker and with ORCHESTRATOR_WORKER=true.",
        )


def forbidden(seen: Seen, *, allow_insecure: bool) -> Iterator[Finding]:
    """URLs that the service, as it is set up here, refuses to call."""
    for one in seen.configurations:
        for callback in one.settings.status_callbacks:
            try:
                check_url(callback.url, allow_insecure=allow_insecure)
            except ForbiddenTarget as error:
                yield Finding(
                    "callback-forbidden",
                    f"{one.name}, {without_secrets(callback.url)}",
                    f"Nothing is sent there: {error}.",
                    "Give another URL, or set ORCHESTRATOR_ALLOW_INSECURE_CALLBACKS=true if that is meant.",
                )


async def unreachable(seen: Seen) -> list[Finding]:
    """Hosts of callbacks that cannot be connected to from here. Connects, and sends nothing."""
    urls = sorted({callback.url for one in seen.configurations for callback in one.settings.status_callbacks})
    gate = asyncio.Semaphore(_AT_ONCE)

    async def problem(url: str) -> str | None:
        async with gate:
            return await connect(url)

    problems = await asyncio.gather(*(problem(url) for url in urls))
    return list(_told(zip(urls, problems, strict=True)))


def _told(problems: Iterable[tuple[str, str | None]]) -> Iterator[Finding]:
    for url, problem in problems:
        if problem is not None:
            yield Finding(
                "callback-unreachable",
                without_secrets(url),
                f"No connection from this machine: {problem}.",
                "Start the receiver, or correct the URL in statusCallbacks. --no-connect leaves this check out.",
            )


async def connect(url: str) -> str | None:
    """Open a connection (with TLS for https) and close it; None, or why that did not work."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    try:
        async with asyncio.timeout(_PATIENCE):
            _, writer = await asyncio.open_connection(
                parts.hostname,
                parts.port or (443 if secure else 80),
                ssl=ssl.create_default_context() if secure else None,
            )
    except TimeoutError:
        return f"no answer within {_PATIENCE:.0f} s"
    except (OSError, ValueError) as error:
        return (getattr(error, "verify_message", "") or getattr(error, "strerror", "") or str(error)).rstrip(".")
    writer.transport.abort()  # a farewell could be waited for
    return None


def without_secrets(url: str) -> str:
    """A URL to show: user and password are left out."""
    scheme, _, rest = url.partition("://")
    place, slash, path = rest.partition("/")
    return f"{scheme}://{place.rpartition('@')[2]}{slash}{path}"


CHECKS = (paused, failing, dead, undelivered)
