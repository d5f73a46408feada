"""Whatever stands in a field of a body is taken, or refused by name; nothing fails, and a refusal changes nothing."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import pytest

from tests.features.bodies import alternatives, body_schema, complete, new_world, writes
from tests.support.app import Service

Path = tuple[str | int, ...]
Field = tuple[Path, Any, set[str]]
"""Its place in the body, its value there, and the types that the OpenAPI file admits."""

HOSTILE = (
    "\x00",
    "a\udfffb",
    "😀" * 300,
    "x" * 100_000,
    "",
    " \x7f\x1b\r\n\ufeff\u202e\u2028",
    "%00%s{}'\"\\",
)
"""What databases, logs and writers of JSON stumble over."""
NUMBERS = (float("nan"), float("inf"), -float("inf"), -1, -0.0, 1e308, 5e-324, 2**31, 2**63, 10**30, 10**4000)
OF_EVERY_TYPE: tuple[tuple[str, Any], ...] = (
    ("null", None),
    ("boolean", True),
    ("integer", 5),
    ("number", 0.5),
    ("string", "x"),
    ("array", []),
    ("object", {}),
)
ADMITS_NO_OTHERS = {
    ("POST", "/v1/Stores/{storeId}/Profiles"),
    ("PUT", "/v1/Stores/{storeId}/Profiles/Bulk"),
    ("PATCH", "/v1/Stores/{storeId}/Profiles/{profileId}"),
    ("PUT", "/v1/Stores/{storeId}/Profiles/{profileId}"),
    ("POST", "/v1/ControlPlane/Stores/{storeId}/TraitGroups"),
    ("PATCH", "/v1/ControlPlane/Stores/{storeId}/TraitGroups/{traitGroupName}"),
    ("POST", "/v1/Stores/{storeId}/Profiles/{profileId}/Observations"),
    ("POST", "/v1/Stores/{storeId}/Profiles/{profileId}/ConversationSummaries"),
    ("POST", "/orchestrator/v1/Stores/{storeId}/Merges/{mergeId}/Undo"),
}
"""Bodies in which an unknown field is refused (contract: memory.md section 1; a misspelt part is not the whole)."""


def each(operations: Sequence[Any]) -> pytest.MarkDecorator:
    """One test for each operation."""
    return pytest.mark.parametrize(("method", "path"), operations, ids=lambda value: re.sub(r"[{}]", "", value))


def third(which: int, *, without: Collection[tuple[str, str]] = ()) -> pytest.MarkDecorator:
    """One test for each operation, of which `make test` runs every third, and `make soak` the others."""
    operations = [
        one if position % 3 == which else pytest.param(*one, marks=pytest.mark.soak)
        for position, one in enumerate(writes())
        if one not in without
    ]
    return each(operations)


def fields(method: str, path: str) -> list[Field]:
    """Every field of an operation's complete body."""
    return list(_fields(complete(method, path), body_schema(method, path), ()))


def _fields(value: Any, schema: Any, path: Path) -> Iterator[Field]:
    several = alternatives(schema)
    types = {one.get("type", "anything") for one in several}
    yield path, value, types | ({"integer"} if "number" in types else set())
    for one in several:
        if isinstance(value, dict) and one.get("type") == "object":
            others = one.get("additionalProperties")
            for name, inner in value.items():
                known = one.get("properties", {}).get(name)
                yield from _fields(inner, known or (others if isinstance(others, dict) else {}), (*path, name))
        if isinstance(value, list) and one.get("type") == "array":
            for position, inner in enumerate(value):
                yield from _fields(inner, one.get("items", {}), (*path, position))


def changed(body: Any, path: Path, value: Any) -> Any:
    """A copy of a body with another value at one place."""
    if not path:
        return value
    copy: Any = dict(body) if isinstance(body, dict) else list(body)
    copy[path[0]] = changed(body[path[0]], path[1:], value)
    return copy


def pointer(path: Path) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path) or "(body)"


@each(writes())
async def test_a_complete_body_is_taken(service: Service, method: str, path: str) -> None:
    world = await new_world(service)
    answer = await world.send(method, path, complete(method, path))
    assert answer.is_success, answer.text


@third(0)
async def test_any_text_in_any_field(service: Service, method: str, path: str) -> None:
    world = await new_world(service)
    for place, value, _ in fields(method, path):
        for text in HOSTILE if isinstance(value, str) else ():
            await world.send(method, path, changed(complete(method, path), place, text))


@third(1)
async def test_any_name_in_any_object(service: Service, method: str, path: str) -> None:
    world = await new_world(service)
    for place, value, _ in fields(method, path):
        for name in HOSTILE if isinstance(value, dict) else ():
            sibling = next(iter(value.values()), "x")
            await world.send(method, path, changed(complete(method, path), place, {**value, name: sibling}))


@third(2)
async def test_any_number_where_a_number_may_be(service: Service, method: str, path: str) -> None:
    world = await new_world(service)
    for place, _, types in fields(method, path):
        for number in NUMBERS if types & {"integer", "number", "anything"} else ():
            await world.send(method, path, changed(complete(method, path), place, number))


@third(0)
async def test_a_type_that_the_file_does_not_admit_is_refused_by_name(service: Service, method: str, path: str) -> None:
    world = await new_world(service)
    for place, value, types in fields(method, path):
        for of_type, wrong in OF_EVERY_TYPE:
            answer = await world.send(method, path, changed(complete(method, path), place, wrong))
            if {"anything", of_type} & types:
                continue
            assert answer.status_code == 400, (place, wrong, value)
            assert answer.json()["params"]["field"] == pointer(place), (place, wrong)


@third(1)
async def test_null_is_as_good_as_absent_where_a_field_is_optional(service: Service, method: str, path: str) -> None:
    world = await new_world(service)
    (schema,) = alternatives(body_schema(method, path))
    for name, of_field in schema["properties"].items():
        if not any(one.get("type") == "null" for one in alternatives(of_field)):
            continue
        assert name not in schema.get("required", ())
        absent = {other: value for other, value in complete(method, path).items() if other != name}
        without = await world.send(method, path, absent)
        with_null = await world.send(method, path, {**complete(method, path), name: None})
        assert with_null.status_code == without.status_code, (name, with_null.text, without.text)


@third(2, without=ADMITS_NO_OTHERS)
async def test_unknown_fields_are_ignored(service: Service, method: str, path: str) -> None:
    world = await new_world(service)
    others = {"unknown": {"deep": [{"text": "x"}]}, "id": 5, "createdAt": False}
    answer = await world.send(method, path, {**complete(method, path), **others})
    assert answer.is_success, answer.text
