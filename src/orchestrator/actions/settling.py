"""What became of an action is written down, each outcome in one transaction.

An action that was sent is captured and COMPLETED at once, so that a process that dies has done both or neither.
"""

from collections.abc import Mapping
from datetime import datetime

import structlog

from orchestrator.actions import store
from orchestrator.actions.capturing import capture
from orchestrator.actions.model import Action, ActionStatus
from orchestrator.actions.safety import lost_recipient
from orchestrator.actions.senders import Sent
from orchestrator.conversations import service as conversations
from orchestrator.domain import lifecycle
from orchestrator.domain.linking import Linking
from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.unit import Unit

log = structlog.get_logger(__name__)

LONGEST_REASON = 1_000
"""Characters of a `failureReason`; the words of others may be long."""


class AlreadySettled(Exception):
    """Another performer has completed the action, or its conversation is deleted: nothing of this unit shall stay."""


async def hand_over(unit: Unit, action: Action, until: datetime) -> Action | str | None:
    """Mark a claimed action as handed over, and hold the claim until then; the action to send.

    A conversation that is gone or closed gets no more messages, nor does an address that the recipient has lost since:
    then the action is FAILED, and the reason returned.
    None: the claim has lapsed, somebody else performs the action.
    """
    reason = await _obstacle(unit, action)
    if reason is None:
        return await store.hand_over(unit, action, until)
    return reason if await fail(unit, action, reason) else None


async def _obstacle(unit: Unit, action: Action) -> str | None:
    try:
        conversation = await conversations.find(unit, action.account_id, action.conversation_id)
    except NotFound:
        return "the conversation was deleted before the message was sent"
    if lifecycle.has_ended(conversation.life, unit.now):
        return "the conversation was closed before the message was sent"
    return lost_recipient(conversation, action.message)


async def fail(unit: Unit, action: Action, reason: str) -> bool:
    """FAILED, for a reason that can be stored. False when the action is another's now, or settled."""
    return await store.fail(unit, action, reason.replace("\x00", "\ufffd")[:LONGEST_REASON])


async def complete_captured(unit: Unit, action: Action, sent: Sent, *, by_participant: bool, linking: Linking) -> None:
    """Capture a message that was sent, and COMPLETE its action.

    Raises as `capture`, and AlreadySettled: then roll back.
    """
    communication_id = await capture(unit, action, sent, by_participant=by_participant, linking=linking)
    related = {"messageSid": sent.message_sid}
    if communication_id is not None:
        related["communicationId"] = communication_id
    await complete(unit, action, related)


async def complete(unit: Unit, action: Action, related: Mapping[str, str]) -> None:
    """COMPLETED. Raises AlreadySettled.

    An action that was given up meanwhile, as one whose outcome nobody knew, stays FAILED: callers have seen that. But
    the message was sent, so what was captured of it stays too.
    """
    if await store.complete(unit, action, related):
        return
    if await store.status(unit, action) is not ActionStatus.FAILED:
        raise AlreadySettled
    log.warning("a message was sent after its action had been given up", action=action.id, related=dict(related))
