"""What is going to be done, and what was done: for people, or as JSON."""

import json
from collections.abc import Iterable
from typing import Any

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from orchestrator.cli.regrouping.migration import Outcome
from orchestrator.cli.regrouping.plan import NEW, Kind, Plan, Step
from orchestrator.cli.regrouping.state import State, Wish
from orchestrator.cli.tables import console

_SIGNS = {"added": ("+", "green"), "changed": ("~", "yellow"), "deleted": ("-", "red")}


def print_plan(state: State, wish: Wish, plan: Plan, *, on: Console | None = None) -> None:
    """Every request, and what it changes."""
    out = on or console()
    before = state.old["conversationGroupingType"] if state.old else "a configuration that is deleted"
    out.print(Text(f"{wish.old_id}: from {before} to {wish.grouping}", style="bold"))
    if state.new is not None:
        out.print(f"A run before this one has made {state.new['id']}; this goes on from there.")
    for number, step in enumerate(plan.steps, 1):
        times = f", {step.count} times" if step.kind is Kind.CLOSE else ""
        out.print(Text(f"{number}. {step.method} {step.path}{times}", style="bold"))
        for line in _lines(step):
            out.print(Padding(line, (0, 0, 0, 3), expand=False))
    for warning in _warnings(state, wish, plan):
        out.print(Text(warning))


def _lines(step: Step) -> Iterable[Text]:
    yield Text(step.why, style="dim")
    if step.if_version is not None:
        yield Text(f'If-Match: "{step.if_version}"', style="dim")
    if step.changes:
        for change in step.changes:
            yield _changed(change)
    elif step.body is not None:
        yield from map(Text, json.dumps(step.body, indent=2).splitlines())


def _changed(change: Any) -> Text:
    sign, style = _SIGNS[str(change["change"])]
    values = [json.dumps(value) for value in (change["before"], change["after"]) if value is not None]
    return Text(f"{sign} {change['path']}: {' → '.join(values)}", style=style)


def _warnings(state: State, wish: Wish, plan: Plan) -> Iterable[str]:
    if plan.differs:
        yield f"The new one says otherwise than the old one, and that stays so: {', '.join(plan.differs)}"
    count = len(state.open_conversations)
    if count and not wish.closes:
        yield f"{count} open conversations are left to their timers; {wish.old_id} stays until they have ended."
    if state.old is not None:
        yield (
            f"What names {wish.old_id} itself (TwiML's conversationConfiguration, code that creates conversations) has "
            "to name the new one: once the old one is deleted, such requests are refused."
        )


def print_outcome(wish: Wish, outcome: Outcome) -> None:
    """What was done, and what is left to do."""
    out = console()
    for step in outcome.done:
        times = f", {outcome.closed} times" if step.kind is Kind.CLOSE else ""
        path = step.path.replace(NEW, str(outcome.new_id))
        out.print(Text.assemble(("✓ ", "green"), f"{step.method} {path}{times}"))
    for one in outcome.captured_twice:
        out.print(
            f"{one['resourceId']} came while both had the rules: it is in {' and in '.join(one['conversations'])}."
        )
    if outcome.left_open:
        out.print(
            f"{outcome.new_id} captures in place of {wish.old_id}, which still has open conversations "
            f"({outcome.left_open}): run the same command again once they have ended."
        )
    else:
        out.print(Text(f"{outcome.new_id} has taken the place of {wish.old_id}.", style="bold"))


def print_json(wish: Wish, state: State, plan: Plan, outcome: Outcome | None) -> None:
    """One object. Without an outcome it was a dry run."""
    new_id = state.new["id"] if state.new else None
    body: dict[str, Any] = {
        "dryRun": outcome is None,
        "old": wish.old_id,
        "new": outcome.new_id if outcome else new_id,
        "conversationGroupingType": wish.grouping.value,
        "openConversations": len(state.open_conversations),
        "differs": list(plan.differs),
        "steps": [step.as_json() for step in (outcome.done if outcome else plan.steps)],
    }
    if outcome is not None:
        body |= {
            "closed": outcome.closed,
            "leftOpen": outcome.left_open,
            "capturedTwice": outcome.captured_twice,
            "isComplete": not outcome.left_open,
        }
    typer.echo(json.dumps(body, indent=2))
