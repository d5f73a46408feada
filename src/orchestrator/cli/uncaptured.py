"""`orchestrator uncaptured`: what the provider told of that landed nowhere, and why."""

import asyncio
import json
from typing import Annotated, Any

import typer

from orchestrator.cli.instance import Url
from orchestrator.cli.settings import AsJson

Message = Annotated[
    str | None, typer.Option("--message", metavar="SID", help="Only this message, or fragment of a call.")
]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="The newest.")]


def uncaptured(*, message: Message = None, limit: Limit = 20, url: Url = None, as_json: AsJson = False) -> None:
    """List what landed in no conversation, newest first, and why: no rule wants it, or it was refused."""
    found = asyncio.run(_list(url, message, limit))
    if as_json:
        typer.echo(json.dumps({"uncaptured": found}, indent=2))
        return
    if not found:
        typer.echo("Nothing is kept that landed in no conversation.")
    for one in found:
        _print(one)


async def _list(url: str | None, message: str | None, limit: int) -> list[dict[str, Any]]:
    from orchestrator.cli.api import Api
    from orchestrator.cli.instance import find_instance
    from orchestrator.cli.lists import given, newest

    async with Api(find_instance(url)) as api:
        return await newest(api, "/orchestrator/v1/Uncaptured", "uncaptured", limit, **given(resourceId=message))


def _print(one: dict[str, Any]) -> None:
    from rich.text import Text

    from orchestrator.cli.tables import console
    from orchestrator.cli.words import plain

    on, trace = console(), one["trace"]
    ends = f"{trace['from'] or '?'} → {trace['to'] or '?'}" if trace.get("from") or trace.get("to") else ""
    place = plain(f"{trace.get('channel') or ''} {ends}")
    on.print(
        Text.assemble((one["receivedAt"], "dim"), ("  " + one["resourceId"], "bold"), f"  {place}".rstrip()),
        soft_wrap=True,
    )
    for sentence in one["sentences"]:
        on.print(Text(f"  {plain(sentence)}"), soft_wrap=True)
