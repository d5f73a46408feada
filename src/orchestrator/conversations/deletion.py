"""Conversations that a caller deletes: they go with everything that belongs to them, in any state."""

from orchestrator.conversations import service
from orchestrator.kernel.unit import Unit
from orchestrator.operations import service as operations
from orchestrator.operations.service import Operation


async def delete(unit: Unit, account_id: str, conversation_id: str) -> Operation:
    """Delete a conversation: participants, communications, actions, events, and callbacks that are still to be made.

    Its grouping keys are free. No event tells of it: Twilio has none, and nothing of it shall remain. Raises NotFound.
    """
    await service.remove(unit, account_id, conversation_id)
    return await operations.complete(unit, account_id, related={"conversationId": conversation_id})
