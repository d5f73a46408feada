"""Merging two states, and taking them apart again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.domain.identifiers import IdentifierType, LimitPolicy
from orchestrator.domain.identity import Identifier
from orchestrator.domain.merging import Fact, Item, Kind, Merge, State, alias, identifier, merge, trait
from orchestrator.domain.unmerging import Undone, replay

BEGIN = datetime(2026, 2, 3, tzinfo=UTC)
PHONE = IdentifierType("phone")
CITY, NAME = trait("Contact", "city"), trait("Contact", "name")


def at(minutes: int) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


def phone(number: int) -> Item:
    return identifier(Identifier("phone", f"+1555{number:07d}"))


def observation(number: int) -> Item:
    return Item(Kind.OBSERVATION, f"o{number}")


def held(minutes: int) -> Fact:
    return Fact(at(minutes), is_unique=True)


def told(minutes: int, value: Any) -> Fact:
    return Fact(at(minutes), value)


def both(survivor: State, merged: State, types: dict[str, IdentifierType] | None = None) -> Merge:
    return Merge("m1", "a", "b", survivor, merged, types or {"phone": PHONE})


def undo(done: Merge, current: State, part: State | None = None, taken: tuple[Identifier, ...] = ()) -> Undone:
    return replay(done, part).finish({"a": current}, taken)


def test_the_trait_that_was_changed_last_counts_and_ties_go_to_the_survivor() -> None:
    ours = {CITY: told(1, "Springfield"), NAME: told(5, "Kiran")}
    assert merge(ours, {CITY: told(2, "Chicago"), NAME: told(5, "K.")}, {}) == {
        CITY: told(2, "Chicago"),
        NAME: told(5, "Kiran"),
    }


def test_a_value_that_both_have_is_as_old_as_the_older() -> None:
    seat = identifier(Identifier("seat", "1"))
    united = merge({seat: Fact(at(2))}, {seat: Fact(at(1), is_unique=True)}, {"seat": IdentifierType("seat")})
    assert united == {seat: Fact(at(1), is_unique=True)}


def test_no_more_of_a_type_are_kept_than_its_limit() -> None:
    ours, theirs = {phone(1): held(1), phone(3): held(3)}, {phone(2): held(2), phone(4): held(4)}
    for policy, kept in ((LimitPolicy.FIFO, {3, 4}), (LimitPolicy.LIFO, {1, 2})):
        types = {"phone": IdentifierType("phone", limit=2, limit_policy=policy)}
        assert set(merge(ours, theirs, types)) == {phone(number) for number in kept}
    # Nothing of the type is brought, so a limit that was lowered since drops nothing.
    assert merge(ours, {CITY: told(1, "x")}, {"phone": IdentifierType("phone", limit=1)}).keys() >= ours.keys()


def test_dropped_identifiers_come_back_unless_others_have_them() -> None:
    ours, theirs = {phone(1): held(1)}, {phone(2): held(2), phone(3): held(3)}
    done = both(ours, theirs, {"phone": IdentifierType("phone", limit=1)})
    assert set(done.result()) == {phone(3), alias("b")}
    undone = undo(done, done.result())
    assert (undone.states, undone.restored, undone.conflicts) == ({"a": ours}, theirs, [])
    undone = undo(
        done, done.result(), taken=(Identifier("phone", phone(1).detail), Identifier("phone", phone(2).detail))
    )
    assert (undone.states, undone.restored) == ({"a": {}}, {phone(3): held(3)})
    assert [(one.item, one.profile_id, one.kept) for one in undone.conflicts] == [
        (phone(1), "a", None),
        (phone(2), "b", None),
    ]


def test_what_was_changed_since_stays_and_is_told() -> None:
    done = both(
        {CITY: told(1, "Springfield")},
        {CITY: told(2, "Chicago"), NAME: told(2, "Kiran"), phone(1): held(1), observation(1): Fact()},
    )
    now = {CITY: told(9, "Boston"), phone(2): held(9), observation(2): Fact(), alias("b"): Fact()}
    undone = undo(done, now)
    assert undone.states == {"a": {CITY: told(9, "Boston"), phone(2): held(9), observation(2): Fact()}}
    assert undone.restored == {CITY: told(2, "Chicago"), NAME: told(2, "Kiran")}
    assert {(one.item, one.profile_id, one.kept, one.otherwise) for one in undone.conflicts} == {
        (CITY, "a", told(9, "Boston"), told(1, "Springfield")),
        (NAME, "b", told(2, "Kiran"), None),  # taken away since, and nobody knows from whom
        (phone(1), "b", None, held(1)),
        (observation(1), "b", None, Fact()),
    }


def test_a_part_is_taken_out_and_the_rest_stays() -> None:
    ours = {CITY: told(1, "Springfield")}
    theirs = {CITY: told(2, "Chicago"), NAME: told(2, "K"), phone(1): held(1), phone(2): held(2), alias("c"): Fact()}
    done = both(ours, theirs)
    part = {phone(1): held(1), CITY: told(2, "Chicago")}
    undone = undo(done, done.result(), part)
    assert undone.restored == part
    assert undone.states == {"a": {**ours, NAME: told(2, "K"), phone(2): held(2), alias("c"): Fact()}}
    assert undone.conflicts == []


def test_a_split_profile_takes_part_in_later_undos() -> None:
    """c was part of b, and b of a; b got one phone back, and then c gets all of its own, from both."""
    states = {name: {phone(number): held(number), observation(number): Fact()} for number, name in enumerate("abc")}
    states["c"][phone(7)] = held(7)
    first = Merge("m1", "b", "c", states["b"], states["c"], {"phone": PHONE})
    second = Merge("m2", "a", "b", states["a"], first.result(), {"phone": PHONE})
    part = {phone(7): held(7)}
    split = replay(second, part)
    after = split.finish({"a": second.result()}, ())
    assert after.restored == part
    assert split.undone == replace(split.undone, split_off=part)
    history = replay(first)
    history.step(split.undone)
    assert set(history.sides) == {"a", "b"}
    undone = history.finish({"a": after.states["a"], "b": after.restored}, ())
    assert undone.restored == states["c"]
    assert undone.states == {"a": {**states["a"], **states["b"]}, "b": {}}
    assert undone.conflicts == []


def test_a_trait_that_was_the_survivors_is_the_survivors_to_lose() -> None:
    done = both({CITY: told(5, "Springfield")}, {CITY: told(2, "Chicago")})
    undone = undo(done, {alias("b"): Fact()})
    assert (undone.states, undone.restored, undone.conflicts) == ({"a": {}}, {CITY: told(2, "Chicago")}, [])


def test_no_identifier_is_dropped_by_an_undo() -> None:
    """The limit kept another value each time, because its policy was changed between the merges."""
    fifo, lifo = (
        {"phone": IdentifierType("phone", limit=1, limit_policy=policy)}
        for policy in (LimitPolicy.FIFO, LimitPolicy.LIFO)
    )
    first = Merge("m1", "a", "b", {phone(1): held(1)}, {phone(9): held(9)}, fifo)
    second = Merge("m2", "a", "c", first.result(), {phone(5): held(5)}, lifo)
    assert phone(5) in second.result()
    history = replay(first)
    history.step(second)
    undone = history.finish({"a": second.result()}, ())
    assert undone.states == {"a": {phone(1): held(1), phone(5): held(5), alias("c"): Fact()}}
    assert undone.restored == {phone(9): held(9)}


def test_a_profile_that_was_split_off_has_no_share_in_what_it_never_had() -> None:
    first = Merge("m1", "a", "c", {}, {observation(1): Fact()}, {})
    second = Merge("m2", "a", "b", first.result(), {observation(2): Fact()}, {}, split_off={phone(1): held(1)})
    history = replay(first)
    history.step(second)
    assert set(history.sides) == second.passed_on({"a"}) == {"a"}
    assert history.finish({"a": second.result()}, ()).states == {"a": {observation(2): Fact()}}
