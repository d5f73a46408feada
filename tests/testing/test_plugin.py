"""The plugin in a pytest of its own: what an application's developers get, and what others pay for it."""

import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from tests.support.documents import ROOT
from tests.testing.running import PAGE, SAMPLE, Outcome, examples, run

FAILS = "test_that_fails"
ALL_THAT_FAIL = {FAILS, f"{FAILS}_for_what_is_refused", f"{FAILS}_where_nothing_was_captured"}


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return run(tmp_path_factory.mktemp("application"))


def test_everything_passes_but_what_is_to_fail(outcome: Outcome) -> None:
    assert outcome.failed == ALL_THAT_FAIL, outcome.output
    assert (
        names_in(SAMPLE.read_text())
        == {name.partition("[")[0] for name in outcome.passed} - documented() | ALL_THAT_FAIL
    )


def test_the_examples_of_the_page_are_among_it(outcome: Outcome) -> None:
    assert documented() == names_in(PAGE.read_text())
    assert documented() <= outcome.passed


def documented() -> set[str]:
    """The tests of the page's files."""
    return set().union(*map(names_in, examples().values()))


def names_in(text: str) -> set[str]:
    return set(re.findall(r"(?m)^(?:async )?def (test_\w+)", text))


def test_the_report_of_a_failure_says_what_the_service_knows(outcome: Outcome) -> None:
    report = outcome.output.partition(f"_ {FAILS} _")[2]
    assert "no PARTICIPANT_REMOVED that fits came within 0.1 s" in report
    log, _, rest = report.partition("- orchestrator: log -")[2].partition(
        "- orchestrator: traffic that was not captured -"
    )
    assert "path=/v2/Conversations/nothing" in log
    assert "path=/v2/Conversations/before" not in log, "that was another test"
    traffic, _, callbacks = rest.partition("- orchestrator: callbacks that were not delivered -")
    assert "SMS from +15551234567 to +16505550100: Not captured: " in traffic
    assert "CONVERSATION_CREATED of conv_conversation_" in callbacks
    assert "DEAD after 1 attempts (HTTP 410)" in callbacks


def test_the_report_shows_the_line_of_the_test_and_not_ours(outcome: Outcome) -> None:
    assert "there is no deadline" in outcome.output
    assert "the account has no configuration" in outcome.output
    assert "orchestrator/testing/" not in outcome.output


def test_it_costs_nothing_where_it_is_not_used() -> None:
    program = (
        "import sys; import pytest, orchestrator; before = set(sys.modules); import orchestrator.testing.plugin;"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["orchestrator.testing", "orchestrator.testing.plugin"]


def test_the_package_hands_the_plugin_to_pytest() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (module,) = project["entry-points"]["pytest11"].values()
    assert import_module(module).orchestrator
    assert not any("pytest" in requirement for requirement in project["dependencies"])


def test_every_name_that_is_offered_is_there() -> None:
    testing = import_module("orchestrator.testing")
    assert all(getattr(testing, name).__module__.startswith("orchestrator.testing.") for name in testing.__all__)
    with pytest.raises(AttributeError):
        _ = testing.nothing


def test_the_package_says_that_it_has_types() -> None:
    assert (Path(ROOT) / "src" / "orchestrator" / "py.typed").exists()
