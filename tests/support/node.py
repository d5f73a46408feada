"""The official Node SDK in a process of its own, which is told call by call what to do."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.accounts.service import Account

FOLDER = Path(__file__).parents[1] / "contract" / "node"
PROGRAM = FOLDER / "twilio.mjs"


class NodeError(Exception):
    """What the SDK threw."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['kind']}: {error['message']}")
        self.kind: str = error["kind"]
        self.message: str = error["message"]
        self.status: int | None = error.get("status")
        self.code: int | None = error.get("code")
        self.more_info: str | None = error.get("moreInfo")
        self.details: dict[str, Any] = error.get("details") or {}


@dataclass
class Node:
    """The process."""

    process: "subprocess.Popen[str]"

    def ask(self, **command: Any) -> dict[str, Any]:
        """One line to the program and one back; what they say is written in the program."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, "node has ended"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def package(self, *steps: Any) -> Any:
        """Call a function of the package itself, such as `validateRequest`."""
        return value(self.ask(steps=steps))


@dataclass
class NodeClient:
    """An API of an account."""

    node: Node
    origin: str
    account: Account
    api: tuple[str, str] = ("conversations", "v2")
    """The properties of the SDK's client that lead to it."""
    requested: list[str] = field(default_factory=list)
    """Method and path of the requests of the last call."""
    answered: list[int] = field(default_factory=list)
    """The statuses of the answers to them."""

    def __call__(self, *steps: Any) -> Any:
        """Go along properties (strings) and calls (lists of arguments); raises NodeError."""
        username, password = self.account.account_id, self.account.auth_token
        answer = self.node.ask(origin=self.origin, username=username, password=password, api=self.api, steps=steps)
        self.requested, self.answered = answer["requested"], answer["answered"]
        return value(answer)


def value(answer: dict[str, Any]) -> Any:
    if "error" in answer:
        raise NodeError(answer["error"])
    return answer.get("value")  # JSON knows no `undefined`


@contextmanager
def node_process() -> Iterator[Node]:
    """Node with the SDK that the lock names."""
    assert (FOLDER / "node_modules" / "twilio").is_dir(), "`make test` installs the Node SDK"
    node = shutil.which("node", path=str(Path(sys.executable).parent))
    assert node, "`make test` installs Node"
    with subprocess.Popen([node, str(PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Node(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(10)
