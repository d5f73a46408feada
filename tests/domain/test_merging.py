"""Merging two states, and taking any merge out of a history."""

import copy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

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


@dataclass
class History:
    """Profiles, their merges, and the edits between them. Undone as the store does it."""

    states: dict[str, dict[Item, Fact]]
    clock: int = 100
    merges: list[Merge] = field(default_factory=list)
    undone: set[str] = field(default_factory=set)
    log: list[tuple[Any, ...]] = field(default_factory=list)
    types: dict[str, IdentifierType] = field(default_factory=lambda: {"phone": PHONE})

    def merge(self, one: str, other: str, name: str | None = None) -> None:
        survivor, merged = sorted([one, other])
        name = name or f"m{len(self.merges)}"
        done = Merge(name, survivor, merged, self.states[survivor], self.states.pop(merged), self.types)
        self.states[survivor] = done.result()
        self.merges.append(done)
        self.log.append(("merge", survivor, merged, name))

    def edit(self, profile_id: str, item: Item, fact: Fact | None) -> None:
        self.states[profile_id] = {**self.states[profile_id]}
        self.states[profile_id].pop(item, None)
        if fact is not None:
            self.states[profile_id][item] = fact
        self.log.append(("edit", profile_id, item, fact))

    def undo(self, number: int) -> Undone:
        done = self.merges[number]
        history, whose, involved = replay(done), {done.survivor_id}, []
        for position, later in enumerate(self.merges[number + 1 :], number + 1):
            if later.id not in self.undone and later.involves(whose):
                history.step(later)
                involved.append(position)
                whose = later.passed_on(whose)
        assert whose == set(history.sides)
        for position, rebased in zip(involved, history.rebased, strict=True):
            self.merges[position] = rebased
        others = {item for one, state in self.states.items() if one not in whose for item in state}
        taken = {Identifier(item.name, item.detail) for item in others if item.kind is Kind.IDENTIFIER}
        undone = history.finish({one: self.states[one] for one in whose}, taken)
        self.states |= {one: dict(state) for one, state in undone.states.items()}
        self.states[done.merged_id] = dict(undone.restored)
        self.undone.add(done.id)
        self.log.append(("undo", done.merged_id))
        return undone

    def possible(self) -> list[int]:
        return [number for number, one in enumerate(self.merges) if one.id not in self.undone]


def beginning(draw: st.DrawFn) -> dict[str, dict[Item, Fact]]:
    """Profiles that each have something."""
    states: dict[str, dict[Item, Fact]] = {}
    for number, name in enumerate("abcdef"):
        states[name] = {phone(number): held(draw(st.integers(0, 20))), observation(number): Fact()}
        for item in (CITY, NAME):
            if draw(st.booleans()):
                states[name][item] = told(draw(st.integers(0, 20)), f"{name}{item.detail}")
    return states


@st.composite
def histories(draw: st.DrawFn, *, removing: bool, limit: int = 100) -> tuple[dict[str, dict[Item, Fact]], History]:
    """Merges, edits and undos in any order."""
    begin = beginning(draw)
    history = History(copy.deepcopy(begin), types={"phone": IdentifierType("phone", limit=limit)})
    for _ in range(draw(st.integers(3, 14))):
        history.clock += 1
        kind = draw(st.sampled_from(["merge", "merge", "edit", "undo"]))
        if kind == "merge" and len(history.states) > 1:
            one, other = draw(st.permutations(sorted(history.states)))[:2]
            history.merge(one, other)
        elif kind == "undo" and history.possible():
            history.undo(draw(st.sampled_from(history.possible())))
        elif kind == "edit":
            edit(draw, history, removing=removing)
    return begin, history


def edit(draw: st.DrawFn, history: History, *, removing: bool) -> None:
    profile_id = draw(st.sampled_from(sorted(history.states)))
    own = sorted(item for item in history.states[profile_id] if item.kind is not Kind.ALIAS)
    new: dict[Item, Fact] = {
        phone(history.clock): held(history.clock),
        observation(history.clock): Fact(),
        CITY: told(history.clock, f"city{history.clock}"),
        NAME: told(history.clock, f"name{history.clock}"),
    }
    if removing and own and draw(st.booleans()):
        history.edit(profile_id, draw(st.sampled_from(own)), None)
    else:
        item = draw(st.sampled_from(sorted(new)))
        history.edit(profile_id, item, new[item])


def without_undone(begin: dict[str, dict[Item, Fact]], real: History) -> History:
    """What there would be, had the merges that were undone never been made."""
    other = History(copy.deepcopy(begin), types=real.types)
    for kind, *rest in real.log:
        if kind == "merge" and rest[2] not in real.undone:
            other.merge(*rest)
        elif kind == "edit":
            other.edit(*rest)
    return other


@settings(max_examples=25, deadline=None)
@given(histories(removing=False))
def test_everybody_has_what_they_would_have_had_without_the_undone_merges(
    told_so: tuple[dict[str, dict[Item, Fact]], History],
) -> None:
    begin, real = told_so
    other = without_undone(begin, real)
    owned = {name: {i for i in state if i.kind is not Kind.TRAIT} for name, state in real.states.items()}
    assert owned == {name: {i for i in state if i.kind is not Kind.TRAIT} for name, state in other.states.items()}
    for name, state in real.states.items():
        for item in (CITY, NAME):
            assert state.get(item) == other.states[name].get(item), (name, item)
    # And the journal is that of the other history.
    kept = {one.id: one for one in real.merges if one.id not in real.undone}
    assert {name: (one.survivor, one.merged) for name, one in kept.items()} == {
        one.id: (one.survivor, one.merged) for one in other.merges
    }


@settings(max_examples=25, deadline=None)
@given(histories(removing=True, limit=2))
def test_nothing_is_with_two_profiles_and_nothing_is_lost(
    told_so: tuple[dict[str, dict[Item, Fact]], History],
) -> None:
    begin, real = told_so
    having: dict[Item, str] = {}
    for name, state in real.states.items():
        for item in state:
            if item.kind is not Kind.TRAIT:
                assert item not in having, (item, name, having[item])
                having[item] = name
    made = {item for state in begin.values() for item in state}
    removed: set[Item] = set()
    for kind, *rest in real.log:
        if kind == "edit":
            (removed if rest[2] is None else made).add(rest[1])
    memories = {item for item in made - removed if item.kind is Kind.OBSERVATION}
    assert memories == {item for item in having if item.kind is Kind.OBSERVATION}
    names = {f"{name}" for name in begin}
    assert {item.name for item in having if item.kind is Kind.ALIAS} == names - set(real.states)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_undoing_everything_in_any_order_is_the_beginning(data: st.DataObject) -> None:
    begin = data.draw(st.composite(beginning)())
    limit = data.draw(st.integers(1, 3))
    policy = data.draw(st.sampled_from(LimitPolicy))
    real = History(copy.deepcopy(begin), types={"phone": IdentifierType("phone", limit=limit, limit_policy=policy)})
    for _ in range(data.draw(st.integers(1, 5))):
        real.merge(*data.draw(st.permutations(sorted(real.states)))[:2])
    for number in data.draw(st.permutations(real.possible())):
        assert real.undo(number).conflicts == []
    assert real.states == begin


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
