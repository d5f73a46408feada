"""What the documents take from the code: tables of settings and commands, error codes, events.

`python -m tests.support.documents` writes them anew. For the examples of events it plays a story on a temporary
PostgreSQL, or on the server in ORCHESTRATOR_TEST_DATABASE_URL.
"""

import asyncio
import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Literal, get_args, get_origin

from orchestrator.settings import Settings
from tests.support.command_line import with_current_commands
from tests.support.error_codes import Code, codes

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
SETTINGS_PAGE = DOCS / "settings.md"
COMMANDS_PAGE = DOCS / "cli.md"
ERRORS_PAGE = DOCS / "errors.md"
EVENTS_PAGE = DOCS / "events.md"

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


def with_current_codes(text: str) -> str:
    """The page of errors, saying what the code says."""
    made = [f"{_overview()}\n"]
    for code, meanings in groupby(codes(), key=lambda one: one.code):
        made += [f"### Code {code}\n", *(_meaning_of(one) for one in meanings)]
    return between("codes", "\n".join(made).rstrip("\n"), text)


def between(name: str, made: str, text: str) -> str:
    """The text with something made between `<!-- name -->` and `<!-- /name -->`."""
    before, opening, rest = text.partition(f"<!-- {name} -->\n")
    _, closing, after = rest.partition(f"\n<!-- /{name} -->")
    assert opening, f"there is no place for {name}"
    assert closing, f"the place for {name} does not end"
    return before + opening + made + closing + after


def _overview() -> str:
    rows = ["| code | status | when |", "|---|---|---|"]
    rows += [f"| [{one.code}](#code-{one.code}) | {one.status or ''} | {one.when} |" for one in codes()]
    return "\n".join(rows)


def _meaning_of(one: Code) -> str:
    status = f"status {one.status}" if one.status else "a diagnostic, no answer"
    return f"`{one.name}`, {status}. {one.when}\n\n**What to do:** {one.advice}\n"


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


async def _write() -> None:
    from tests.support.event_examples import play_alone, with_current_events  # only here: they need a database

    for document in (README, SETTINGS_PAGE):
        document.write_text(with_current_tables(document.read_text()))
    COMMANDS_PAGE.write_text(with_current_commands(COMMANDS_PAGE.read_text()))
    ERRORS_PAGE.write_text(with_current_codes(ERRORS_PAGE.read_text()))
    EVENTS_PAGE.write_text(with_current_events(EVENTS_PAGE.read_text(), await play_alone()))


if __name__ == "__main__":
    asyncio.run(_write())
