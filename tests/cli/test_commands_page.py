"""docs/cli.md names every command, and every option as it is."""

import re

import pytest

from tests.cli.terminal import typed
from tests.support.command_line import commands, with_current_commands
from tests.support.documents import COMMANDS_PAGE


def test_every_option_is_on_the_page_as_it_is() -> None:
    text = COMMANDS_PAGE.read_text()
    assert text == with_current_commands(text), "run `python -m tests.support.documents` and commit the result"
    for name, command in commands().items():
        section = text.partition(f"\n### orchestrator {name}\n")[2].partition("\n### ")[0]
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.name != "help":
                assert f"| `{parameter.opts[0]}" in section, (name, parameter.opts)


def test_every_command_has_a_row_with_an_example() -> None:
    rows = dict(re.findall(r"(?m)^\| `([\w -]+)` \|.*\| `orchestrator (.*)` \|$", COMMANDS_PAGE.read_text()))
    assert set(commands()) <= set(rows)
    assert all(example.startswith(name) for name, example in rows.items())


@pytest.mark.parametrize("name", ["send", "tail", "conversations", "deliveries", "redeliver"])
def test_every_option_says_what_it_does(name: str) -> None:
    shown = typed(name, "--help", COLUMNS="160")
    assert shown.code == 0
    assert all(parameter.help for parameter in commands()[name].params)
