"""What is told of what was sent, for people and for programs."""

import json
from collections.abc import Sequence
from typing import Any

import typer
from rich.console import Console
from rich.text import Text

from orchestrator.cli.landing import Fate, Landing
from orchestrator.cli.reasons import news
from orchestrator.cli.send.posting import Manner
from orchestrator.cli.send.traffic import Said, Traffic, Wish
from orchestrator.cli.tables import console
from orchestrator.cli.words import quoted
from orchestrator.domain.explaining import sentences


def print_json(wish: Wish, traffic: Traffic, manner: Manner, fates: Sequence[Fate]) -> None:
    """Everything as one object."""
    shown = {
        "channel": wish.channel,
        "from": wish.sender,
        "to": wish.to,
        "callSid": traffic.call_sid,
        "captured": all(fate.is_captured for fate in fates),
        "messages": [_as_json(one, fate, manner) for one, fate in zip(traffic.said, fates, strict=True)],
    }
    typer.echo(json.dumps(shown, indent=2))


def _as_json(said: Said, fate: Fate, manner: Manner) -> dict[str, Any]:
    return {
        "resourceId": said.resource_id,
        "text": said.text,
        "posted": manner.times,
        "landings": [landing.as_json() for landing in fate.landings],
        "uncaptured": fate.uncaptured,
    }


def print_text(wish: Wish, traffic: Traffic, manner: Manner, fates: Sequence[Fate]) -> None:
    """A paragraph for each message; reasons that are those of the message before are not told again."""
    on = console()
    ends = f" {wish.sender} → {wish.to}" if wish.sender else ""
    call = f" on {traffic.call_sid}" if traffic.call_sid else ""
    on.print(Text(f"{wish.channel}{ends}{call}", style="bold"))
    before = list[str]()
    for one, fate in zip(traffic.said, fates, strict=True):
        times = f", posted {manner.times} times" if manner.times > 1 else ""
        _line(on, f"\n{quoted(one.text)}  {one.resource_id}{times}")
        before = _print_fate(on, fate, before)


def _print_fate(on: Console, fate: Fate, before: Sequence[str]) -> list[str]:
    """Returns all reasons: those of the next message that are among them need not be told again."""
    if not fate.is_captured:
        told = sentences(fate.uncaptured) if fate.uncaptured else ["The service knows nothing of it."]
        on.print(Text(f"  ✗ {told[0]}", style="red"), soft_wrap=True)
        for sentence in told[1:]:
            _line(on, f"      {sentence}")
        return []
    reasons = [sentences(landing.trace) if landing.trace else [] for landing in fate.landings]
    if len(fate.landings) > 1:
        _line(on, f"  captured by {len(fate.landings)} configurations")
    for landing, why in zip(fate.landings, reasons, strict=True):
        on.print(_place(landing), soft_wrap=True)
        for sentence in news(why, before):
            _line(on, f"      {sentence}")
    return [sentence for why in reasons for sentence in why]


def _place(landing: Landing) -> Text:
    conversation = landing.conversation
    name = conversation["configuration"]["displayName"]
    report = landing.communication["recipients"][0].get("deliveryStatus")
    return Text.assemble(
        ("  ✓ ", "green"),
        (conversation["id"], "bold"),
        f" {conversation['status']}",
        f", {quoted(name)}" if name else "",
        f", {report}" if report else "",
    )


def _line(on: Console, text: str) -> None:
    on.print(Text(text), soft_wrap=True)
