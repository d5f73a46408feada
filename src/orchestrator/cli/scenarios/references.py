"""References: `{{name}}` and `{{name.field}}` stand for what a scenario has named, in texts, lists and mappings."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_REFERENCE = re.compile(r"\{\{ *([a-z][a-z0-9-]*)((?:\.\w+)*) *\}\}")


class UnknownReference(Exception):
    """It leads nowhere; the text says where it stops."""


def names_in(value: Any) -> Iterator[str]:
    """The names that a value refers to. Raises UnknownReference for braces that are no reference.

    >>> list(names_in({"from": "{{shop}}", "to": ["{{ first.communication.id }}"]}))
    ['shop', 'first']
    """
    if isinstance(value, str):
        if "{{" in _REFERENCE.sub("", value):
            raise UnknownReference(f"{value!r} has braces that are no reference: {{{{name}}}} or {{{{name.field}}}}")
        yield from (found[1] for found in _REFERENCE.finditer(value))
    for part in _parts(value):
        yield from names_in(part)


def rendered(value: Any, things: Mapping[str, Any]) -> Any:
    """The value with what its references stand for. Raises UnknownReference.

    A text that is one reference becomes the thing itself.

    >>> rendered({"id": "{{a.id}}", "path": "/v2/{{a.id}}"}, {"a": {"id": 7}})
    {'id': 7, 'path': '/v2/7'}
    """
    if isinstance(value, str):
        whole = _REFERENCE.fullmatch(value)
        if whole:
            return _found(whole, things)
        return _REFERENCE.sub(lambda found: str(_found(found, things)), value)
    if isinstance(value, dict):
        return {key: rendered(part, things) for key, part in value.items()}
    return [rendered(part, things) for part in value] if isinstance(value, list) else value


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _found(reference: "re.Match[str]", things: Mapping[str, Any]) -> Any:
    path = [reference[1], *filter(None, reference[2].split("."))]
    value: Any = things
    for depth, key in enumerate(path):
        found = _inside(value, key)
        if found is None:
            raise UnknownReference(f"{reference[0]}: {'.'.join(path[:depth]) or 'the scenario'} has no {key}")
        value = found
    return value


def _inside(value: Any, key: str) -> Any:
    if isinstance(value, list) and key.isdecimal():
        return value[int(key)] if int(key) < len(value) else None
    return value.get(key) if isinstance(value, Mapping) else None
