"""Every code that an error or a diagnostic may have, as the docstrings of the code tell of it; for docs/errors.md."""

import ast
import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from orchestrator.ingest import identifying
from orchestrator.kernel.errors import BadRequest, OrchestratorError
from orchestrator.kernel.http import ApiRoute
from orchestrator.messages import errors as message_errors

PROGRAM = Path(inspect.getfile(importlib.import_module("orchestrator"))).parent

_ADVICE = "What to do: "
_CODES = {"code", "bad_request_code"}
"""Names of the attributes of classes that hold one."""
_OF_CONSTANTS = {message_errors.__name__: message_errors.MessageRefused.status, identifying.__name__: None}
"""Modules whose codes are constants, and the HTTP status that goes with them."""
_RANGES = (range(20_001, 22_000), range(30_001, 31_000), range(520_000, 540_000))
"""Where Twilio's codes for these products lie."""
_NUMBER = re.compile(r"(?<![\w.])\d{2,3}_?\d{3}(?![\w.])")
_GIVES_A_CODE = re.compile(r"(?m)^    (?:bad_request_)?code\b.* = |^[A-Z_]+ = \d{5}")
"""In files that are worth reading."""


@dataclass(frozen=True, slots=True)
class Code:
    """One meaning of a code."""

    code: int
    status: int | None
    """None for diagnostics, which answer no request."""
    name: str
    when: str
    advice: str


@cache
def codes() -> tuple[Code, ...]:
    """All of them, by number."""
    found = [*_of_classes(), *_of_constants()]
    return tuple(sorted(found, key=lambda one: (one.code, one.name)))


def numbers_in_the_code() -> set[int]:
    """Every whole number of the program that looks like a code of Twilio's, wherever it stands."""
    numbers = {int(found) for text in _modules().values() for found in _NUMBER.findall(text)}
    return {one for one in numbers if any(one in codes for codes in _RANGES)}


@cache
def _modules() -> dict[str, str]:
    """Their texts, by name."""
    files = {file: file.relative_to(PROGRAM).with_suffix("").parts for file in sorted(PROGRAM.rglob("*.py"))}
    return {".".join(("orchestrator", *parts)): file.read_text() for file, parts in files.items()}


@cache
def _trees() -> dict[str, ast.Module]:
    return {name: ast.parse(text) for name, text in _modules().items() if _GIVES_A_CODE.search(text)}


def _of_classes() -> Iterator[Code]:
    for module, tree in _trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and _gives_a_code(node):
                kind = getattr(importlib.import_module(module), node.name)
                if issubclass(kind, OrchestratorError):
                    yield _told(kind.code, kind.status, node.name, inspect.getdoc(kind))
                elif issubclass(kind, ApiRoute) and kind is not ApiRoute:  # whose code is BadRequest's
                    yield _told(kind.bad_request_code, BadRequest.status, node.name, inspect.getdoc(kind))


def _gives_a_code(node: ast.ClassDef) -> bool:
    """Whether a class sets the attribute in its body."""
    set_here = [line for line in node.body if isinstance(line, ast.Assign | ast.AnnAssign) and line.value is not None]
    targets = [line.targets[0] if isinstance(line, ast.Assign) else line.target for line in set_here]
    return any(isinstance(target, ast.Name) and target.id in _CODES for target in targets)


def _of_constants() -> Iterator[Code]:
    named = {one.code for one in _of_classes()}
    for module, status in _OF_CONSTANTS.items():
        body = _trees()[module].body
        for line, after in zip(body, [*body[1:], None], strict=True):
            match line:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=int(code))) if code not in named:
                    yield _told(code, status, name, _text(after))


def _text(line: ast.stmt | None) -> str | None:
    match line:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return inspect.cleandoc(text)
    return None


def _told(code: int, status: int | None, name: str, docstring: str | None) -> Code:
    assert docstring, f"{name} does not say when"
    when, _, advice = docstring.partition("\n\n" + _ADVICE)
    assert advice, f"the docstring of {name} has no paragraph `{_ADVICE}`"
    return Code(code, status, name, _line(re.sub(r" \([^)]*contract[^)]*\)", "", when)), _line(advice))


def _line(text: str) -> str:
    return " ".join(text.split())
