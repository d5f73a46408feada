"""The journal of merges: one row for each profile that became part of another, with both states before it."""

from collections.abc import Collection

from sqlalchemy import delete, or_

from orchestrator.kernel.unit import Unit
from orchestrator.memory.stores import Store
from orchestrator.tables.memory import profile_merges

_TABLE = profile_merges.c


async def forget(unit: Unit, store: Store, profile_ids: Collection[str]) -> None:
    """Delete what is written down of merges of these profiles: it is all about them."""
    named = or_(_TABLE.survivor_id.in_(profile_ids), _TABLE.merged_id.in_(profile_ids))
    await unit.connection.execute(
        delete(profile_merges).where(_TABLE.account_id == store.account_id, _TABLE.store_id == store.id, named)
    )
