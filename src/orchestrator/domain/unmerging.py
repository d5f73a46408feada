"""Taking merged profiles apart: any merge can be undone, whatever came after it, and in whatever order.

Undoing a merge replays the history without it. Every later merge that the profile went through is made again, from
what its sides would have been. What was changed since by hand stays as it was changed, and is told as a conflict where
the history without the merge would have been another. The rules are this project's own; Twilio has no such call.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from orchestrator.domain.identity import Identifier
from orchestrator.domain.merging import Fact, Item, Kind, Merge, State, alias, identifier


@dataclass(frozen=True, slots=True)
class Conflict:
    """Where the history without the merge is not what stands, because of what was changed since."""

    item: Item
    profile_id: str
    kept: Fact | None
    """What the profile has now."""
    otherwise: Fact | None
    """What it would have, had there been no merge."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Something that was changed by hand after a merge that also concerned it."""

    kept: Fact | None
    otherwise: Fact | None


@dataclass(slots=True)
class Replay:
    """The history from a merge on, without it."""

    undone: Merge
    """As it is to be remembered."""
    restored: State
    """What the merged profile is to have again."""
    sides: dict[str, tuple[State, State]]
    """By profile: what history makes of it with the merge, and what without."""
    rebased: list[Merge] = field(default_factory=list)
    """Later merges, as they would have been."""
    edits: dict[Item, Edit] = field(default_factory=dict)
    removed: dict[Item, Fact] = field(default_factory=dict)
    """What was taken away by hand, as it was."""

    def step(self, later: Merge) -> None:
        """Go through the next merge that involves one of `sides`."""
        ours = self.without(later.survivor_id, later.survivor)
        both = {**later.merged, **(later.split_off or {})}
        theirs = self.without(later.merged_id, both)
        split_off = None if later.split_off is None else _part(theirs, later.split_off)
        rest = {item: fact for item, fact in theirs.items() if item not in (split_off or {})}
        rebased = replace(later, survivor=ours, merged=rest, split_off=split_off)
        was_its = self.sides.pop(later.merged_id, None) is not None
        self.sides[later.survivor_id] = (later.result(), rebased.result())
        if was_its and later.split_off is not None and split_off is not None:
            self.sides[later.merged_id] = (later.split_off, split_off)
        self.rebased.append(rebased)

    def without(self, profile_id: str, state: State) -> State:
        """A state of a profile as it would have been."""
        if profile_id not in self.sides:
            return state
        base, target = self.sides[profile_id]
        found: dict[Item, Fact] = {}
        for item in dict.fromkeys([*base, *state, *target]):
            if (fact := self._now(item, base.get(item), state.get(item), target.get(item))) is not None:
                found[item] = fact
        return found

    def _now(self, item: Item, base: Fact | None, current: Fact | None, target: Fact | None) -> Fact | None:
        """What is untouched since follows the history without the merge; what was touched stays."""
        if current == base:
            return target
        if base is not None and current is None:
            self.removed[item] = base
        if target not in (base, current):
            self.edits[item] = Edit(current, target)
        return current

    def identifiers(self) -> set[Identifier]:
        """Those that may come back."""
        states = [self.restored, *(target for _, target in self.sides.values())]
        items = {item for state in states for item in state if item.kind is Kind.IDENTIFIER}
        return {Identifier(item.name, item.detail) for item in items}

    def finish(self, current: Mapping[str, State], taken: Iterable[Identifier]) -> "Undone":
        """What everybody has once the merge is undone.

        `current` is what each of `sides` has now, `taken` are the identifiers that others have.
        """
        return _Finish(self, current, frozenset(map(identifier, taken))).undone()


@dataclass(frozen=True, slots=True)
class Undone:
    """What everybody has then."""

    states: Mapping[str, State]
    """Of those who had a share in it."""
    restored: State
    conflicts: list[Conflict]


def replay(undone: Merge, part: State | None = None) -> Replay:
    """Begin to undo a merge, or to take a part of what the merged profile brought out of it."""
    if part is None:
        return Replay(undone, undone.merged, {undone.survivor_id: (undone.result(), undone.survivor)})
    rest = {item: fact for item, fact in undone.merged.items() if item not in part}
    lessened = replace(undone, merged=rest, split_off=part)
    return Replay(lessened, part, {undone.survivor_id: (undone.result(), lessened.result())})


def _part(state: State, names: Iterable[Item]) -> State:
    return {item: state[item] for item in names if item in state}


class _Finish:
    """The last step of a replay: nothing may be with two profiles, and nothing with none."""

    def __init__(self, done: Replay, current: Mapping[str, State], taken: frozenset[Item]) -> None:
        self._replay = done
        self._taken = taken
        self._before = {item: fact for state in current.values() for item, fact in state.items()}
        self._states = {profile_id: dict(done.without(profile_id, state)) for profile_id, state in current.items()}
        self._restored: dict[Item, Fact] = {}
        self._conflicts: dict[Item, Conflict] = {}
        self._current = current

    def undone(self) -> Undone:
        for profile_id in self._states:
            self._give_back(profile_id)
        self._tell_edits()
        for item, fact in self._replay.restored.items():
            self._restore(item, fact)
        for profile_id in self._states:
            self._keep(profile_id)
        return Undone(self._states, self._restored, sorted(self._conflicts.values(), key=lambda one: one.item))

    def _give_back(self, profile_id: str) -> None:
        """Identifiers that the limit dropped come back, unless somebody else has them by now."""
        state, current = self._states[profile_id], self._current[profile_id]
        for item in [item for item in state if item not in current and self._is_taken(item, state[item])]:
            self._conflicts[item] = Conflict(item, profile_id, None, state.pop(item))

    def _is_taken(self, item: Item, fact: Fact) -> bool:
        return fact.is_unique and (item in self._taken or item in self._before)

    def _tell_edits(self) -> None:
        for item, edit in self._replay.edits.items():
            holder = next((one for one in self._states if item in self._states[one]), min(self._states))
            # What a later change has covered is no conflict any more.
            if self._states[holder].get(item) == edit.kept and item.kind is not Kind.ALIAS:
                self._conflicts.setdefault(item, Conflict(item, holder, edit.kept, edit.otherwise))

    def _restore(self, item: Item, fact: Fact) -> None:
        removed = self._replay.removed.get(item)
        if item.kind is Kind.TRAIT:
            self._restored[item] = fact
            if removed == fact:
                self._conflict(item, fact, None)
        elif not self._may_return(item, fact, removed):
            self._conflict(item, None, fact)
        else:
            self._restored[item] = fact

    def _may_return(self, item: Item, fact: Fact, removed: Fact | None) -> bool:
        for state in self._states.values():
            if item in state and (item.kind is not Kind.IDENTIFIER or (state[item].is_unique and fact.is_unique)):
                return False
        if item in self._before and removed is None:
            return True
        return removed is None and item.kind is Kind.IDENTIFIER and not self._is_taken(item, fact)

    def _conflict(self, item: Item, kept: Fact | None, otherwise: Fact | None) -> None:
        if item.kind is not Kind.ALIAS:
            restored_id = self._replay.undone.merged_id
            self._conflicts.setdefault(item, Conflict(item, restored_id, kept, otherwise))

    def _keep(self, profile_id: str) -> None:
        """What went nowhere stays where it is."""
        gone = alias(self._replay.undone.merged_id)
        elsewhere = [self._restored, *self._states.values()]
        for item, fact in self._current[profile_id].items():
            if item != gone and item.kind is not Kind.TRAIT and not any(item in state for state in elsewhere):
                self._states[profile_id][item] = fact
