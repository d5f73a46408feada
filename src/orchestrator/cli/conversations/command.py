"""The command: a list, or one conversation."""

import asyncio
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.errors import WrongUsage
from orchestrator.cli.instance import Url
from orchestrator.cli.settings import AsJson

if TYPE_CHECKING:
    from orchestrator.cli.conversations.timeline import Timeline


class Status(StrEnum):
    """As in `domain.lifecycle`, which takes too long to load for every command."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    CLOSED = "CLOSED"


Id = Annotated[str | None, typer.Argument(metavar="ID", help="Tell what happened in this one.")]
Statuses = Annotated[
    list[Status] | None, typer.Option("--status", case_sensitive=False, help="Only these; repeatable.")
]
ChannelId = Annotated[str | None, typer.Option(metavar="SID", help="Only those that this call or message is part of.")]
Configuration = Annotated[str | None, typer.Option(metavar="ID", help="Only those of this configuration.")]
Limit = Annotated[
    int, typer.Option(min=1, max=100_000, help="The newest conversations; of one, the last things that happened.")
]


def conversations(
    conversation_id: Id = None,
    *,
    status: Statuses = None,
    channel_id: ChannelId = None,
    configuration: Configuration = None,
    limit: Limit = 20,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List conversations, newest first; or tell what happened in one of them, why, and what is due next."""
    from orchestrator.cli.conversations import report

    if conversation_id is None:
        query = {"status": ",".join(status or ()), "channelId": channel_id or ""}
        found = asyncio.run(_list(url, {name: value for name, value in query.items() if value}, configuration, limit))
        (report.print_list_json if as_json else report.print_list)(found)
    elif status or channel_id or configuration:
        raise WrongUsage("--status, --channel-id and --configuration are for the list, not for one conversation")
    else:
        timeline = asyncio.run(_fetch(url, conversation_id, limit))
        (report.print_timeline_json if as_json else report.print_timeline)(timeline)


async def _list(
    url: str | None, query: dict[str, str], configuration_id: str | None, limit: int
) -> list[dict[str, Any]]:
    from orchestrator.cli.api import Api
    from orchestrator.cli.instance import find_instance
    from orchestrator.cli.lists import listed

    found: list[dict[str, Any]] = []
    size = limit if configuration_id is None else 1000  # which the service does not filter by
    async with Api(find_instance(url)) as api:
        async for one in listed(api, "/v2/Conversations", "conversations", size=size, **query):
            if configuration_id in (None, one["configurationId"]):
                found.append(one)
            if len(found) == limit:
                break
    return found


async def _fetch(url: str | None, conversation_id: str, limit: int) -> "Timeline":
    from orchestrator.cli.api import Api
    from orchestrator.cli.conversations.timeline import timeline_of
    from orchestrator.cli.instance import find_instance

    async with Api(find_instance(url)) as api:
        return await timeline_of(api, conversation_id, limit)
