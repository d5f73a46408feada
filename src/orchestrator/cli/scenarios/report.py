"""What a run tells, for people and for programs."""

import json
from typing import Any

import typer
from rich.console import Console
from rich.text import Text

from orchestrator.cli.scenarios.comparing import Check
from orchestrator.cli.scenarios.play import Played, PlayedStep
from orchestrator.cli.scenarios.reading import Story
from orchestrator.cli.tables import console, print_table


def print_played(played: Played) -> None:
    """Step by step: what happened, why, and whether it was expected."""
    on = console()
    on.print(Text(f"\n{played.story.name}: {played.story.scenario.title}", style="bold"))
    on.print(Text(played.story.scenario.description.strip()), soft_wrap=True)
    for one in played.steps:
        _print_step(on, one)
    left = len(played.story.scenario.steps) - len(played.steps)
    if left:
        on.print(Text(f"\nNot played: {left} more steps", style="bold red"))
    for configuration_id, name in played.kept.items():
        on.print(Text(f"\nKept: configuration {configuration_id} ({name})"))


def _print_step(on: Console, played: PlayedStep) -> None:
    on.print(Text(f"\n{played.number:>2}. {headline(played)}", style="bold"), soft_wrap=True)
    for line in played.happened:
        on.print(Text(f"    {line}"), soft_wrap=True)
    for check in played.checks:
        mark = Text("    ✓ ", style="green") if check.holds else Text("    ✗ ", style="bold red")
        on.print(mark + Text(told(check), style="" if check.holds else "bold"), soft_wrap=True)


def headline(played: PlayedStep) -> str:
    """What the step is about: what its author says, or else what it does."""
    return (played.step.note or played.step.doing or "expect").strip()


def told(check: Check) -> str:
    """A check in a line."""
    if check.holds:
        return f"{check.what}: {shown(check.expected)}"
    return f"{check.what}: expected {shown(check.expected)}, found {shown(check.found)}"


def shown(value: Any) -> str:
    """A value as one writes it in a scenario.

    >>> shown(["CONVERSATION_CREATED", "PARTICIPANT_ADDED"]), shown(["Where is it?"])
    ('CONVERSATION_CREATED, PARTICIPANT_ADDED', '“Where is it?”')
    >>> shown([{"type": "CUSTOMER", "profileId": None}])
    '[{type: CUSTOMER, profileId: null}]'
    """
    if value is None:
        return "nothing"
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return ", ".join(f"“{one}”" if " " in one else one for one in value)
    return _flow(value)


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return value if isinstance(value, str) else json.dumps(value)


def print_summary(url: str, played: list[Played]) -> None:
    """One line for each scenario."""
    if len(played) > 1:
        rows = [(one.story.name, one.story.scenario.title, f"{one.seconds:.1f} s", _verdict(one)) for one in played]
        print_table(("scenario", "", "", ""), rows, title=f"\nPlayed at {url}")
        return
    (one,) = played
    on = console()
    if one.succeeded:
        on.print(Text(f"\nAs expected, at {url} in {one.seconds:.1f} s", style="bold green"))
    else:
        on.print(Text(f"\nNot as expected in {_wrong(one)}, at {url}", style="bold red"))


def _verdict(played: Played) -> Text:
    return Text("✓", style="green") if played.succeeded else Text(f"✗ {_wrong(played)}", style="bold red")


def _wrong(played: Played) -> str:
    """Its steps that did not go as expected."""
    numbers = [str(one.number) for one in played.steps if not one.succeeded]
    return f"step{'s' * (len(numbers) > 1)} {', '.join(numbers)}"


def print_list(stories: list[Story]) -> None:
    """What there is to play."""
    print_table(("scenario", "what it shows"), [(one.name, one.scenario.title) for one in stories])


def print_list_json(stories: list[Story]) -> None:
    """The same as JSON."""
    shown_stories = [
        {
            "name": one.name,
            "title": one.scenario.title,
            "description": one.scenario.description.strip(),
            "file": str(one.file),
            "steps": len(one.scenario.steps),
            "turnsTheClock": bool(one.scenario.advances),
        }
        for one in stories
    ]
    typer.echo(json.dumps(shown_stories, indent=2))


def print_json(url: str, played: list[Played]) -> None:
    """All of it as JSON."""
    everything = {
        "url": url,
        "succeeded": all(one.succeeded for one in played),
        "scenarios": [_as_json(one) for one in played],
    }
    typer.echo(json.dumps(everything, indent=2))


def _as_json(played: Played) -> dict[str, Any]:
    return {
        "name": played.story.name,
        "title": played.story.scenario.title,
        "succeeded": played.succeeded,
        "seconds": round(played.seconds, 2),
        "notPlayed": len(played.story.scenario.steps) - len(played.steps),
        "steps": [
            {
                "number": one.number,
                "note": headline(one),
                "happened": [line.strip() for line in one.happened],
                "expectations": [
                    {"what": check.what, "expected": check.expected, "found": check.found, "met": check.holds}
                    for check in one.checks
                ],
            }
            for one in played.steps
        ],
        "keptConfigurations": played.kept,
    }
