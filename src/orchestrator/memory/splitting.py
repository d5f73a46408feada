"""Un-merging: a profile that was merged away is one of its own again, wholly or with some of its identifiers.

The rules are in `domain.unmerging`. Not part of Twilio's API, which has no such call (contract: memory.md 4.4, step 6).
"""

from collections.abc import Sequence
from typing import Any

import structlog

from orchestrator.domain.identifiers import IdentitySettings
from orchestrator.domain.identity import Identifier
from orchestrator.domain.merging import Kind, State, identifier
from orchestrator.domain.unmerging import Conflict as Difference
from orchestrator.domain.unmerging import Replay, Undone, replay
from orchestrator.kernel.errors import Conflict
from orchestrator.kernel.fields import refused
from orchestrator.kernel.unit import Unit
from orchestrator.memory import (
    claiming,
    identity_settings,
    merge_journal,
    merges,
    profile_states,
    trait_groups,
    traits,
    turns,
)
from orchestrator.memory.happenings import ProfileSplit
from orchestrator.memory.merges import Entry
from orchestrator.memory.stores import Store

log = structlog.get_logger(__name__)

Wanted = Sequence[tuple[str, str]]
"""Identifiers as a client writes them: types and values."""


async def undo(unit: Unit, store: Store, merge_id: str, wanted: Wanted | None, *, dry_run: bool) -> Entry:
    """Undo a merge, or take only some identifiers out of it, with the traits that stand for them.

    Returns the merge as it is then. Raises NotFound; Conflict when it is not in force any more; BadRequest when one of
    the identifiers was not brought by the merged profile. A dry run finds out what would happen, and changes nothing.
    """
    await turns.have_alone(unit, store)
    async with unit.trying(keep=not dry_run):
        entry = await _undo(unit, store, merge_id, wanted)
    if not dry_run:
        _log(store, entry)
    return entry


async def _undo(unit: Unit, store: Store, merge_id: str, wanted: Wanted | None) -> Entry:
    entry = await merges.find(unit, store, merge_id)
    if entry.status != merges.MERGED:
        raise Conflict(f"merge {merge_id} is {entry.status}: only one that is MERGED can be undone")
    part = None if wanted is None else await _part(unit, store, entry.merge().merged, wanted)
    later = await merges.after(unit, store, entry)
    history = replay(entry.merge(), part)
    for one in later:
        history.step(one.merge())
    undone = await _write(unit, store, history)
    for one, rebased in zip(later, history.rebased, strict=True):
        await merges.rebase(unit, store, one, rebased)
    if part is not None:
        await merges.rebase(unit, store, entry, history.undone)
    conflicts = [_to_json(one) for one in undone.conflicts]
    conflicts += await _tell(unit, store, entry, undone, whole=part is None)
    await merges.close(unit, store, merge_id, merges.UNDONE if part is None else merges.SPLIT, conflicts)
    return await merges.find(unit, store, merge_id)


def _log(store: Store, entry: Entry) -> None:
    log.info(
        "profiles split",
        store=store.id,
        survivor=entry.survivor_id,
        restored=entry.merged_id,
        merge=entry.id,
        status=entry.status,
        conflicts=len(entry.conflicts or []),
    )


async def _part(unit: Unit, store: Store, merged: State, wanted: Wanted) -> State:
    """What of the merged profile goes with some of its identifiers. Raises BadRequest."""
    settings = await identity_settings.of_store(unit, store)
    chosen = {_brought(settings, merged, number, *one) for number, one in enumerate(wanted)}
    definitions = await trait_groups.definitions(unit, store)
    part = {identifier(one): merged[identifier(one)] for one in chosen}
    for item, fact in merged.items():
        if item.kind is Kind.TRAIT and item.detail in definitions.get(item.name, {}):
            stands_for = traits.promoted(settings, definitions, {item.name: {item.detail: fact.value}})
            if stands_for & chosen:
                part[item] = fact
    return part


def _brought(settings: IdentitySettings, merged: State, number: int, id_type: str, value: str) -> Identifier:
    """An identifier of the merged profile, in any form; or as it is kept, where the store's settings have changed."""
    pointer = f"/identifiers/{number}"
    if identifier(kept := Identifier(id_type, value)) in merged:
        return kept
    try:
        meant = Identifier(id_type, settings.normalise(id_type, value))
    except ValueError as error:
        raise refused(pointer, str(error)) from error
    if identifier(meant) not in merged:
        raise refused(pointer, "the profile that was merged away did not bring this identifier", value)
    return meant


async def _write(unit: Unit, store: Store, history: Replay) -> Undone:
    """Give everybody what they have without the merge."""
    restored_id = history.undone.merged_id
    if not await claiming.hold(unit, store, list(history.sides)):
        raise Conflict("a profile that it went through was deleted: the merge cannot be undone any more")
    current = await profile_states.load(unit, store, list(history.sides))
    undone = history.finish(current, await _taken(unit, store, history))
    await profile_states.part(unit, store, restored_id)
    await profile_states.change(
        unit, store, {**current, restored_id: {}}, {**undone.states, restored_id: undone.restored}
    )
    return undone


async def _taken(unit: Unit, store: Store, history: Replay) -> set[Identifier]:
    """Identifiers that others have, of those that may come back."""
    holders = await claiming.holders(unit, store, history.identifiers())
    return {one for one, profile_ids in holders.items() if not set(profile_ids) <= set(history.sides)}


async def _tell(unit: Unit, store: Store, entry: Entry, undone: Undone, *, whole: bool) -> list[dict[str, Any]]:
    """Have participants follow; the conflicts are those who cannot be told apart."""
    having = {Identifier(item.name, item.detail) for item in undone.restored if item.kind is Kind.IDENTIFIER}
    named = merge_journal.participants(entry.before) if whole else frozenset()
    unclear: dict[tuple[str, str], dict[str, Any]] = {}
    for profile_id in undone.states:
        happening = ProfileSplit(store.account_id, store.id, profile_id, entry.merged_id, named, frozenset(having))
        for one in await unit.tell(happening):
            unclear[one["conversationId"], one["participantId"]] = {"kind": "participant", **one}
    return [unclear[key] for key in sorted(unclear)]


def _to_json(one: Difference) -> dict[str, Any]:
    names: dict[str, Any]
    kept = None if one.kept is None else one.kept.value
    otherwise = None if one.otherwise is None else one.otherwise.value
    match one.item.kind:
        case Kind.IDENTIFIER:
            names = {"idType": one.item.name, "value": one.item.detail}
            kept, otherwise = one.kept is not None, one.otherwise is not None
        case Kind.TRAIT:
            names = {"traitGroup": one.item.name, "name": one.item.detail}
        case kind:
            names = {f"{kind.value}Id": one.item.name}
            kept, otherwise = one.kept is not None, one.otherwise is not None
    return {"kind": one.item.kind.value, "profileId": one.profile_id, **names, "kept": kept, "otherwise": otherwise}
