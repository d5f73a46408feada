"""What observations look like (contract: memory.md 5.1)."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.fields import Moment
from orchestrator.kernel.openapi import Meta, Wire
from orchestrator.memory.memories import CONVERSATION_PATTERN, MOST_AT_ONCE, Content, ConversationId, Source
from orchestrator.memory.observations import Observation
from orchestrator.memory.wire import example

_NOTED = {
    "content": "Wants parcels left with the neighbour at number 12.",
    "source": "conversation-intelligence",
    "occurredAt": "2026-02-03T09:15:04Z",
    "conversationIds": ["conv_conversation_01kgh3k9v2c8xq5r7t1w4y6z0a"],
}
_KEPT = {
    "id": "mem_observation_01kgh3m8qce0m9x2t6v4b7r5zn",
    **_NOTED,
    "createdAt": "2026-02-03T09:20:11Z",
    "updatedAt": "2026-02-03T09:20:11Z",
}
_CONVERSATIONS = "Where it comes from. Ids of any product are taken, and shown as `conv_conversation_…`."

ConversationIds = Annotated[list[ConversationId], Field(max_length=10)]


class ObservationRequest(Wire):
    """Something that was noticed."""

    content: Content
    source: Source = Field(description="Which system noticed it.")
    occurred_at: Moment = Field(description="With a time zone; kept in UTC.")
    conversation_ids: ConversationIds | None = Field(None, description=_CONVERSATIONS)

    def fields(self) -> dict[str, Any]:
        """As the observation is made of them."""
        return {**self.model_dump(), "conversation_ids": self.conversation_ids or []}


class CreateObservationsRequest(Wire):
    """Observations to create."""

    model_config = ConfigDict(**example(observations=[_NOTED]), extra="forbid")

    observations: Annotated[list[ObservationRequest], Field(min_length=1, max_length=MOST_AT_ONCE)]


class PatchObservationRequest(Wire):
    """What is different now. Null is as good as absent."""

    model_config = example(content="Wants parcels left with the neighbour at number 14.")

    content: Content | None = None
    source: Source | None = None
    occurred_at: Moment | None = None
    conversation_ids: ConversationIds | None = Field(None, description="All of them; an empty list removes them.")

    def fields(self) -> dict[str, Any]:
        """Those that were given."""
        return self.model_dump(exclude_none=True)


class ObservationResource(Wire):
    """An observation, or one of its revisions."""

    model_config = example(**_KEPT)

    id: str
    content: str
    source: str
    occurred_at: str = Field(json_schema_extra={"format": "date-time"})
    conversation_ids: list[Annotated[str, Field(pattern=CONVERSATION_PATTERN)]]
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    updated_at: str = Field(json_schema_extra={"format": "date-time"})


class ObservationPage(Wire):
    """One page of observations."""

    model_config = example(observations=[_KEPT], meta={"key": "observations", "pageSize": 1})

    observations: list[ObservationResource]
    meta: Meta


class RevisionPage(Wire):
    """One page of an observation's states."""

    model_config = example(revisions=[_KEPT], meta={"key": "revisions", "pageSize": 1})

    revisions: list[ObservationResource]
    meta: Meta


def observation_to_wire(observation: Observation) -> dict[str, Any]:
    """The resource, of the observation or of one of its states."""
    return {
        "id": observation.id,
        "content": observation.content,
        "source": observation.source,
        "occurredAt": rest_time(observation.occurred_at),
        "conversationIds": observation.conversation_ids,
        "createdAt": rest_time(observation.created_at),
        "updatedAt": rest_time(observation.updated_at),
    }
