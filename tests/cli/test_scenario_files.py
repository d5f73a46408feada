"""Files of scenarios: what is wrong with one is told in a line, with step and field; every key is documented."""

import doctest
from pathlib import Path
from types import ModuleType

import pytest

from orchestrator.cli.errors import CommandFailed, WrongUsage
from orchestrator.cli.scenarios import comparing, model, references, report
from orchestrator.cli.scenarios.reading import find, read
from orchestrator.cli.scenarios.stage import fresh
from tests.support.scenario_pages import FORMAT_PAGE
from tests.support.scenarios import STORY, written

WRONG: dict[str, tuple[str, str]] = {
    "no YAML": ("title: a\nsteps: [", "is not YAML: line 2, column 9: expected the node content"),
    "a key twice": ("title: a\ntitle: b", "is not YAML: line 2, column 1: 'title' is there twice"),
    "no mapping": ("- a", "a scenario is a mapping with"),
    "no steps": ("title: a\ndescription: b", "steps is missing"),
    "unknown key": (f"{STORY}extra: 1", "'extra' is no key here"),
    "unknown step": (f"{STORY}  - sned: {{}}", "step 2: 'sned' is no key here (a step has note, as, expect and one of"),
    "two things": (
        f"{STORY}  - advance: 10m\n    receiver: {{answer: 503}}",
        "step 2: one thing at a time is expected",
    ),
    "nothing": (f"{STORY}  - note: hello", "step 2: one of send, call, "),
    "half a message": (f"{STORY}  - send: {{channel: SMS}}", "step 2, send: channel, from, to and text are expected"),
    "unknown channel": (f"{STORY}  - send: {{channel: FAX}}", "step 2, send.channel: Input should be 'SMS', "),
    "a number": (STORY.replace('"+15551234567"', "+15551234567"), "given.phones.kiran: Input should be a valid string"),
    "no duration": (f"{STORY}  - advance: soon", "step 2, advance: "),
    "unknown phone": (
        f"{STORY}  - send: {{channel: SMS, from: kirann, to: shop, text: a}}",
        "step 2, send.from: kirann is no phone of the steps before (kiran, shop)",
    ),
    "unknown reference": (
        f'{STORY}  - act: {{method: GET, path: "/v2/{{{{nobody}}}}"}}',
        "step 2, act: nobody is no thing",
    ),
    "no reference": (f'{STORY}  - act: {{method: GET, path: "/v2/{{{{a b}}}}"}}', "braces that are no reference"),
    "unknown message": (
        f"{STORY}  - send: {{again: second}}",
        "step 2, send.again: second is no send of the steps before",
    ),
    "not a call": (f"{STORY}  - say: {{during: first, by: kiran, text: a}}", "step 2, say.during: first is no call"),
    "later name": (
        f"{STORY}    expect: {{landing: same as second}}",
        "step 1, expect.landing: second is no send or say",
    ),
    "name twice": (
        f"{STORY}  - send: {{again: first}}\n    as: shop",
        "step 2, as: shop is the name of something else (phone)",
    ),
    "a name for time": (
        f"{STORY}  - advance: 10m\n    as: later",
        "step 2: only what is sent, said or asked for has a name",
    ),
    "of what": (f"{STORY}  - advance: 10m\n    expect: {{landing: new}}", "step 2, expect: landing of what?"),
    "answer of a message": (
        f"{STORY}    expect: {{answer: {{}}}}",
        "step 1, expect: answer is expected only of a step",
    ),
    "nothing expected": (f"{STORY}    expect: {{of: first}}", "step 1, expect.0: nothing is expected"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_file_is_told_with_step_and_field(wrong: str, tmp_path: Path) -> None:
    text, problem = WRONG[wrong]
    file = written(tmp_path, text)
    with pytest.raises(WrongUsage) as raised:
        read(file)
    assert str(raised.value).startswith(str(file))
    assert problem in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_scenario_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WrongUsage, match="there is no scenario nonsense"):
        find("nonsense")
    with pytest.raises(CommandFailed, match="cannot be read: No such file"):
        find(str(tmp_path / "nonsense.yaml"))


def test_fresh_numbers_are_nobodys() -> None:
    found = fresh({str(number): "+15551234567" for number in range(50)} | {"client": "client:alice"})
    assert found.pop("client") == "client:alice"
    assert len(set(found.values())) == 50
    assert {number[5:10] for number in found.values()} == {"55501"}


@pytest.mark.parametrize("module", [comparing, references, report], ids=lambda module: module.__name__.split(".")[-1])
def test_examples_in_docstrings(module: ModuleType) -> None:
    tested = doctest.testmod(module)
    assert (tested.failed, tested.attempted > 0) == (0, True)


def test_every_key_is_documented() -> None:
    parts = [part for part in vars(model).values() if isinstance(part, type) and issubclass(part, model.Part)]
    keys = {field.alias or name for part in parts for name, field in part.model_fields.items()}
    text = FORMAT_PAGE.read_text()
    assert {key for key in keys if f"`{key}`" not in text and f"{{{key}: " not in text} == set()
