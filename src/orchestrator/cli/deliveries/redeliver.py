"""The command: one delivery once more, or all that have failed."""

import asyncio
from typing import Annotated, Any

import typer

from orchestrator.cli.deliveries.command import PATH
from orchestrator.cli.errors import WrongUsage
from orchestrator.cli.instance import Url
from orchestrator.cli.settings import AsJson

_EVER = "1970-01-01T00:00:00Z"

Id = Annotated[str | None, typer.Argument(metavar="ID", help="Send this one again, whatever became of it.")]
Failed = Annotated[bool, typer.Option("--failed", help="Send all again that were given up (DEAD).")]
Since = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Only those given up since then: 2026-02-03T09:15:00Z, or 2h for so long ago."),
]
Callback = Annotated[
    str | None, typer.Option("--callback", metavar="URL", help="Only those to this callback, as it is configured.")
]


def redeliver(
    delivery_id: Id = None,
    *,
    failed: Failed = False,
    since: Since = None,
    callback: Callback = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Send a callback once more, or all that have failed: with the same idempotency tokens, and with all retries."""
    from orchestrator.cli.deliveries import report

    if bool(delivery_id) == failed:
        raise WrongUsage("give the ID of a delivery, or --failed")
    if delivery_id is None:
        count = asyncio.run(_redeliver_failed(url, since, callback))
        report.print_count(count, as_json=as_json)
    elif since or callback:
        raise WrongUsage("--since and --callback go with --failed")
    else:
        one = asyncio.run(_redeliver(url, delivery_id))
        (report.print_json if as_json else report.print_again)(one)


async def _redeliver(url: str | None, delivery_id: str) -> dict[str, Any]:
    from orchestrator.cli.api import Api
    from orchestrator.cli.instance import find_instance
    from orchestrator.cli.lists import path_of

    async with Api(find_instance(url)) as api:
        found: dict[str, Any] = await api.post(f"{path_of(PATH, delivery_id)}/Redeliver")
        return found


async def _redeliver_failed(url: str | None, since: str | None, callback: str | None) -> int:
    """How many."""
    from orchestrator.cli.api import Api
    from orchestrator.cli.instance import find_instance
    from orchestrator.cli.progress import progress
    from orchestrator.cli.times import moment, service_time

    async with Api(find_instance(url)) as api:
        now = await service_time(api)
        wanted = {
            "failedSince": moment("--since", since, now).isoformat() if since else _EVER,
            # What fails again meanwhile is not sent once more, so that this comes to an end.
            "failedBefore": now.isoformat(),
            "url": callback,
        }
        count, more = 0, True
        with progress("redelivering") as done:
            while more:
                answer = await api.post(f"{PATH}/Redeliver", wanted)
                count, more = count + answer["redelivered"], answer["more"]
                done(answer["redelivered"])
    return count
