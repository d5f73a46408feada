"""Merging: several profiles that turn out to be one person become one profile (contract: memory.md 4.4).

Whoever merges has the store alone (`memory.turns`): nobody is recognised in it meanwhile.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import structlog

from orchestrator.domain.identifiers import IdentitySettings
from orchestrator.domain.identity import Identifier
from orchestrator.domain.matching import Holders
from orchestrator.domain.merging import Merge, State
from orchestrator.kernel.errors import Unavailable
from orchestrator.kernel.ids import MERGE, new_id
from orchestrator.kernel.unit import Unit
from orchestrator.memory import claiming, merge_journal, merges, profile_states
from orchestrator.memory.happenings import ProfilesMerged
from orchestrator.memory.stores import Store

log = structlog.get_logger(__name__)


class Trigger(StrEnum):
    """What a client did that made profiles one."""

    PROFILE = "profile"
    """Made a profile, or added to one."""
    BULK = "bulk"
    IMPORT = "import"
    IDENTIFIER = "identifier"
    """Added an identifier, or put it in place of another."""
    TRAITS = "traits"
    """Changed the traits of a profile."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why profiles are one."""

    trigger: Trigger
    identifiers: frozenset[Identifier]
    """The values that they were found to share."""

    def to_json(self) -> dict[str, Any]:
        """For the journal."""
        shared = [{"idType": one.id_type, "value": one.value} for one in sorted(self.identifiers)]
        return {"trigger": self.trigger.value, "identifiers": shared}


def shared(trigger: Trigger, wanted: Iterable[Identifier], holders: Holders, profile_ids: Collection[str]) -> Reason:
    """The reason of a merge of profiles that have identifiers which are wanted together."""
    of_them = {one for one in wanted if not set(profile_ids).isdisjoint(holders.get(one, ()))}
    return Reason(trigger, frozenset(of_them))


async def merge(
    unit: Unit, store: Store, settings: IdentitySettings, profile_ids: Collection[str], reason: Reason
) -> str:
    """Make one profile of several, which have to be canonical; the smallest id survives, and is returned.

    Raises Unavailable when one of them is not there any more.
    """
    survivor_id, *others = sorted(set(profile_ids))
    if not await claiming.hold(unit, store, [survivor_id, *others]):
        raise Unavailable("these profiles are being changed by others; send the request again")
    states = await profile_states.load(unit, store, [survivor_id, *others])
    created = await _created(unit, store, states)
    for merged_id in others:
        both = Merge(new_id(MERGE), survivor_id, merged_id, states[survivor_id], states[merged_id], settings.types)
        states[survivor_id] = await _unite(unit, store, both, created, reason)
    return survivor_id


async def _unite(unit: Unit, store: Store, both: Merge, created: Mapping[str, datetime], reason: Reason) -> State:
    before: dict[str, State] = {both.survivor_id: both.survivor, both.merged_id: both.merged}
    after: dict[str, State] = {both.survivor_id: both.result(), both.merged_id: {}}
    await profile_states.change(unit, store, before, after)
    told = ProfilesMerged(store.account_id, store.id, both.survivor_id, both.merged_id)
    moved = await unit.tell(told)
    await merges.record(unit, store, both, reason.to_json(), merge_journal.to_json(both, created, moved))
    log.info(
        "profiles merged",
        store=store.id,
        survivor=both.survivor_id,
        merged=both.merged_id,
        merge=both.id,
        trigger=reason.trigger.value,
        types=sorted({one.id_type for one in reason.identifiers}),  # without the values: somebody's addresses
    )
    return after[both.survivor_id]


async def _created(unit: Unit, store: Store, profile_ids: Iterable[str]) -> dict[str, datetime]:
    rows = await unit.driver.fetch(
        "select id, created_at from profiles where account_id = $1 and store_id = $2 and id = any ($3)",
        store.account_id,
        store.id,
        list(profile_ids),
    )
    return {row["id"]: row["created_at"] for row in rows}
