"""Documents as readers use them: their commands as they stand, in one shell, beside a service that runs.

Of a page's fenced blocks, `sh`, `bash` and `python` are run, one after the other. A comment before a block says what
else becomes of it:

    <!-- not run: why -->       it is left out, for a reason that the comment gives
    <!-- file: app.py -->       it is written to this file, in the folder where the page's commands run
    <!-- for every page -->     other pages begin with it too (in `docs/tour.md` alone)

A `text` block is what the step before it prints, or a part of that; `…` stands for anything. Other languages are not
looked at.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.cli.first_account import settle
from orchestrator.kernel.ids import new_sid
from orchestrator.serving import secret_box, units
from orchestrator.settings import Settings
from tests.cli.running import environment
from tests.support.database import worker_database
from tests.support.documents import DOCS, README
from tests.support.server import serving

TOUR = DOCS / "tour.md"
RUN = {"sh", "bash", "python"}
_NOT_RUN = re.compile(r"not run: (\S.*)", re.DOTALL)
_FILE = re.compile(r"file: ([\w.-]+)")
_FOR_EVERY_PAGE = "for every page"
_BLOCK = re.compile(
    r"^(?: *<!-- (?P<comment>(?:(?!-->).)+?) -->\n\n?)?"
    r"(?P<indent> *)```(?P<language>\w*)\n(?P<body>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_END = "\x1e"


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    body: str
    comment: str | None
    line: int

    @property
    def is_run(self) -> bool:
        return self.language in RUN and self.reason is None and self.file is None

    @property
    def reason(self) -> str | None:
        """Why it is not run."""
        found = _NOT_RUN.fullmatch(self.comment or "")
        return found[1] if found else None

    @property
    def file(self) -> str | None:
        """The file it is written to."""
        found = _FILE.fullmatch(self.comment or "")
        return found[1] if found else None

    @property
    def is_for_every_page(self) -> bool:
        return self.comment == _FOR_EVERY_PAGE

    @property
    def is_understood(self) -> bool:
        """Whether the comment before it is one of those above; others are for blocks that are not commands."""
        return (
            self.comment is None or self.language not in RUN or bool(self.reason or self.file or self.is_for_every_page)
        )


@dataclass
class Step:
    """Commands, and what they are said to print."""

    commands: str
    place: str
    shell: str = "sh"
    expected: str = ""

    @property
    def pattern(self) -> str:
        return ".*?".join(re.escape(part) for part in self.expected.split("…"))


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page, in their order."""
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start("language")) + 1
        body = re.sub(rf"(?m)^{found['indent']}", "", found["body"])
        yield Block(found["language"], body, found["comment"], line)


def steps(name: str, page: Iterable[Block]) -> list[Step]:
    """What a reader of the page does."""
    made: list[Step] = []
    told: Step | None = None
    for block in page:
        place = f"{name}:{block.line}"
        if block.file is not None:
            made.append(Step(_here_document(f"cat > {block.file}", block.body), place))
        elif block.is_run and block.language == "python":
            told = Step(_here_document("python -", block.body), place)
            made.append(told)
        elif block.is_run:
            told = Step(block.body, place, shell=block.language)
            made.append(told)
        elif block.language in RUN:
            told = None
        elif block.language == "text" and told is not None:
            told.expected, told = block.body.strip("\n"), None
    return made


def _here_document(command: str, body: str) -> str:
    return f"{command} <<'END_OF_BLOCK'\n{body}END_OF_BLOCK\n"


def preparation() -> list[Step]:
    """What every page begins with: the functions of the README's tour, and those of the longer one."""
    first = next(block for block in blocks(README.read_text()) if block.language == "sh")
    shared = [block for block in blocks(TOUR.read_text()) if block.is_for_every_page]
    return [*steps("README.md", [first]), *steps("docs/tour.md", shared)]


def check(asked: list[Step], here: Path, *, seconds: float, **settings: object) -> None:
    """Run the steps in a folder; a step that fails, or prints something else, is an AssertionError."""
    outputs, errors = _run(asked, here, environment(**settings), seconds)
    for step, output in zip(asked, outputs, strict=False):
        assert re.search(step.pattern, output, re.DOTALL), f"{step.place}\n{step.commands}\nprinted\n{output}\n{errors}"
    if len(outputs) < len(asked):
        failed = asked[len(outputs)]
        raise AssertionError(f"{failed.place}\n{failed.commands}\nfailed\n{errors}")


def _run(asked: list[Step], here: Path, given: dict[str, str], seconds: float) -> tuple[list[str], str]:
    """What each step printed that succeeded, and the error output of all. The first one that fails is the last one."""
    shell_name = "bash" if any(step.shell == "bash" for step in asked) else "sh"
    script = "set -e\n" + "".join(f"{step.commands}printf '{_END}'\n" for step in asked)
    given = given | {
        "CALLBACKS_PORT": str(free_port()),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    printed, complained = here.with_name(f"{here.name}.out"), here.with_name(f"{here.name}.err")
    with (
        printed.open("w") as out,
        complained.open("w") as err,
        subprocess.Popen(
            [shell_name, "-c", script], cwd=here, env=given, stdout=out, stderr=err, start_new_session=True
        ) as shell,
    ):
        try:
            shell.wait(seconds)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(shell.pid, signal.SIGKILL)  # with what it has left in the background
    return re.sub(" +\n", "\n", printed.read_text()).split(_END)[:-1], complained.read_text()


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@asynccontextmanager
async def instance_for_readers() -> AsyncIterator[dict[str, object]]:
    """A service with its worker, on a database of its own; yields the settings by which commands find it."""
    async with worker_database("_documents") as database_url:
        settings = {"database_url": database_url, "mode": "dev", "secret_key": "a key for readers"}
        with serving(Settings(**settings, database_pool_size=6)) as url:  # type: ignore[arg-type]
            yield {**settings, "url": url, "port": url.rpartition(":")[2]}


async def new_account(here: Path, **found: object) -> None:
    """An account of its own for the reader in this folder, who finds its credentials as after a first start."""
    data_dir = here / ".orchestrator"
    data_dir.mkdir()
    settings = Settings(
        database_url=str(found["database_url"]),
        secret_key=str(found["secret_key"]),
        account_sid=new_sid("AC"),
        data_dir=data_dir,
    )
    async with units(settings) as opened, opened.begin() as unit:
        await settle(unit, secret_box(settings), settings, embedded=True)
