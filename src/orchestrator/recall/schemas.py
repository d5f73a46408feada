"""What Recall takes and answers (contract: memory.md 5.3)."""

from typing import Annotated, Any

from pydantic import Field

from orchestrator.communications.model import Communication
from orchestrator.domain.addresses import Channel
from orchestrator.domain.identity import ParticipantType
from orchestrator.domain.messages import DeliveryStatus
from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.fields import Moment, Text
from orchestrator.kernel.openapi import Wire
from orchestrator.memory.memories import ConversationId
from orchestrator.memory.observation_schemas import ObservationResource, observation_to_wire
from orchestrator.memory.recall import Wish
from orchestrator.memory.summary_schemas import SummaryResource, summary_to_wire
from orchestrator.memory.wire import example
from orchestrator.participants.model import Participant
from orchestrator.recall.service import Recollection

MOST_NAME = 256
"""Clients drop a communication whose author has a longer name (TAC 2.5)."""
MOST_QUERY_TIME = 600_000

Limit = Annotated[int, Field(strict=True, ge=0, le=100)]
_Score = Annotated[float, Field(ge=0, le=1)]
_SCORE = "How much of the query it has; absent when the newest come first."


class RecallRequest(Wire):
    """What to bring to mind."""

    model_config = example(query="Where does the parcel go?", observationsLimit=5)

    conversation_id: ConversationId | None = Field(
        None, description="What is going on: its last ten communications are the query if there is none."
    )
    query: Text | None = Field(None, max_length=1024, description="Without one, and without `conversationId`: newest.")
    begin_date: Moment | None = Field(None, description="Only what occurred then or later.")
    end_date: Moment | None = Field(None, description="Only what occurred before.")
    communications_limit: Limit | None = Field(None, description="0 by default; more needs `conversationId`.")
    observations_limit: Limit | None = Field(None, description="20 by default.")
    summaries_limit: Limit | None = Field(None, description="5 by default.")
    relevance_threshold: Annotated[float, Field(strict=True, ge=0, le=1)] | None = Field(
        None, description="Least score of what is ranked; 0 by default."
    )

    def wish(self) -> Wish:
        """What may be recalled of the memories."""
        return Wish(
            most_observations=20 if self.observations_limit is None else self.observations_limit,
            most_summaries=5 if self.summaries_limit is None else self.summaries_limit,
            threshold=self.relevance_threshold or 0,
            begin=self.begin_date,
            end=self.end_date,
        )


class RecalledObservation(ObservationResource):
    """An observation, and how much it matters."""

    score: _Score | None = Field(None, description=_SCORE)


class RecalledSummary(SummaryResource):
    """A summary, and how much it matters."""

    score: _Score | None = Field(None, description=_SCORE)


class RecalledAuthor(Wire):
    """Who said it."""

    id: str = Field(description="Of the participant.")
    name: str = Field(max_length=MOST_NAME)
    address: str
    channel: Channel
    type: ParticipantType | None = None
    profile_id: str | None = Field(None, description="Absent when nobody is known.")


class RecalledRecipient(RecalledAuthor):
    """Who was told, and how far it got."""

    delivery_status: DeliveryStatus | None = Field(None, description="Absent for voice. READ is shown as DELIVERED.")


class RecalledContent(Wire):
    """What was said."""

    text: str


class RecalledCommunication(Wire):
    """One message or one transcript fragment."""

    id: str
    author: RecalledAuthor
    content: RecalledContent
    recipients: list[RecalledRecipient]
    channel_id: str | None = Field(None, description="Absent when there is none.")
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    updated_at: str = Field(json_schema_extra={"format": "date-time"})


class RecallMeta(Wire):
    """About the recall itself."""

    query_time: int = Field(ge=0, le=MOST_QUERY_TIME, description="How long it took, in milliseconds.")


class RecallResource(Wire):
    """What came to mind."""

    observations: list[RecalledObservation]
    summaries: list[RecalledSummary]
    communications: list[RecalledCommunication] = Field(description="The last ones, oldest first.")
    meta: RecallMeta


def to_wire(recollection: Recollection, *, milliseconds: int) -> dict[str, Any]:
    """The answer; it took so many milliseconds."""
    memories = recollection.memories
    return {
        "observations": [_scored(observation_to_wire(one), score) for one, score in memories.observations],
        "summaries": [_scored(summary_to_wire(one), score) for one, score in memories.summaries],
        "communications": [_communication(one, recollection.participants) for one in recollection.communications],
        "meta": {"queryTime": min(max(milliseconds, 0), MOST_QUERY_TIME)},
    }


def _scored(memory: dict[str, Any], score: float | None) -> dict[str, Any]:
    return memory if score is None else {**memory, "score": score}


def _communication(communication: Communication, participants: dict[str, Participant]) -> dict[str, Any]:
    shown = {
        "id": communication.id,
        "author": _party(communication.author, participants),
        "content": {"text": communication.content["text"]},
        "recipients": [_party(recipient, participants) for recipient in communication.recipients],
        "channelId": communication.channel_id,
        "createdAt": rest_time(communication.created_at),
        "updatedAt": rest_time(communication.updated_at),
    }
    return {name: value for name, value in shown.items() if value is not None}


def _party(party: Any, participants: dict[str, Participant]) -> dict[str, Any]:
    """An author or a recipient; the Memory API has no place for null, and no status READ."""
    participant = participants.get(party["participantId"])
    status = party.get("deliveryStatus")
    shown = {
        "id": party["participantId"],
        "name": (participant.name if participant else party["address"])[:MOST_NAME],
        "address": party["address"],
        "channel": party["channel"],
        "type": participant and participant.type,
        "profileId": participant and participant.profile_id,
        "deliveryStatus": DeliveryStatus.DELIVERED if status == DeliveryStatus.READ else status,
    }
    return {name: value for name, value in shown.items() if value is not None}
