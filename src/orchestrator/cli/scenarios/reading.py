"""Scenarios from files: those that come with the program, by name, and one's own. What is wrong is said in one line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from orchestrator.cli.errors import WrongUsage
from orchestrator.cli.scenarios import EXTENSION, SHIPPED, shipped_names
from orchestrator.cli.scenarios.model import DOINGS, Scenario
from orchestrator.cli.scenarios.names import WrongName, check_names


@dataclass(frozen=True, slots=True)
class Story:
    """A scenario and where it is from."""

    name: str
    file: Path
    scenario: Scenario

    @property
    def source(self) -> str:
        """The file's text."""
        return self.file.read_text(encoding="utf-8")


def find(name: str) -> Story:
    """A scenario that comes with the program by its name, or any by its file. Raises WrongUsage."""
    if Path(name).suffix in (EXTENSION, ".yml") or "/" in name:
        return read(Path(name))
    if name not in shipped_names():
        raise WrongUsage(
            f"there is no scenario {name}: `orchestrator run --list` shows them; a file ends in {EXTENSION}"
        )
    return read(SHIPPED / f"{name}{EXTENSION}")


def shipped() -> list[Story]:
    """All that come with the program."""
    return [find(name) for name in shipped_names()]


def read(file: Path) -> Story:
    """A scenario from a file. Raises WrongUsage, which names file, step and field."""
    try:
        scenario = Scenario.model_validate(_mapping(file))
    except ValidationError as error:
        raise WrongUsage(f"{file}: {_explained(error)}") from error
    try:
        check_names(scenario)
    except WrongName as error:
        raise WrongUsage(f"{file}: {error.where}: {error}") from error
    return Story(file.stem, file, scenario)


class _Loader(yaml.SafeLoader):
    """Plain YAML whose mappings have every key once; the usual loader takes the last one and says nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        keys = [key.value for key, _ in node.value]
        twice = next((key for number, (key, _) in enumerate(node.value) if key.value in keys[:number]), None)
        if twice is not None:
            raise yaml.MarkedYAMLError(problem=f"{twice.value!r} is there twice", problem_mark=twice.start_mark)
        return super().construct_mapping(node, deep=deep)


def _mapping(file: Path) -> Any:
    try:
        return yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - it is a safe loader
    except OSError as error:
        raise WrongUsage(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WrongUsage(f"{file} is not UTF-8 text") from error
    except yaml.YAMLError as error:
        raise WrongUsage(f"{file} is not YAML: {_broken(error)}") from error


def _broken(error: yaml.YAMLError) -> str:
    """What the parser says, in one line, with the line and column of the file."""
    if isinstance(error, yaml.MarkedYAMLError) and (mark := error.problem_mark):
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return " ".join(str(error).split())


def _explained(error: ValidationError) -> str:
    """The first thing that is wrong, and where."""
    problem = error.errors(include_url=False)[0]
    if not problem["loc"] and problem["type"] == "model_type":
        return "a scenario is a mapping with title, description and steps"
    location = list(problem["loc"])
    where = ""
    if location[:1] == ["steps"] and len(location) > 1:
        where = f"step {int(location[1]) + 1}"
        location = location[2:]
    if problem["type"] == "extra_forbidden":
        key = location.pop()
        return f"{_place(where, location)}{key!r} is no key here{_advice(location, where)}"
    if problem["type"] == "missing":
        key = location.pop()
        return f"{_place(where, location)}{key} is missing"
    return f"{_place(where, location)}{problem['msg'].removeprefix('Value error, ')}{_found(problem['input'])}"


def _place(where: str, location: list[str | int]) -> str:
    inside = ".".join(str(part) for part in location)
    return "".join(f"{part}: " for part in [", ".join(filter(None, [where, inside]))] if part)


def _advice(location: list[str | int], where: str) -> str:
    if location or not where:
        return ""
    return f" (a step has note, as, expect and one of {', '.join(DOINGS)})"


def _found(value: Any) -> str:
    if isinstance(value, str):
        return f", not {value!r}"
    if isinstance(value, int | float):
        return f", not {value!r} (quotes make it a text)"
    return ""
