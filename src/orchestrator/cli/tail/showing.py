"""Events on standard output: a line each, for people or as JSON."""

import json
import os
import sys
from typing import Any

import typer
from rich.console import Console
from rich.text import Text

from orchestrator.cli.events import told
from orchestrator.cli.lists import Resource

_WIDEST_TYPE = len("COMMUNICATION_CREATED")
_STYLES = {"CONVERSATION": "bold", "PARTICIPANT": "cyan", "COMMUNICATION": "green"}


class _Output(Console):
    """Standard output. What a reader does who has had enough is an error like any other, not the end of the process."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def give_up_output() -> None:
    """Nobody reads standard output any more, so what is left in its buffer has nowhere to go."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Lines:
    """Lines for people: time of day, type, conversation and number, what. A line with the date where it changes."""

    def __init__(self) -> None:
        self._on = _Output(highlight=False, soft_wrap=True)
        self._date = ""

    def show(self, event: Resource) -> None:
        date, _, time = event["timestamp"].rstrip("Z").partition("T")
        if date != self._date:
            self._date = date
            self._on.print(Text(f"{date} (UTC)", style="dim"))
        kind = event["eventType"]
        line = Text.assemble(
            (f"{time}  ", "dim"),
            (f"{kind:<{_WIDEST_TYPE}}", _STYLES.get(kind.partition("_")[0], "")),
            (f"  {event['id']}  ", "dim"),
            told(event),
        )
        self._on.print(line)


class JsonLines:
    """The events as the event log has them, one JSON object per line."""

    def show(self, event: Resource) -> None:
        typer.echo(json.dumps(event, separators=(",", ":")))


class Remarks:
    """What is told on standard error, beside the events."""

    def __init__(self) -> None:
        self._on = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, text: str, **style: Any) -> None:
        self._on.print(Text(f"orchestrator: {text}", style=style.get("style", "dim")))
