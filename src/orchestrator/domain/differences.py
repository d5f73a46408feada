"""What differs between two JSON objects, field by field, named by JSON pointers (RFC 6901).

Objects are compared member by member; anything else, lists included, is one value.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What became of a field."""

    ADDED = "added"
    CHANGED = "changed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Change:
    """One field that is not as it was."""

    path: str
    """JSON pointer of the field."""
    before: Any
    """None when it was not there."""
    after: Any
    """None when it is gone."""
    kind: Kind


def changes(before: Mapping[str, Any], after: Mapping[str, Any], *, below: str = "") -> list[Change]:
    """What leads from one object to the other, by the names of the fields.

    >>> [(one.path, one.kind.value) for one in changes({"a": {"b": 1, "c": [2]}}, {"a": {"c": [3]}, "d": None})]
    [('/a/b', 'deleted'), ('/a/c', 'changed'), ('/d', 'added')]
    """
    found: list[Change] = []
    for name in sorted({*before, *after}):
        path = f"{below}/{_escaped(name)}"
        if name not in after:
            found.append(Change(path, before[name], None, Kind.DELETED))
        elif name not in before:
            found.append(Change(path, None, after[name], Kind.ADDED))
        else:
            found += _of_one(path, before[name], after[name])
    return found


def applied(before: Mapping[str, Any], steps: Iterable[Change]) -> dict[str, Any]:
    """The object after these changes, each of which names a field of an object that is there.

    >>> applied({"a": {"b": 1}}, changes({"a": {"b": 1}}, {"a": {}, "c/d": 2}))
    {'a': {}, 'c/d': 2}
    """
    after: dict[str, Any] = json.loads(json.dumps(before))
    for step in steps:
        *way, name = parts(step.path)
        place = after
        for part in way:
            place = place[part]
        if step.kind is Kind.DELETED:
            del place[name]
        else:
            place[name] = step.after
    return after


def deletions(steps: Iterable[Change]) -> list[str]:
    """The pointers of the fields that are gone."""
    return [step.path for step in steps if step.kind is Kind.DELETED]


def parts(pointer: str) -> list[str]:
    """The names on the way to a field.

    >>> parts("/a~1b/c~0d")
    ['a/b', 'c~d']
    """
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _of_one(path: str, before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from changes(before, after, below=path)
    elif _written(before) != _written(after):
        yield Change(path, before, after, Kind.CHANGED)


def _written(value: Any) -> str:
    """A value as text: for Python, but not for JSON, true is 1 and 1 is 1.0."""
    return json.dumps(value, sort_keys=True)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
