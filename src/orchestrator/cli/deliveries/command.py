"""The command: a list, or one delivery with its attempts."""

import asyncio
from enum import StrEnum
from typing import Annotated, Any

import typer

from orchestrator.cli.errors import WrongUsage
from orchestrator.cli.instance import Url
from orchestrator.cli.settings import AsJson

PATH = "/orchestrator/v1/Deliveries"


class Status(StrEnum):
    """What may have become of a delivery."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    DEAD = "DEAD"


Id = Annotated[str | None, typer.Argument(metavar="ID", help="Show this one, with every attempt.")]
Statuses = Annotated[
    list[Status] | None,
    typer.Option("--status", case_sensitive=False, help="Only these; repeatable."),
]
OfConversation = Annotated[
    str | None, typer.Option("--conversation", metavar="ID", help="Only those of this conversation.")
]
Callback = Annotated[
    str | None, typer.Option("--callback", metavar="URL", help="Only those to this callback, as it is configured.")
]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="The newest.")]


def deliveries(
    delivery_id: Id = None,
    *,
    status: Statuses = None,
    conversation: OfConversation = None,
    callback: Callback = None,
    limit: Limit = 20,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List what was sent to status callbacks, newest first; or show every attempt of one."""
    from orchestrator.cli.deliveries import report
    from orchestrator.cli.lists import given

    if delivery_id is None:
        query = given(status=",".join(status) if status else None, conversationId=conversation, url=callback)
        found = asyncio.run(_list(url, query, limit))
        (report.print_list_json if as_json else report.print_list)(found)
    elif status or conversation or callback:
        raise WrongUsage("--status, --conversation and --callback are for the list, not for one delivery")
    else:
        one = asyncio.run(_fetch(url, delivery_id))
        (report.print_json if as_json else report.print_one)(one)


async def _list(url: str | None, query: dict[str, str], limit: int) -> list[dict[str, Any]]:
    from orchestrator.cli.api import Api
    from orchestrator.cli.instance import find_instance
    from orchestrator.cli.lists import newest

    async with Api(find_instance(url)) as api:
        return await newest(api, PATH, "deliveries", limit, **query)


async def _fetch(url: str | None, delivery_id: str) -> dict[str, Any]:
    from orchestrator.cli.api import Api
    from orchestrator.cli.instance import find_instance
    from orchestrator.cli.lists import path_of

    async with Api(find_instance(url)) as api:
        found: dict[str, Any] = await api.get(path_of(PATH, delivery_id))
        return found
