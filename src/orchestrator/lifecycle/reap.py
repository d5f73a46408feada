"""Throws away what is past its keeping: receipts, uncaptured traffic, diagnostics, calls, keys, and of the outbox."""

from datetime import timedelta

from orchestrator.kernel.unit import Unit, Units
from orchestrator.operations.idempotency import KEPT as KEYS_KEPT
from orchestrator.outbox import retention
from orchestrator.outbox.retention import Kept

_AT_ONCE = 5_000
_CALLS_KEPT = timedelta(days=2)
"""Longer than a call can last."""
_OUTBOX = Kept()


async def reap(
    units: Units, *, receipts: timedelta, uncaptured: timedelta, diagnostics: timedelta, outbox: Kept = _OUTBOX
) -> int:
    """Delete what is older than its time, in small transactions; returns how many rows went."""
    return (
        await _delete_before(units, "receipts", "received_at", receipts)
        + await _delete_before(units, "uncaptured", "received_at", uncaptured)
        + await _delete_before(units, "diagnostics", "occurred_at", diagnostics)
        + await _delete_before(units, "calls", "updated_at", _CALLS_KEPT)
        + await _delete_before(units, "idempotency_keys", "created_at", KEYS_KEPT)
        + await retention.reap(units, outbox)
    )


async def _delete_before(units: Units, table: str, column: str, age: timedelta) -> int:
    total = 0
    while True:
        async with units.begin() as unit:
            gone = await _delete_some(unit, table, column, age)
        total += gone
        if gone < _AT_ONCE:
            return total


async def _delete_some(unit: Unit, table: str, column: str, age: timedelta) -> int:
    rows = await unit.driver.fetch(
        f"delete from {table} where ctid = any(array("  # noqa: S608 - names from this file
        f"  select ctid from {table} where {column} < $1 limit {_AT_ONCE} for update skip locked)) returning 1",
        unit.now - age,
    )
    return len(rows)
