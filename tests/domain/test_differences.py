"""Differences between JSON objects: what is found leads from one to the other."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.differences import Kind, applied, changes, deletions, parts

names = st.sampled_from(["", "a", "b", "a/b", "~", "~1", "0"])
leaves = st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from([0.0, 1.0, "", "a"])
values = st.recursive(leaves, lambda one: st.lists(one, max_size=2) | st.dictionaries(names, one, max_size=3))
objects = st.dictionaries(names, values, max_size=4)


def exact(value: Any) -> Any:
    """With the types beside the values: for Python, true is 1."""
    if isinstance(value, dict):
        return {name: exact(one) for name, one in value.items()}
    return [exact(one) for one in value] if isinstance(value, list) else (type(value), value)


def at(value: Any, pointer: str) -> list[Any]:
    """What a pointer leads to; nothing if it leads nowhere."""
    for part in parts(pointer):
        if not isinstance(value, dict) or part not in value:
            return []
        value = value[part]
    return [exact(value)]


@given(objects, objects)
def test_the_changes_make_one_of_the_other(before: dict[str, Any], after: dict[str, Any]) -> None:
    original = exact(before)
    assert exact(applied(before, changes(before, after))) == exact(after)
    assert exact(before) == original


@given(objects, objects)
def test_each_change_tells_what_is_on_both_sides(before: dict[str, Any], after: dict[str, Any]) -> None:
    found = changes(before, after)
    assert len({change.path for change in found}) == len(found)
    for change in found:
        assert at(before, change.path) == ([] if change.kind is Kind.ADDED else [exact(change.before)])
        assert at(after, change.path) == ([] if change.kind is Kind.DELETED else [exact(change.after)])
        assert exact(change.before) != exact(change.after) or change.kind is not Kind.CHANGED


@given(objects, objects)
def test_the_way_back_deletes_what_the_way_there_added(before: dict[str, Any], after: dict[str, Any]) -> None:
    there, back = changes(before, after), changes(after, before)
    assert {one.path for one in there} == {one.path for one in back}
    assert set(deletions(back)) == {one.path for one in there if one.kind is Kind.ADDED}


@given(objects)
def test_nothing_leads_to_the_same(value: dict[str, Any]) -> None:
    assert changes(value, value) == []
