"""What a row of an import says: cells become values of traits (contract: memory.md 4.11).

An empty cell is an empty text; where a trait is no text, it says nothing. The cell `\\N` removes the trait. Numbers are
written with a point, booleans as true or false in any case, arrays as JSON.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from orchestrator.memory.import_files import Cells
from orchestrator.memory.imports import Mappings, trait_of
from orchestrator.memory.profile_schemas import TraitValue
from orchestrator.memory.trait_definitions import ARRAY, BOOLEAN, NUMBER, STRING, Definition, Definitions
from orchestrator.memory.traits import Traits

REMOVES = r"\N"

_STORABLE: TypeAdapter[Any] = TypeAdapter(TraitValue)
_NUMBER = re.compile(r"[+-]?([0-9]{1,19}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][+-]?[0-9]{1,4})?", re.ASCII)
_WHOLE = re.compile(r"[+-]?[0-9]+")
_BOOLEANS = {"true": True, "false": False}

Message = Mapping[str, Any]
"""In the API's JSON form."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is read."""

    position: int
    name: str
    group: str
    trait: str
    definition: Definition | None
    """None when the trait has been deleted since the import was announced."""

    def identifies(self, cell: str) -> bool:
        """Whether the cell can tell who somebody is."""
        return self.definition is not None and self.definition.promotes_to is not None and cell not in ("", REMOVES)


@dataclass(frozen=True, slots=True)
class Said:
    """What a row says of somebody."""

    row: int
    traits: Traits
    removed: Sequence[tuple[str, str]]
    """Traits by group and name."""
    warnings: Sequence[Message]
    """Of cells that were left out."""


@dataclass(frozen=True, slots=True)
class NotSaid:
    """Why a row is not written."""

    row: int
    reason: str


def columns(header: Cells, mappings: Mappings, definitions: Definitions) -> list[Column]:
    """The columns of a file that are read, as the store is now."""
    found = []
    for mapping in mappings:
        (group, trait), name = trait_of(mapping), mapping["columnName"]
        definition = definitions.get(group, {}).get(trait)
        found.append(Column(header.index(name), name, group, trait, definition))
    return found


def read(row: int, cells: Cells, header: Cells, known: Sequence[Column]) -> Said | NotSaid:
    """What a row says; `row` is its number."""
    if len(cells) != len(header):
        return NotSaid(row, f"the row has {len(cells)} cells, and the header {len(header)}")
    if not any(column.identifies(cells[column.position]) for column in known):
        return NotSaid(row, "the row has no identifier: none of the columns that are one is filled in")
    traits: dict[str, dict[str, Any]] = {}
    removed, warnings = [], []
    for column in known:
        cell = cells[column.position]
        try:
            value = _value(column, cell)
        except ValueError as error:
            warnings.append({"row": row, "column": column.name, "message": str(error)})
            continue
        if cell == REMOVES:
            removed.append((column.group, column.trait))
        elif value is not None:
            traits.setdefault(column.group, {})[column.trait] = value
    return Said(row, traits, removed, warnings)


def _value(column: Column, cell: str) -> Any:
    """The value of a cell; None when it says nothing, or removes. Raises ValueError, with a message for the account."""
    if column.definition is None:
        raise ValueError(f"the store has no trait {column.group}.{column.trait} any more")
    if cell == REMOVES or (cell == "" and column.definition.data_type != STRING):
        return None
    value = _PARSERS[column.definition.data_type](cell)
    column.definition.check(value)
    try:
        return _STORABLE.validate_python(value)
    except ValidationError as error:
        raise ValueError(str(error.errors()[0]["ctx"]["error"])) from error


def _number(cell: str) -> float:
    text = cell.strip()
    if not _NUMBER.fullmatch(text):
        raise ValueError("this trait is a number, such as 5 or -0.5")
    return int(text) if _WHOLE.fullmatch(text) else float(text)


def _boolean(cell: str) -> bool:
    value = _BOOLEANS.get(cell.strip().lower())
    if value is None:
        raise ValueError("this trait is true or false")
    return value


def _array(cell: str) -> list[Any]:
    try:
        value = orjson.loads(cell)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, list):
        raise ValueError('this trait is an array in JSON, such as ["red", "blue"]')
    return value


_PARSERS: Mapping[str, Callable[[str], Any]] = {STRING: str, NUMBER: _number, BOOLEAN: _boolean, ARRAY: _array}
