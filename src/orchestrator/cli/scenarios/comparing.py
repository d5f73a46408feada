"""What was expected beside what was found."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that had to be so."""

    what: str
    expected: Any
    found: Any
    holds: bool
    final: bool = False
    """Waiting cannot change it."""


def check(what: str, expected: Any, found: Any) -> Check:
    """Two values that had to be the same."""
    return Check(what, expected, found, expected == found)


def settled(checks: Iterable[Check]) -> Iterator[Check]:
    """The same checks, of what will not change any more."""
    return (replace(one, final=True) for one in checks)


def compared(what: str, expected: Any, found: Any) -> Iterator[Check]:
    """Leaf by leaf: objects may have more than is expected of them, lists may not.

    >>> [(one.what, one.holds) for one in compared("answer", {"a": 1, "b": {"c": [2]}}, {"a": 1, "b": {"c": [3]}})]
    [('answer.a', True), ('answer.b.c', False)]
    """
    if isinstance(expected, dict) and expected:
        for key, value in expected.items():
            yield from compared(f"{what}.{key}", value, found.get(key) if isinstance(found, dict) else None)
    else:
        yield Check(what, expected, reduced(expected, found), matches(expected, found))


def matches(expected: Any, found: Any) -> bool:
    """Whether what was found has everything that was expected.

    >>> matches([{"type": "CUSTOMER"}], [{"type": "CUSTOMER", "name": "+15551234567"}]), matches([], [1])
    (True, False)
    """
    if isinstance(expected, dict):
        return isinstance(found, dict) and all(matches(value, found.get(key)) for key, value in expected.items())
    if isinstance(expected, list):
        return isinstance(found, list) and len(found) == len(expected) and all(map(matches, expected, found))
    return bool(expected == found)


def reduced(expected: Any, found: Any) -> Any:
    """Of what was found the part that can be compared with what was expected, for people.

    >>> reduced([{"a": 1}], [{"a": 2, "b": 3}, {"a": 4, "c": 5}])
    [{'a': 2}, {'a': 4}]
    """
    if isinstance(expected, dict) and isinstance(found, dict):
        return {key: reduced(value, found.get(key)) for key, value in expected.items()}
    if isinstance(expected, list) and isinstance(found, list):
        shapes = [*expected, *([expected[-1]] * max(0, len(found) - len(expected)))] if expected else found
        return [reduced(shape, one) for shape, one in zip(shapes, found, strict=False)]
    return found
