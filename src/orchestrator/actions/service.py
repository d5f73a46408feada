"""Actions: accepted once they are resolved and durable; a worker performs them (`actions.performing`)."""

from collections.abc import Callable

from orchestrator.actions import store
from orchestrator.actions.model import Action
from orchestrator.actions.resolving import resolve
from orchestrator.actions.schemas import SendMessagePayload
from orchestrator.conversations import service as conversations
from orchestrator.conversations.model import Conversation
from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.ids import ACTION, is_id, new_id
from orchestrator.kernel.unit import Unit


async def create(
    unit: Unit, conversation: Conversation, payload: SendMessagePayload, *, sid: str | None, wake: Callable[[], None]
) -> Action:
    """Have a message sent. `sid` is chosen for it where the sender takes ours; `wake` tells this process's worker.

    Raises BadRequest when the conversation is closed, or it is not clear whom the message is from and to.
    """
    conversations.require_open(unit, conversation)
    message = await resolve(unit, conversation, payload, sid=sid)
    action = Action(
        account_id=conversation.account_id,
        conversation_id=conversation.id,
        id=new_id(ACTION),
        message=message,
        created_at=unit.now,
        updated_at=unit.now,
        related={} if sid is None else {"messageSid": sid},
    )
    await store.insert(unit, action)
    unit.after_commit.append(wake)
    return action


async def find(unit: Unit, account_id: str, conversation_id: str, action_id: str) -> Action:
    """One action of a conversation. Raises NotFound."""
    action = await store.find(unit, account_id, conversation_id, action_id) if is_id(action_id, ACTION) else None
    if action is None:
        raise NotFound(f"conversation {conversation_id} has no action {action_id}")
    return action
