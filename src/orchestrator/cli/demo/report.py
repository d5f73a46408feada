"""What the demonstration tells, for people and for programs."""

import json
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from orchestrator.cli.demo.play import EXPECTED, Landed, Played
from orchestrator.cli.receiver import Callback
from orchestrator.cli.tables import console, print_table


def print_tables(url: str, played: list[Played]) -> None:
    """Tables for each grouping type, and a summary."""
    on = console()
    on.print(f"\nKiran contacts us four times, played through the provider's webhooks at {escape(url)}\n")
    for one in played:
        _print_landings(on, one)
        _print_callbacks(on, one)
        on.print()
    rows = [
        (one.grouping, str(len(one.conversations)), str(EXPECTED[one.grouping]), _verdict(one.succeeded))
        for one in played
    ]
    print_table(("grouping type", "conversations", "expected", ""), rows, title="Summary", on=on)


def _print_landings(on: Console, played: Played) -> None:
    rows = [
        (
            f"{number}. {one.channel}",
            f"{one.sender} → {one.to}",
            _label(played, one.conversation_id),
            str(one.trace["outcome"]),
            _why(one),
        )
        for number, one in enumerate(played.landed, start=1)
    ]
    print_table(("contact", "from → to", "conversation", "outcome", "why"), rows, title=played.grouping, on=on)


def _print_callbacks(on: Console, played: Played) -> None:
    rows = [
        (
            _label(played, one.conversation_id) if one.sequence == 1 else "",
            str(one.sequence),
            one.type,
            _verdict(one.signed),
        )
        for one in played.callbacks
    ]
    print_table(("conversation", "sequence", "callback", "signature"), rows, light=True, on=on)
    for missing in played.missing:
        on.print(f"[bold red]missing callback:[/] {escape(missing)}")


def _why(landed: Landed) -> str:
    trace = landed.trace
    rule, profile = trace["rule"], trace["profile"]
    lines = [
        f"rule {rule['channel']} {rule['position'] + 1}: {rule['from']} → {rule['to']}",
        f"key: {_shortened(trace['key'])}",
    ]
    if profile:
        by = profile["identifier"]
        lines.append(
            f"profile {_short(profile['profileId'])} {profile['outcome']}"
            + (f" by {by['idType']} {by['value']}" if by else "")
        )
    return "\n".join(lines)


def _label(played: Played, conversation_id: str) -> str:
    """A letter that the eye can follow, and enough of the id to find it again."""
    return f"{chr(ord('A') + played.conversations.index(conversation_id))} {_short(conversation_id)}"


def _short(identifier: str) -> str:
    return f"…{identifier[-7:]}"


def _shortened(key: str) -> str:
    kind, _, rest = key.partition(" ")
    return f"{kind} {_short(rest)}" if kind == "profile" else key


def _verdict(good: bool) -> Text:  # noqa: FBT001 - what it is about is what it is given
    return Text("✓", style="green") if good else Text("✗", style="bold red")


def print_json(url: str, played: list[Played]) -> None:
    """The same as JSON."""
    typer.echo(
        json.dumps(
            {
                "url": url,
                "succeeded": all(one.succeeded for one in played),
                "groupings": [_as_json(one) for one in played],
            },
            indent=2,
        )
    )


def _as_json(played: Played) -> dict[str, Any]:
    return {
        "groupingType": played.grouping,
        "configurationId": played.configuration_id,
        "conversations": len(played.conversations),
        "expected": EXPECTED[played.grouping],
        "succeeded": played.succeeded,
        "contacts": [
            {
                "channel": one.channel,
                "from": one.sender,
                "to": one.to,
                "conversationId": one.conversation_id,
                "communicationId": one.communication_id,
                "trace": one.trace,
            }
            for one in played.landed
        ],
        "callbacks": [_callback(one) for one in played.callbacks],
        "missingCallbacks": played.missing,
    }


def _callback(callback: Callback) -> dict[str, Any]:
    return {
        "conversationId": callback.conversation_id,
        "sequence": callback.sequence,
        "eventType": callback.type,
        "signatureOk": callback.signed,
    }
