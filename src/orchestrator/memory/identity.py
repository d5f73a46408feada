"""Recognising customers: addresses to profiles, for a whole batch, race-free.

Identifiers are found or won in one transaction with the traffic that needs them. The unique index on
(account, store, type, value) decides races: whoever inserts the anchor identifier makes the profile, everybody else
finds it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.domain.identifiers import TYPES
from orchestrator.domain.identity import Identifier, Recognition
from orchestrator.kernel.ids import PROFILE, new_id
from orchestrator.kernel.unit import Unit
from orchestrator.memory import store, turns


@dataclass(frozen=True, slots=True)
class Subject:
    """Somebody to recognise in a store."""

    account_id: str
    store_id: str
    recognition: Recognition


@dataclass(frozen=True, slots=True)
class Resolution:
    """The profile of a subject, and how it was found."""

    profile_id: str | None
    outcome: str
    """`found`, `created`, `unknown` (nobody, and none was to be made) or `store-missing`."""
    identifier: Identifier | None = None
    """The one that found it, or that anchors the new profile."""
    variant_of: Identifier | None = None
    """What was used, where another form of it found the profile."""
    ambiguous: tuple[str, ...] = ()
    """Other profiles that the subject's identifiers lead to, sorted. They stay other profiles."""


Key = tuple[str, str, Identifier]
"""Account, store, identifier."""

Row = tuple[str, str, Identifier, str]
"""The same, and whose it is: the id of a profile."""


async def recognise(unit: Unit, subjects: Collection[Subject]) -> dict[Subject, Resolution]:
    """Look subjects up; a profile found by one identifier gains the others. Nothing is created.

    From here on nobody merges, splits or deletes profiles of these stores before the unit ends.
    """
    return await _recognise(unit, subjects, holds_numbers=False)


async def _recognise(unit: Unit, subjects: Collection[Subject], *, holds_numbers: bool) -> dict[Subject, Resolution]:
    places = {_home(subject) for subject in subjects}
    await turns.share(unit, places)
    if holds_numbers:
        await _hold_numbers(unit, subjects)
    stores = await store.active_stores(unit, places)
    present = [subject for subject in subjects if _home(subject) in stores]
    owners = await store.owners(unit, {key for subject in present for key in [*_keys(subject), *_variants(subject)]})
    resolved = {subject: _look_up(subject, owners, ()) for subject in present}
    if doubtful := [subject for subject, resolution in resolved.items() if resolution.ambiguous]:
        rules = await store.matching_rules(unit, {_home(subject) for subject in doubtful})
        resolved |= {subject: _look_up(subject, owners, rules.get(_home(subject), TYPES)) for subject in doubtful}
    await _link(unit, resolved, owners)
    missing = Resolution(None, "store-missing")
    return {subject: resolved.get(subject, missing) for subject in subjects}


async def _hold_numbers(unit: Unit, subjects: Collection[Subject]) -> None:
    """Wait until nobody else makes a profile for another form of these numbers; from then on nobody may."""
    numbers = {
        (*_home(subject), min(variant.identifier.value, variant.of.value).removeprefix("whatsapp:"))
        for subject in subjects
        for variant in subject.recognition.variants
    }
    if numbers:
        await store.hold_numbers(unit, numbers)


async def recognise_or_create(unit: Unit, subjects: Collection[Subject]) -> dict[Subject, Resolution]:
    """Look subjects up and make a profile for everybody who has none.

    A unique index cannot see that two forms of a number are one. So numbers that have two are held, until the unit
    ends, before anybody is looked up by them.
    """
    resolved = await _recognise(unit, subjects, holds_numbers=True)
    strangers = [subject for subject, resolution in resolved.items() if resolution.outcome == "unknown"]
    while strangers:
        resolved |= await _create(unit, strangers)
        # Somebody else won the anchor of these a moment ago, or one before them did: their profile is there now.
        strangers = [subject for subject in strangers if resolved[subject].outcome == "unknown"]
        if strangers:
            resolved |= await recognise(unit, strangers)
            strangers = [subject for subject in strangers if resolved[subject].outcome == "unknown"]
    return resolved


async def look_up(unit: Unit, subjects: Collection[Subject]) -> dict[Subject, str | None]:
    """The profile that subjects would be found as now. Nothing is linked; the turns are the caller's to take."""
    owners = await store.owners(unit, {key for subject in subjects for key in [*_keys(subject), *_variants(subject)]})
    rules = await store.matching_rules(unit, {_home(subject) for subject in subjects})
    return {subject: _look_up(subject, owners, rules.get(_home(subject), TYPES)).profile_id for subject in subjects}


async def canonical(unit: Unit, account_id: str, store_id: str, profile_ids: Collection[str]) -> dict[str, str]:
    """The profile that each of these is part of by now: itself, unless the store has it and it was merged away.

    From here on nobody merges, splits or deletes profiles of the store before the unit ends.
    """
    await turns.share(unit, [(account_id, store_id)])
    merged = await store.canonical_ids(unit, account_id, store_id, profile_ids)
    return {profile_id: merged.get(profile_id, profile_id) for profile_id in profile_ids}


async def _create(unit: Unit, strangers: Iterable[Subject]) -> dict[Subject, Resolution]:
    """Try to win the anchors. Several subjects of one person share theirs, or all but one are left for later."""
    resolved = {subject: Resolution(None, "unknown") for subject in strangers}
    first = _strangers_to_each_other(resolved)
    wanted = {_anchor(subject): new_id(PROFILE) for subject in first}
    won = await store.take_identifiers(unit, [(*key, wanted[key]) for key in sorted(wanted)])
    for subject in first:
        if (anchor := _anchor(subject)) in won:
            resolved[subject] = Resolution(wanted[anchor], "created", anchor[2])
    linked = await _link(unit, resolved, dict.fromkeys(won, ()))
    await store.add_profiles(unit, [(*key, wanted[key]) for key in sorted(won)] + linked)
    return resolved


def _strangers_to_each_other(strangers: Iterable[Subject]) -> list[Subject]:
    """Without those who share more than the anchor with one before them, or another form of a number."""
    kept: list[Subject] = []
    spoken_for: set[Key] = set()
    for subject in sorted(strangers, key=_anchor):
        if spoken_for.isdisjoint(_keys(subject)):
            kept.append(subject)
            spoken_for.update(key for key in [*_keys(subject), *_variants(subject)] if key != _anchor(subject))
    return kept


async def _link(unit: Unit, resolved: Mapping[Subject, Resolution], owners: Mapping[Key, Collection[str]]) -> list[Row]:
    """Give profiles the identifiers they lack, and return what was given. Somebody else's stay where they are."""
    lacking = {
        key: resolution.profile_id
        for subject, resolution in resolved.items()
        if resolution.profile_id is not None
        for key in _keys(subject)
        if key not in owners
    }
    if not lacking:
        return []
    given = await store.take_identifiers(unit, [(*key, lacking[key]) for key in sorted(lacking)])
    return [(*key, profile_id) for key, profile_id in lacking.items() if key in given]


def _look_up(subject: Subject, owners: Mapping[Key, Collection[str]], rules: Sequence[str]) -> Resolution:
    """By what was really used before another form of it; then by the type that the rules name first; the oldest.

    Without rules it is the first that is known; they are only needed where several profiles are.
    """
    by = subject.recognition
    forms: list[tuple[Identifier, Identifier | None]] = [(identifier, None) for identifier in by.lookup]
    forms += [(variant.identifier, variant.of) for variant in by.variants]
    known = [
        (used is not None, _place(rules, identifier), profile_id, position)
        for position, (identifier, used) in enumerate(forms)
        for profile_id in owners.get((*_home(subject), identifier), ())
    ]
    if not known:
        return Resolution(None, "unknown")
    *_, profile_id, position = min(known)
    others = {one for _, _, one, _ in known} - {profile_id}
    return Resolution(profile_id, "found", *forms[position], ambiguous=tuple(sorted(others)))


def _place(rules: Sequence[str], identifier: Identifier) -> int:
    return rules.index(identifier.id_type) if identifier.id_type in rules else len(rules)


def _home(subject: Subject) -> tuple[str, str]:
    return (subject.account_id, subject.store_id)


def _keys(subject: Subject) -> list[Key]:
    return [(*_home(subject), identifier) for identifier in subject.recognition.lookup]


def _variants(subject: Subject) -> list[Key]:
    return [(*_home(subject), variant.identifier) for variant in subject.recognition.variants]


def _anchor(subject: Subject) -> Key:
    return (*_home(subject), subject.recognition.anchor)
