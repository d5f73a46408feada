"""Deliveries for people and for programs."""

import json
from collections.abc import Sequence
from typing import Any

import typer
from rich.text import Text

from orchestrator.cli.lists import Resource
from orchestrator.cli.tables import console, print_table
from orchestrator.cli.words import plain

_STYLES = {"PENDING": "yellow", "DELIVERED": "green", "DEAD": "bold red"}


def print_list_json(found: Sequence[Resource]) -> None:
    """The resources of the API."""
    typer.echo(json.dumps({"deliveries": found}, indent=2))


def print_list(found: Sequence[Resource]) -> None:
    """A table."""
    rows = [
        (one["id"], one["createdAt"], one["eventType"], _status(one), str(one["attemptCount"]), _last(one), one["url"])
        for one in found
    ]
    print_table(("delivery", "created", "event", "status", "attempts", "last", "callback"), rows)


def print_json(one: Resource) -> None:
    """The resource of the API."""
    typer.echo(json.dumps(one, indent=2))


def print_one(one: Resource) -> None:
    """A delivery, and a table of its attempts."""
    on = console()
    on.print(Text.assemble((one["id"], "bold"), " ", _status(one)), soft_wrap=True)
    facts = {
        "event": f"{one['eventId']} {one['eventType'] or '(past its keeping)'}",
        "callback": f"{one['method']} {one['url']}",
        "created": one["createdAt"],
        "next attempt": one["nextAttemptAt"],
        "settled": one["settledAt"],
        "redeliveries": str(one["redeliveries"] or ""),
    }
    for name, value in facts.items():
        if value:
            on.print(Text(f"  {name:<13} {value}"), soft_wrap=True)
    rows = [_attempt(attempt) for attempt in one["attempts"]]
    print_table(("attempt", "started", "ms", "answer", "what came back"), rows, light=True, on=on)


def _attempt(attempt: Resource) -> tuple[str, str, str, str, str]:
    response = attempt["response"]
    return (
        str(attempt["number"]),
        attempt["startedAt"],
        f"{attempt['durationMs']:.0f}",
        str(attempt["status"] or ""),
        plain(f"{attempt['error'] or ''} {response['body'] if response else ''}"),
    )


def print_again(one: Resource) -> None:
    """That it is sent once more."""
    typer.echo(f"{one['id']} is sent again to {one['url']}: {one['status']}")


def print_count(count: int, *, as_json: bool) -> None:
    """How many are sent once more."""
    told = f"{count} deliveries are sent again." if count else "Nothing that was given up is left to send again."
    typer.echo(json.dumps({"redelivered": count}) if as_json else told)


def _status(one: dict[str, Any]) -> Text:
    return Text(one["status"], style=_STYLES[one["status"]])


def _last(one: Resource) -> str:
    if one["lastError"]:
        return plain(one["lastError"])
    return str(one["lastStatus"] or "")
