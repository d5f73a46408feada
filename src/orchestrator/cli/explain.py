"""`orchestrator explain`: why a message would land where it would, before anybody sends it."""

import asyncio
import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from orchestrator.cli.instance import Instance, Url, find_instance
from orchestrator.cli.settings import AsJson


class ChannelName(StrEnum):
    """What the ingress knows."""

    SMS = "sms"
    WHATSAPP = "whatsapp"
    RCS = "rcs"
    VOICE = "voice"


class DirectionName(StrEnum):
    """Seen from us."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


def explain(
    *,
    sender: Annotated[str, typer.Option("--from", help="Who writes, or speaks.")],
    to: Annotated[str, typer.Option(help="Who is written or spoken to.")],
    channel: Annotated[ChannelName, typer.Option(help="The channel.", case_sensitive=False)] = ChannelName.SMS,
    text: Annotated[str, typer.Option(help="What is said.")] = "hello",
    direction: Annotated[
        DirectionName | None, typer.Option(help="As the provider states it.", case_sensitive=False)
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Tell where a message would land, and why. Nothing is written, and nobody is told."""
    question = {"channel": channel.name, "from": sender, "to": to, "text": text}
    if direction is not None:
        question["direction"] = direction.name
    answer = asyncio.run(ask(find_instance(url), question))
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
        return
    for sentence in answer["sentences"]:
        typer.echo(sentence)
    for callback in answer["callbacks"]:
        typer.echo(f"{callback['url']} would be told: {', '.join(callback['eventTypes'])}.")


async def ask(instance: Instance, question: dict[str, str]) -> dict[str, Any]:
    """What the service answers."""
    from orchestrator.cli.api import Api

    async with Api(instance) as api:
        answer: dict[str, Any] = await api.post("/orchestrator/v1/Explain", question)
        return answer
