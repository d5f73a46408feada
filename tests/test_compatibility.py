"""The compatibility page has a row for everything that the OpenAPI file has, and says what file and code say."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.conversations.holding import AddressConflict
from orchestrator.ingest import identifying
from orchestrator.kernel import errors
from orchestrator.kernel.errors import OrchestratorError
from orchestrator.settings import Settings
from tests.support.documents import ROOT
from tests.support.openapi import document

PAGE = (ROOT / "docs" / "compatibility.md").read_text()
PREFIX = "conversations.v2."
ANSWER_LETTERS = {"r", "a"}
"""Of the column `in`: what is always in an answer needs no star."""

Rows = list[list[str]]
FieldTable = tuple[dict[str, list[str]], Rows]


def rows_after(place: int) -> Rows:
    """The cells of the first table after a place of the page, without its head."""
    table = re.compile(r"(?m)^\|.*\n\|[-|]+\n((?:\|.*\n)*)").search(PAGE, place)
    assert table is not None
    return [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in table[1].splitlines()]


def rows_of(heading: str) -> Rows:
    return rows_after(PAGE.index(f"\n## {heading}\n"))


def code(cell: str) -> list[str]:
    """What a cell has in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def operations() -> dict[str, tuple[str, dict[str, Any]]]:
    """The operations below /v2 by their ids: method with path, and what the file says of them."""
    return {
        operation["operationId"]: (f"{method.upper()} {path}", operation)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
        if path.startswith("/v2/")
    }


def schemas() -> dict[str, dict[str, Any]]:
    """The schemas that these operations take and answer, by name."""
    found: dict[str, dict[str, Any]] = {}
    waiting = list(references([operation for _, operation in operations().values()]))
    while waiting:
        if (name := waiting.pop()) not in found:
            found[name] = document()["components"]["schemas"][name]
            waiting += references(found[name])
    return found


def references(part: Any) -> Iterator[str]:
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from references(value)
    if isinstance(part, dict) and "$ref" in part:
        yield part["$ref"].rpartition("/")[2]


def field_tables() -> list[FieldTable]:
    """The tables of fields: letters with the schemas that they stand for, and the rows."""
    tables = []
    for marker in re.finditer(r"<!-- schemas: (.*?) -->", PAGE):
        letters = {letter: names.split(",") for letter, names in (one.split("=") for one in marker[1].split())}
        tables.append((letters, rows_after(marker.end())))
    return tables


def table_id(table: FieldTable) -> str:
    return next(iter(table[0].values()))[0].removeprefix(PREFIX)


def where(field: str, letters: dict[str, list[str]]) -> str:
    """The column `in` of a field, such as `r c* u`."""
    cell = []
    for letter, names in letters.items():
        having = [one for one in (schemas()[name] for name in names) if field in one["properties"]]
        if having:
            needed = letter not in ANSWER_LETTERS and all(field in one.get("required", ()) for one in having)
            cell.append(letter + "*" * needed)
    return " ".join(cell)


def test_every_operation_has_its_row() -> None:
    rows = rows_of("Operations")
    assert sorted(code(row[0])[0] for row in rows) == sorted(operations())
    for name, request, success, key, _ in rows:
        expected, operation = operations()[code(name)[0]]
        assert code(request) == [expected]
        assert success.split(", ") == sorted(one for one in operation["responses"] if one.startswith("2")), name
        has_key = "Idempotency-Key" in [one["name"] for one in operation.get("parameters", ())]
        assert (key == "yes") == has_key, name


@pytest.mark.parametrize("table", field_tables(), ids=table_id)
def test_every_field_has_its_row(table: FieldTable) -> None:
    letters, rows = table
    fields = {field for names in letters.values() for name in names for field in schemas()[name]["properties"]}
    assert {code(row[0])[0]: row[1] for row in rows} == {field: where(field, letters) for field in fields}
    assert len(rows) == len(fields)
    assert all(row[2] and row[3] for row in rows)


def test_every_schema_has_its_table() -> None:
    shown = {name for letters, _ in field_tables() for names in letters.values() for name in names}
    assert shown == {name for name, schema in schemas().items() if "properties" in schema}


def test_every_value_is_there() -> None:
    shown = {code(row[0])[0]: code(row[1]) for row in rows_of("Values")}
    assert shown == {
        name.removeprefix(PREFIX): schema["enum"] for name, schema in schemas().items() if "enum" in schema
    }


def test_every_code_is_there() -> None:
    kinds: set[type[OrchestratorError]] = {OrchestratorError, AddressConflict}
    kinds |= {kind for kind in OrchestratorError.__subclasses__() if kind.__module__ == errors.__name__}
    expected = {(kind.status, kind.code) for kind in kinds}
    shown = [(int(row[0]), int(row[1])) for row in rows_after(PAGE.index("<!-- codes -->"))]
    assert sorted(shown) == sorted(expected)
    diagnostics = {identifying.SKIPPED, identifying.LOOKUP_FAILED, identifying.CREATION_FAILED}
    known = {number for _, number in expected} | diagnostics
    assert {int(number) for number in re.findall(r"\b(?:20|53)\d{3,4}\b(?!-)", prose())} - known == set()


def test_every_header_is_there() -> None:
    shown = {name for row in rows_of("Headers") for name in code(row[0])}
    declared: set[str] = set()
    for _, operation in operations().values():
        declared |= {one["name"] for one in operation.get("parameters", ()) if one["in"] == "header"}
        declared |= {name for answer in operation["responses"].values() for name in answer.get("headers", ())}
    assert declared - shown == set()


def test_what_is_named_is_there() -> None:
    """Operations, paths and settings that the page names in passing."""
    paths = document()["paths"]
    ids = {operation["operationId"] for methods in paths.values() for operation in methods.values()}
    named = {name for name in code(prose()) if re.fullmatch(r"(?:Create|Fetch|List|Update|Patch|Delete)[A-Z]\w+", name)}
    assert named - ids == set()
    named = {name for name in code(prose()) if re.match(r"/(?:orchestrator|ingest|healthz|readyz|metrics)", name)}
    assert {name for name in named if not name.endswith("…")} - set(paths) == set()
    named = set(re.findall(r"ORCHESTRATOR_([A-Z_]+)", PAGE))
    assert {name.lower() for name in named} - set(Settings.model_fields) == set()


def test_short_links_lead_somewhere() -> None:
    """`[text][label]` and `[label]`; what is in their definitions, and every definition used."""
    defined = dict(re.findall(r"(?m)^\[([^\]]+)\]: (\S+)$", PAGE))
    used = re.findall(r"\[[^\[\]]+\]\[([^\]]+)\]", prose())
    used += re.findall(r"(?<!\])\[([^\[\]]+)\](?![\[(:])", prose())
    assert set(used) == set(defined)
    headings = [re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in re.findall(r"(?m)^#+ (.+)$", PAGE)]
    assert len(headings) == len(set(headings))
    for target in defined.values():
        assert target.startswith("https://") or target.removeprefix("#") in headings, target


def prose() -> str:
    """The page without the definitions of its links."""
    return re.sub(r"(?m)^\[[^\]]+\]: \S+$", "", PAGE)
