"""Conversations for people and for programs."""

import json
from collections.abc import Sequence

import typer
from rich.console import Console
from rich.text import Text

from orchestrator.cli.conversations.timeline import Entry, Timeline
from orchestrator.cli.events import told
from orchestrator.cli.lists import Resource
from orchestrator.cli.reasons import news
from orchestrator.cli.tables import console, print_table
from orchestrator.cli.words import plain, quoted

_STYLES = {"ACTIVE": "green", "INACTIVE": "yellow", "CLOSED": "dim"}


def print_list_json(found: Sequence[Resource]) -> None:
    """The resources of the API."""
    typer.echo(json.dumps({"conversations": found}, indent=2))


def print_list(found: Sequence[Resource]) -> None:
    """A table."""
    rows = [
        (
            one["id"],
            Text(one["status"], style=_STYLES[one["status"]]),
            one["createdAt"],
            _configuration(one),
            "\n".join(_who(participant) for participant in one["participants"]),
        )
        for one in found
    ]
    print_table(("conversation", "status", "created", "configuration", "participants"), rows)


def _configuration(conversation: Resource) -> str:
    name = conversation["configuration"]["displayName"]
    return plain(name) if name else conversation["configurationId"] or "its own"


def _who(participant: Resource) -> str:
    addresses = ", ".join(f"{one['channel']} {plain(one['address'])}" for one in participant["addresses"])
    return f"{participant['type']} {addresses}"


def print_timeline_json(timeline: Timeline) -> None:
    """Everything as one object."""
    typer.echo(json.dumps(timeline.as_json(), indent=2))


def print_timeline(timeline: Timeline) -> None:
    """Who takes part, what happened, what is due. Reasons that are those of the communication before are left out."""
    on, conversation = console(), timeline.conversation
    status = conversation["status"]
    _line(on, Text.assemble((conversation["id"], "bold"), " ", (status, _STYLES[status])))
    _line(on, f"  configuration  {_configuration(conversation)}, {conversation['configuration'][_GROUPING]}")
    if conversation["name"]:
        _line(on, f"  name           {quoted(conversation['name'])}")
    for one in conversation["participants"]:
        _line(on, f"  participant    {_who(one)}" + (f", {one['profileId']}" if one["profileId"] else ""))
    due = timeline.due
    _line(on, f"  due            {due.to} at {due.at:%Y-%m-%dT%H:%M:%SZ}" if due else "  due            nothing")
    on.print()
    if timeline.earlier:
        _line(on, f"… {timeline.earlier} earlier (--limit)")
    before: Sequence[str] = ()
    for entry in timeline.entries:
        _print_entry(on, entry, before)
        before = entry.reasons or before


_GROUPING = "conversationGroupingType"


def _print_entry(on: Console, entry: Entry, before: Sequence[str]) -> None:
    event = entry.event
    number = f"{event['sequence'] or '':>4}"
    _line(
        on, Text.assemble((f"{number}  {event['timestamp']:<24}  ", "dim"), f"{event['eventType']:<21}  {told(event)}")
    )
    for sentence in news(entry.reasons, before):
        _line(on, Text(f"      {sentence}", style="dim"))


def _line(on: Console, text: str | Text) -> None:
    on.print(text if isinstance(text, Text) else Text(text), soft_wrap=True)
