"""Recognising customers: addresses to profiles, for a whole batch, race-free.

Identifiers are found or won in one transaction with the traffic that needs them. The unique index on
(account, store, type, value) decides races: whoever inserts the anchor identifier makes the profile, everybody else
finds it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from orchestrator.domain.identity import Identifier, Recognition
from orchestrator.kernel.ids import PROFILE, new_id
from orchestrator.kernel.unit import Unit
from orchestrator.memory import store


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


Key = tuple[str, str, Identifier]
"""Account, store, identifier."""


async def recognise(unit: Unit, subjects: Collection[Subject]) -> dict[Subject, Resolution]:
    """Look subjects up; a profile found by one identifier gains the others. Nothing is created."""
    stores = await store.active_stores(unit, {(subject.account_id, subject.store_id) for subject in subjects})
    present = [subject for subject in subjects if (subject.account_id, subject.store_id) in stores]
    owners = await store.owners(unit, {key for subject in present for key in _keys(subject)})
    resolved = {subject: _look_up(subject, owners) for subject in present}
    await _link(unit, resolved, owners)
    missing = Resolution(None, "store-missing")
    return {subject: resolved.get(subject, missing) for subject in subjects}


async def recognise_or_create(unit: Unit, subjects: Collection[Subject]) -> dict[Subject, Resolution]:
    """Look subjects up and make a profile for everybody who has none."""
    resolved = await recognise(unit, subjects)
    strangers = [subject for subject, resolution in resolved.items() if resolution.outcome == "unknown"]
    while strangers:
        resolved |= await _create(unit, strangers)
        # Somebody else won the anchor of these a moment ago: their profile is there now.
        strangers = [subject for subject in strangers if resolved[subject].outcome == "unknown"]
        if strangers:
            resolved |= await recognise(unit, strangers)
            strangers = [subject for subject in strangers if resolved[subject].outcome == "unknown"]
    return resolved


async def _create(unit: Unit, strangers: Iterable[Subject]) -> dict[Subject, Resolution]:
    """Try to win the anchors; several subjects of one person share theirs."""
    wanted = {_anchor(subject): new_id(PROFILE) for subject in strangers}
    won = await store.take_identifiers(unit, [(*key, wanted[key]) for key in sorted(wanted)])
    await store.add_profiles(unit, [(*key, wanted[key]) for key in sorted(won)])
    resolved = {
        subject: Resolution(wanted[_anchor(subject)], "created", subject.recognition.anchor)
        if _anchor(subject) in won
        else Resolution(None, "unknown")
        for subject in strangers
    }
    await _link(unit, resolved, {})
    return resolved


async def _link(unit: Unit, resolved: Mapping[Subject, Resolution], owners: Mapping[Key, str]) -> None:
    """Give profiles the identifiers they lack. One that belongs to somebody else stays there."""
    lacking = {
        key: resolution.profile_id
        for subject, resolution in resolved.items()
        if resolution.profile_id is not None
        for key in _keys(subject)
        if key not in owners and not (resolution.outcome == "created" and key[2] == subject.recognition.anchor)
    }
    if lacking:
        await store.take_identifiers(unit, [(*key, lacking[key]) for key in sorted(lacking)])


def _look_up(subject: Subject, owners: Mapping[Key, str]) -> Resolution:
    for key in _keys(subject):
        if (profile_id := owners.get(key)) is not None:
            return Resolution(profile_id, "found", key[2])
    return Resolution(None, "unknown")


def _keys(subject: Subject) -> list[Key]:
    return [(subject.account_id, subject.store_id, identifier) for identifier in subject.recognition.lookup]


def _anchor(subject: Subject) -> Key:
    return (subject.account_id, subject.store_id, subject.recognition.anchor)
