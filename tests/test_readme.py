"""The README's tour as a reader does it: every command as it stands, in one shell, beside a real service.

A ```text block is what the step before it prints, or a part of that; `…` stands for anything.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.conftest import open_folder
from tests.cli.running import environment, serving
from tests.support.documents import README

_PATIENCE = 200
"""Seconds; the tour takes about 15, on a machine that has nothing else to do."""
_END = "\x1e"


@dataclass
class Step:
    """One block of commands, and what it is said to print."""

    commands: str
    expected: str = ""

    @property
    def pattern(self) -> str:
        return ".*?".join(re.escape(part) for part in self.expected.split("…"))


def tour() -> list[Step]:
    """The steps in the order of the README."""
    section = README.read_text().partition("\n## A five-minute tour\n")[2].partition("\n## ")[0]
    steps: list[Step] = []
    for language, body in re.findall(r"(?ms)^```(\w+)\n(.*?)^```$", section):
        match language:
            case "sh":
                steps.append(Step(body))
            case "python":
                steps.append(Step(f"python - <<'END_OF_PYTHON'\n{body}END_OF_PYTHON\n"))
            case "text":
                steps[-1].expected = body.strip("\n")
            case _:
                pytest.fail(f"the tour has a block of {language}, which nobody runs")
    return steps


@pytest.mark.timeout(_PATIENCE + 60)
def test_the_tour_works_as_it_stands() -> None:
    steps = tour()
    with open_folder() as folder, serving(folder) as service:
        outputs, errors = run_in_one_shell(steps, folder, url=service.url, data_dir=folder / "data")
    for step, output in zip(steps, outputs, strict=False):
        assert re.search(step.pattern, output, re.DOTALL), f"{step.commands}\nprinted\n{output}\n{errors}"
    assert len(outputs) == len(steps), f"{steps[len(outputs)].commands}\nfailed\n{errors}"


def run_in_one_shell(steps: list[Step], folder: Path, **settings: object) -> tuple[list[str], str]:
    """What each step printed that succeeded, and the error output of all. The first one that fails is the last one."""
    script = "set -e\n" + "".join(f"{step.commands}printf '{_END}'\n" for step in steps)
    given = {
        **environment(**settings),
        "CALLBACKS_PORT": str(free_port()),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    here = folder / "here"  # where a reader has the checkout; whatever the tour leaves behind is in it
    here.mkdir()
    printed, complained = folder / "tour.out", folder / "tour.err"
    with (
        printed.open("w") as out,
        complained.open("w") as err,
        subprocess.Popen(
            ["sh", "-c", script], cwd=here, env=given, stdout=out, stderr=err, start_new_session=True
        ) as shell,
    ):
        try:
            shell.wait(_PATIENCE)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)  # with the receiver, where a step before its end has failed
    assert list(here.iterdir()) == []
    return re.sub(" +\n", "\n", printed.read_text()).split(_END)[:-1], complained.read_text()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
