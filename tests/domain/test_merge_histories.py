"""Histories of merges, edits and undos: any merge can be taken out of any of them."""

import copy
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.domain.identifiers import IdentifierType, LimitPolicy
from orchestrator.domain.identity import Identifier
from orchestrator.domain.merging import Fact, Item, Kind, Merge
from orchestrator.domain.unmerging import Undone, replay
from tests.domain.test_merging import CITY, NAME, PHONE, held, observation, phone, told


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
