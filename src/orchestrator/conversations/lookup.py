"""The conversation that a path names, as a dependency: an unknown id is told before a wrong body."""

from typing import Annotated

from fastapi import Depends, Path

from orchestrator.conversations import service
from orchestrator.conversations.model import Conversation
from orchestrator.kernel.http import AccountId, InUnit


async def conversation_of_path(
    conversation_id: Annotated[str, Path(alias="id")], account_id: AccountId, unit: InUnit
) -> Conversation:
    """The conversation as it is now, not locked. Raises NotFound."""
    return await service.find(unit, account_id, conversation_id)


async def parent_of_path(
    conversation_id: Annotated[str, Path(alias="ConversationId")], account_id: AccountId, unit: InUnit
) -> Conversation:
    """The conversation that the path's resource belongs to, not locked. Raises NotFound."""
    return await service.find(unit, account_id, conversation_id)


OfPath = Annotated[Conversation, Depends(conversation_of_path)]
ParentOfPath = Annotated[Conversation, Depends(parent_of_path)]
