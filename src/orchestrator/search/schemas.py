"""What a search has found."""

from typing import Any

from pydantic import Field

from orchestrator.communications.schemas import CommunicationResource
from orchestrator.conversations.schemas import ConversationResource
from orchestrator.kernel.openapi import Wire
from orchestrator.search.looking import MOST_LOOKED_AT


class FoundUncaptured(Wire):
    """Traffic from or to a number that landed nowhere."""

    id: str = Field(examples=["orch_uncaptured_01kgh3m8qce0m9x2t6v4b7r5zn"])
    resource_id: str | None = Field(description="The provider's id of the message, if it had one.")
    received_at: str = Field(json_schema_extra={"format": "date-time"})
    trace: dict[str, Any] = Field(description="As in the list of what was not captured.")
    sentences: list[str] = Field(description="The trace in words.")


class SearchResult(Wire):
    """What was found, of each kind the newest first."""

    query: str
    addresses: list[str] = Field(description="The forms in which it was compared with addresses.")
    conversations: list[ConversationResource] = Field(
        description="Those of an address or participant id, or with the text in their name or a participant's."
    )
    communications: list[CommunicationResource] = Field(description="Those whose text has it, in any case of letters.")
    uncaptured: list[FoundUncaptured] = Field(description="From or to such an address.")
    is_complete: bool = Field(
        description=f"False when it stopped after two seconds, or after the newest {MOST_LOOKED_AT:,} of a kind."
    )
