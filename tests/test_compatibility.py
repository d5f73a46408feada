"""The compatibility pages have a row for everything that the OpenAPI file has, and say what file and code say."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pytest

from orchestrator.conversations.holding import AddressConflict
from orchestrator.ingest import identifying
from orchestrator.kernel import errors
from orchestrator.kernel.errors import OrchestratorError
from orchestrator.memory import errors as memory_errors
from orchestrator.memory.wire import ControlRoute, DataRoute
from orchestrator.messages.errors import NotComplete
from orchestrator.settings import Settings
from tests.support.documents import ROOT
from tests.support.openapi import document

PREFIX = "conversations.v2."
ANSWER_LETTERS = {"r", "a", "w", "n", "b"}
"""Of the column `in`: what is always in an answer needs no star."""

Rows = list[list[str]]
FieldTable = tuple[dict[str, list[str]], Rows]
Codes = set[tuple[int, int]]


@dataclass(frozen=True, eq=False)
class Page:
    """A page about one API."""

    name: str
    paths: str
    """What the paths of the API begin with."""
    condition: str
    """The header that the fourth column of its operations is about."""

    def __str__(self) -> str:
        return self.name.removesuffix(".md")

    @cached_property
    def text(self) -> str:
        return (ROOT / "docs" / self.name).read_text()

    @property
    def prose(self) -> str:
        """The page without the definitions of its links."""
        return re.sub(r"(?m)^\[[^\]]+\]: \S+$", "", self.text)

    def rows_after(self, place: int) -> Rows:
        """The cells of the first table after a place of the page, without its head."""
        table = re.compile(r"(?m)^\|.*\n\|[-|]+\n((?:\|.*\n)*)").search(self.text, place)
        assert table is not None
        return [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in table[1].splitlines()]

    def rows_of(self, heading: str) -> Rows:
        return self.rows_after(self.text.index(f"\n## {heading}\n"))

    def field_tables(self) -> list[FieldTable]:
        """The tables of fields: letters with the schemas that they stand for, and the rows."""
        tables = []
        for marker in re.finditer(r"<!-- schemas: (.*?) -->", self.text):
            letters = {letter: names.split(",") for letter, names in (one.split("=") for one in marker[1].split())}
            tables.append((letters, self.rows_after(marker.end())))
        return tables

    @cached_property
    def shown(self) -> set[str]:
        """The schemas that have a table on it."""
        return {name for letters, _ in self.field_tables() for names in letters.values() for name in names}

    @cached_property
    def operations(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """The operations of its API by their ids: method with path, and what the file says of them."""
        return {
            operation["operationId"]: (f"{method.upper()} {path}", operation)
            for path, methods in document()["paths"].items()
            for method, operation in methods.items()
            if path.startswith(self.paths)
        }

    @cached_property
    def schemas(self) -> dict[str, dict[str, Any]]:
        """The schemas that these operations take and answer, by name."""
        found: dict[str, dict[str, Any]] = {}
        waiting = list(references([operation for _, operation in self.operations.values()]))
        while waiting:
            if (name := waiting.pop()) not in found:
                found[name] = document()["components"]["schemas"][name]
                waiting += references(found[name])
        return found


CONVERSATIONS = Page("compatibility.md", "/v2/", "Idempotency-Key")
MEMORY = Page("compatibility-memory.md", "/v1/", "If-Match")

both_pages = pytest.mark.parametrize("page", [CONVERSATIONS, MEMORY], ids=str)


def code(cell: str) -> list[str]:
    """What a cell has in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def references(part: Any) -> Iterator[str]:
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from references(value)
    if isinstance(part, dict) and "$ref" in part:
        yield part["$ref"].rpartition("/")[2]


def tables() -> Iterator[Any]:
    for page in (CONVERSATIONS, MEMORY):
        for table in page.field_tables():
            first = next(iter(table[0].values()))[0].removeprefix(PREFIX)
            yield pytest.param(page, table, id=f"{page}-{first}")


def where(page: Page, field: str, letters: dict[str, list[str]]) -> str:
    """The column `in` of a field, such as `r c* u`."""
    cell = []
    for letter, names in letters.items():
        having = [one for one in (page.schemas[name] for name in names) if field in one["properties"]]
        if having:
            needed = letter not in ANSWER_LETTERS and all(field in one.get("required", ()) for one in having)
            cell.append(letter + "*" * needed)
    return " ".join(cell)


@both_pages
def test_every_operation_has_its_row(page: Page) -> None:
    rows = page.rows_of("Operations")
    assert sorted(code(row[0])[0] for row in rows) == sorted(page.operations)
    for name, request, success, condition, _ in rows:
        expected, operation = page.operations[code(name)[0]]
        assert code(request) == [expected]
        assert success.split(", ") == sorted(one for one in operation["responses"] if one.startswith("2")), name
        has_header = page.condition in [one["name"] for one in operation.get("parameters", ())]
        assert (condition == "yes") == has_header, name


@pytest.mark.parametrize(("page", "table"), [*tables()])
def test_every_field_has_its_row(page: Page, table: FieldTable) -> None:
    letters, rows = table
    fields = {field for names in letters.values() for name in names for field in page.schemas[name]["properties"]}
    assert {code(row[0])[0]: row[1] for row in rows} == {field: where(page, field, letters) for field in fields}
    assert len(rows) == len(fields)
    assert all(row[2] and row[3] for row in rows)


@both_pages
def test_every_schema_has_its_table(page: Page) -> None:
    """What both APIs have, such as errors, is on the first page alone."""
    elsewhere = CONVERSATIONS.shown if page is MEMORY else set()
    assert page.shown == {name for name, schema in page.schemas.items() if "properties" in schema} - elsewhere


def test_every_value_is_there() -> None:
    shown = {code(row[0])[0]: code(row[1]) for row in CONVERSATIONS.rows_of("Values")}
    assert shown == {
        name.removeprefix(PREFIX): schema["enum"] for name, schema in CONVERSATIONS.schemas.items() if "enum" in schema
    }


def test_every_value_of_answers_of_the_memory_api_is_there() -> None:
    answered = {
        name
        for letters, _ in MEMORY.field_tables()
        for letter, names in letters.items()
        if letter in ANSWER_LETTERS
        for name in names
    }
    shown = {code(row[0])[0]: code(row[1]) for row in MEMORY.rows_of("Values")}
    assert shown == {
        f"{name}.{field}": described["enum"]
        for name in answered
        for field, described in MEMORY.schemas[name]["properties"].items()
        if "enum" in described
    }


def codes_of(page: Page) -> Codes:
    """Statuses and codes that it has to show; those of both APIs are on the first page."""
    if page is MEMORY:
        routes = {(400, ControlRoute.bad_request_code), (400, DataRoute.bad_request_code)}
        kinds = vars(memory_errors).values()
        return routes | {(kind.status, kind.code) for kind in kinds if is_error_of(kind, memory_errors.__name__)}
    defined = {kind for kind in vars(errors).values() if is_error_of(kind, errors.__name__)}
    return {(kind.status, kind.code) for kind in {*defined, AddressConflict, NotComplete}}


def is_error_of(kind: Any, module: str) -> bool:
    return isinstance(kind, type) and issubclass(kind, OrchestratorError) and kind.__module__ == module


@both_pages
def test_every_code_is_there(page: Page) -> None:
    shown = [(int(row[0]), int(row[1])) for row in page.rows_after(page.text.index("<!-- codes -->"))]
    assert sorted(shown) == sorted(codes_of(page))
    diagnostics = {identifying.SKIPPED, identifying.LOOKUP_FAILED, identifying.CREATION_FAILED}
    known = {number for each in (CONVERSATIONS, MEMORY) for _, number in codes_of(each)} | diagnostics
    assert {int(number) for number in re.findall(r"\b(?:20|52|53)\d{3,4}\b(?!-)", page.prose)} - known == set()


@both_pages
def test_every_header_is_there(page: Page) -> None:
    shown = {name for row in page.rows_of("Headers") for name in code(row[0])}
    declared: set[str] = set()
    for _, operation in page.operations.values():
        declared |= {one["name"] for one in operation.get("parameters", ()) if one["in"] == "header"}
        declared |= {name for answer in operation["responses"].values() for name in answer.get("headers", ())}
    assert declared - shown == set()


@both_pages
def test_what_is_named_is_there(page: Page) -> None:
    """Operations, paths and settings that the page names in passing."""
    paths = document()["paths"]
    ids = {operation["operationId"] for methods in paths.values() for operation in methods.values()}
    verbs = "Create|Fetch|List|Update|Patch|Delete"
    # One operation has another id here, because both APIs have one of that name.
    named = {name for name in code(page.prose) if re.fullmatch(rf"(?:{verbs})[A-Z]\w+", name)} - {"FetchOperation"}
    assert named - ids == set()
    ours = r"/(?:orchestrator|uploads|ingest|healthz|readyz|metrics|v1/)"
    named = {name for name in code(page.prose) if re.match(ours, name)}
    assert {name for name in named if not name.endswith("…")} - {"/v1/Stores", *paths} == set()
    named = set(re.findall(r"ORCHESTRATOR_([A-Z_]+)", page.text))
    assert {name.lower() for name in named} - set(Settings.model_fields) == set()


@both_pages
def test_short_links_lead_somewhere(page: Page) -> None:
    """`[text][label]` and `[label]`; what is in their definitions, and every definition used."""
    defined = dict(re.findall(r"(?m)^\[([^\]]+)\]: (\S+)$", page.text))
    used = re.findall(r"\[[^\[\]]+\]\[([^\]]+)\]", page.prose)
    used += re.findall(r"(?<!\])\[([^\[\]]+)\](?![\[(:])", page.prose)
    assert set(used) == set(defined)
    headings = [
        re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in re.findall(r"(?m)^#+ (.+)$", page.text)
    ]
    assert len(headings) == len(set(headings))
    for target in defined.values():
        assert target.startswith("https://") or target.removeprefix("#") in headings, target
