"""What the service knows that a test may not: said where a test waits in vain or fails, because silence costs time."""

from collections.abc import Callable, Iterable, Iterator

import httpx

from orchestrator.domain.explaining import sentences
from orchestrator.testing.api import Api, Refused

_SHOWN = 10
"""Most of each kind."""


def asked(about: Callable[[Api], Iterable[str]], api: Api) -> list[str]:
    """What the service knows about something; what the test is told must come out, whatever became of the service."""
    try:
        return list(about(api))
    except (httpx.HTTPError, Refused) as error:
        return [f"the service cannot be asked: {str(error) or type(error).__name__}"]


def uncaptured(api: Api) -> list[str]:
    """Traffic of the account that landed nowhere, newest first."""
    found = api.get("/orchestrator/v1/Uncaptured", pageSize=_SHOWN)["uncaptured"]
    return [f"{_traffic(one['trace'])} {' '.join(sentences(one['trace']))}" for one in found]


def undelivered(api: Api) -> list[str]:
    """Callbacks that were not received yet, or will not be any more, newest first."""
    found = api.get("/orchestrator/v1/Deliveries", status="PENDING,DEAD", pageSize=_SHOWN)["deliveries"]
    return [
        f"{one['eventType']} of {one['conversationId']} to {one['url']}: {one['status']} after "
        f"{one['attemptCount']} attempts{_failure(one)}"
        for one in found
    ]


def lines(api: Api) -> Iterator[str]:
    """Both, for a message."""
    for heading, found in (
        ("Traffic that landed nowhere:", uncaptured(api)),
        ("Callbacks that were not delivered:", undelivered(api)),
    ):
        if found:
            yield heading
            yield from (f"  {line}" for line in found)


def _traffic(trace: dict[str, str]) -> str:
    ends = " to ".join(trace[name] for names in (("from", "From"), ("to", "To")) for name in names if name in trace)
    return f"{trace.get('channel', 'Webhook')} from {ends or 'nobody'}:"


def _failure(delivery: dict[str, object]) -> str:
    why = delivery["lastError"] or delivery["lastStatus"]
    return f" ({why})" if why else ""
