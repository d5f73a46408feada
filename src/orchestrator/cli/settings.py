"""The settings: read for the other commands, shown by `orchestrator settings`.

They take a tenth of a second to load, which what needs none of them, such as `--help`, does without.
"""

import json
import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.errors import WrongUsage

if TYPE_CHECKING:
    from pydantic import ValidationError

    from orchestrator.settings import Settings

_PREFIX = "ORCHESTRATOR_"

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def read_settings(**given: Any) -> "Settings":
    """The settings, with the options given on the command line in place of what the environment says."""
    from pydantic import ValidationError

    from orchestrator.settings import Settings

    try:
        settings = Settings()
    except ValidationError as error:
        raise WrongUsage(_explained(error)) from error
    return settings.model_copy(update={name: value for name, value in given.items() if value is not None})


def settings(*, as_json: AsJson = False) -> None:
    """Show every setting, its value and where that comes from."""
    from orchestrator.settings import Settings

    current = read_settings()
    rows = [_row(current, name) for name in Settings.model_fields]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    from orchestrator.cli.tables import print_table

    print_table(
        ("setting", "value", "source", "what it is"),
        [(row["name"], row["value"], row["source"], row["description"]) for row in rows],
    )


def _row(current: "Settings", name: str) -> dict[str, str | None]:
    given = any(known.upper() == _PREFIX + name.upper() for known in os.environ)
    return {
        "name": _PREFIX + name.upper(),
        "value": _shown(getattr(current, name)),
        "source": "env" if given else "default",
        "description": type(current).model_fields[name].description,
    }


def _shown(value: object) -> str | None:
    from pydantic import SecretStr

    from orchestrator.serving import without_password

    if value is None:
        return None
    if isinstance(value, SecretStr):
        return "***"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(f"{part:g}" for part in value)
    return without_password(str(value))


def _explained(error: "ValidationError") -> str:
    """The first wrong variable, what was wrong and with what; never the value of a secret."""
    problem = error.errors(include_url=False, include_context=False)[0]
    name = str(problem["loc"][0]) if problem["loc"] else ""
    secret = name in {"auth_token", "secret_key", "old_secret_key", "database_url"}
    found = "" if secret else f", not {problem['input']!r}"
    return f"{_PREFIX}{name.upper()}: {problem['msg']}{found}"
