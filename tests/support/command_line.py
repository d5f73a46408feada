"""What docs/cli.md takes from the code: every command with its arguments and options, as typer knows them."""

import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import typer

from orchestrator.cli import app

_MADE = re.compile(r"(?ms)^<!-- commands -->\n.*?^<!-- /commands -->$")


def commands() -> dict[str, Any]:
    """Every command by what is typed after `orchestrator`: `send`, `accounts create`, …"""
    return dict(_commands(typer.main.get_command(app), ""))


def _commands(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


def with_current_commands(text: str) -> str:
    """The page, with all commands as the code has them now."""
    made = "\n".join(_section(name, command) for name, command in commands().items())
    return _MADE.sub(lambda _: f"<!-- commands -->\n{made}<!-- /commands -->", text)


def _section(name: str, command: Any) -> str:
    told = " ".join((command.help or "").split())
    rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
    table = "\n".join(["", "| argument or option | default | meaning |", "|---|---|---|", *rows, ""]) if rows else ""
    return f"### orchestrator {name}\n\n{told}\n{table}"


def _row(parameter: Any) -> str:
    meaning = (parameter.help or "").replace("|", "\\|")
    choices = _choices(parameter.type_descriptor.annotation)
    if choices:
        meaning += f" One of {', '.join(f'`{choice}`' for choice in choices)}."
    return f"| `{_spelled(parameter)}` | {_default(parameter)} | {meaning} |"


def _spelled(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    option = parameter.opts[0]
    if parameter.is_flag:
        return " / ".join((option, *parameter.secondary_opts))
    number = "N" if parameter.type_descriptor.annotation is int else None
    return f"{option} {parameter.metavar or number or option.removeprefix('--').upper()}"


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    if parameter.default is True:
        return f"`{parameter.opts[0]}`"
    return "" if parameter.default in (None, False) or parameter.is_flag else f"`{parameter.default}`"


def _choices(annotation: Any) -> tuple[str, ...]:
    kinds = get_args(annotation) if get_origin(annotation) is list else (annotation,)
    for kind in kinds:
        if get_origin(kind) is Literal:
            return get_args(kind)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return tuple(str(one.value) for one in kind)
    return ()
