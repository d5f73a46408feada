"""What the documents take from the code: tables of settings. `python -m tests.support.documents` writes them anew."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, get_args, get_origin

from orchestrator.settings import Settings

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SETTINGS_PAGE = ROOT / "docs" / "settings.md"

_MADE = re.compile(r"(?ms)^<!-- settings:(?P<names>.*?) -->\n.*?^<!-- /settings -->$")
"""A table that is made; it names its settings, or `all`."""


def settings_table(names: Iterable[str]) -> str:
    """A Markdown table of settings."""
    rows = ["| variable | default | meaning |", "|---|---|---|"]
    rows += [f"| `ORCHESTRATOR_{name.upper()}` | {_default(name)} | {_meaning(name)} |" for name in names]
    return "\n".join(rows)


def with_current_tables(text: str) -> str:
    """A document whose tables of settings say what the code says."""

    def made(found: "re.Match[str]") -> str:
        names = found["names"].split()
        table = settings_table(Settings.model_fields if names == ["all"] else names)
        return f"<!-- settings:{found['names']} -->\n{table}\n<!-- /settings -->"

    return _MADE.sub(made, text)


def _default(name: str) -> str:
    value = Settings.model_fields[name].default
    if value is None:
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`{','.join(f'{part:g}' for part in value)}`"
    return f"`{value}`"


def _meaning(name: str) -> str:
    field = Settings.model_fields[name]
    assert field.description, f"{name} has no description"
    words = [value for kind in (field.annotation, *get_args(field.annotation)) for value in _literals(kind)]
    choice = f" One of {', '.join(f'`{word}`' for word in words)}." if words else ""
    return field.description.replace("|", "\\|") + choice


def _literals(kind: object) -> tuple[str, ...]:
    return get_args(kind) if get_origin(kind) is Literal else ()


if __name__ == "__main__":
    for document in (README, SETTINGS_PAGE):
        document.write_text(with_current_tables(document.read_text()))
