"""The sweep: conversations whose next look is due are locked, judged anew, and moved or looked at again later.

The column `next_transition_at` says when to look, `domain.lifecycle` what to do. Traffic since the look was planned
has moved the real deadline away: then only the next look is planned. So a conversation is never moved early.
"""

from orchestrator.conversations import service as conversations
from orchestrator.domain.lifecycle import next_transition
from orchestrator.kernel.telemetry import TRANSITIONS
from orchestrator.kernel.unit import Unit, Units
from orchestrator.outbox.record import Outbox


async def sweep(unit: Unit, *, limit: int = 500) -> tuple[int, int]:
    """Move conversations that are due; returns how many were looked at and how many moved.

    A conversation that is late for two steps takes one, and is due again at once.
    """
    outbox = Outbox(unit)
    moved = 0
    due = await conversations.lock_due(unit, limit=limit)
    for conversation in due:
        step = next_transition(conversation.life)
        if step is not None and step.at <= unit.now:
            conversations.change_status(unit, outbox, conversation, step.to)
            TRANSITIONS.labels(step.to).inc()
            moved += 1
        # Whatever was planned is over; saving plans the next look.
        conversation.next_transition_at = None
    await conversations.save(unit, due)
    await outbox.write()
    return len(due), moved


async def sweep_all(units: Units) -> int:
    """Sweep until nothing is due; returns how many conversations moved."""
    total = 0
    looked = 1
    while looked:
        async with units.begin() as unit:
            looked, moved = await sweep(unit)
        total += moved
    return total
