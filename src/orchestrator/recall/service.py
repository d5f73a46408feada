"""Recall: what is remembered of somebody, and what was said last in a conversation, put together."""

from dataclasses import dataclass
from datetime import UTC, datetime

from orchestrator.communications import service as communications
from orchestrator.communications.model import Communication
from orchestrator.kernel.paging import PageRequest
from orchestrator.kernel.unit import Unit
from orchestrator.memory import recall as memory
from orchestrator.memory.embedding import Meaning
from orchestrator.memory.recall import Memories, Wish
from orchestrator.memory.stores import Store
from orchestrator.participants import service as participants
from orchestrator.participants.model import Participant

_COMMUNICATIONS_OF_A_QUERY = 10
_CHARACTERS_OF_A_QUERY = 1024
"""Of each of these communications; a query of its own has as many in all."""
_END_OF_TIME = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cue:
    """What is to bring something to mind."""

    query: str | None
    conversation_id: str | None
    """Its last communications are the query where there is none."""
    most_communications: int
    """Of the conversation, to be told as well."""


@dataclass(frozen=True, slots=True)
class Recollection:
    """What comes to mind."""

    memories: Memories
    communications: list[Communication]
    """Oldest first."""
    participants: dict[str, Participant]
    """Who takes part in the conversation, by id."""


async def recall(
    unit: Unit, store: Store, profile_id: str, wish: Wish, cue: Cue, meaning: Meaning | None
) -> Recollection:
    """The memories that a query is about, or that the conversation is about, or else the newest; and what was said.

    A conversation that the account does not have is one in which nothing was said. Raises NotFound for the profile.
    """
    query, conversation_id = cue.query, cue.conversation_id
    if not query and conversation_id:
        query = await _query_of(unit, store.account_id, conversation_id)
    memories = await memory.recall(unit, store, profile_id, query, wish, meaning)
    if conversation_id is None or not cue.most_communications:
        return Recollection(memories, [], {})
    said = await _said(unit, store.account_id, conversation_id, cue.most_communications, before=wish.end)
    if wish.begin is not None:
        said = [one for one in said if one.occurred_at >= wish.begin]
    members = await participants.of_conversation(unit, store.account_id, conversation_id) if said else []
    return Recollection(memories, said, {one.id: one for one in members})


async def _query_of(unit: Unit, account_id: str, conversation_id: str) -> str:
    """What a conversation is about: the words said last."""
    said = await _said(unit, account_id, conversation_id, _COMMUNICATIONS_OF_A_QUERY)
    return " ".join(one.content["text"][:_CHARACTERS_OF_A_QUERY] for one in said)


async def _said(
    unit: Unit, account_id: str, conversation_id: str, count: int, *, before: datetime | None = None
) -> list[Communication]:
    """The last communications of a conversation, oldest first."""
    last = PageRequest(size=count, before=(before or _END_OF_TIME, ""))
    return list((await communications.list_page(unit, account_id, conversation_id, last)).items)
