"""How commands fail: one line on standard error and an exit code that scripts can use."""

import sys
from typing import Any

import typer
from typer.core import TyperGroup

FAILED = 1
USAGE = 2


class CommandFailed(Exception):
    """What a person at the terminal is told; the command ends with `exit_code`."""

    exit_code = FAILED


class WrongUsage(CommandFailed):
    """The command cannot be carried out as it was given, or as the environment is set."""

    exit_code = USAGE


class OneLineErrors(TyperGroup):
    """A group whose commands end with one line where the trouble is known, and with a traceback where it is not."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None and command.context_settings.get("allow_interspersed_args", True):
            _check_text(rest)  # else it is for another program, which may take any bytes
        return name, command, rest

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            if not _is_known(error):
                raise
            print(f"orchestrator: {error}", file=sys.stderr)  # noqa: T201 - this is a command
            raise typer.Exit(getattr(error, "exit_code", FAILED)) from error


def _check_text(arguments: list[str]) -> None:
    """Raises WrongUsage for bytes that are no text; Python has them as lone surrogates, which nothing can send."""
    for one in arguments:
        shown = one.encode(errors="backslashreplace").decode()
        if shown != one:
            raise WrongUsage(f"an argument is not UTF-8 text: {shown}")


def _is_known(error: Exception) -> bool:
    # By name: importing the classes would bring half of the service along, also for `orchestrator version`.
    known = {
        "CommandFailed",
        "DatabaseUnavailable",
        "EmbedderMissing",
        "OrchestratorError",
        "PostgresUnavailable",
        "SecretKeyMismatch",
    }
    return any(kind.__name__ in known for kind in type(error).__mro__)
