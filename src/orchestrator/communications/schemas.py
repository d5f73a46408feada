"""The communication resource (contract: conversations.md section 2.7), and the trace of its landing."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from orchestrator.communications.model import Communication
from orchestrator.domain.addresses import MAX_LENGTH, Channel
from orchestrator.domain.messages import DeliveryStatus
from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.fields import Moment, Text
from orchestrator.kernel.openapi import Meta, Wire
from orchestrator.participants.schemas import ChannelId

MOST_RECIPIENTS = 100
"""As many as the Memory API shows of a communication."""

ResourceId = Annotated[Text, Field(min_length=1, max_length=255)]

_MOST_TEXT = 8_388_608

_SAID: JsonDict = {
    "author": {"address": "+15551234567", "channel": "SMS"},
    "recipients": [{"address": "+16505550199", "channel": "SMS"}],
    "content": {"type": "TEXT", "text": "Is my parcel on its way?"},
    "resourceId": "SM00000000000000000000000000000001",
}


class ParticipantAddressRequest(Wire):
    """One end of a communication."""

    address: Text = Field(min_length=1, max_length=MAX_LENGTH)
    channel: Channel
    participant_id: Annotated[Text, Field(max_length=255)] | None = Field(
        None, description="Who owns the address. Without it, whoever does; somebody new joins as UNKNOWN."
    )


class RecipientRequest(ParticipantAddressRequest):
    """A recipient, in a PUT with what is known of the delivery."""

    delivery_status: DeliveryStatus | None = Field(None, description="Only ever moves forward.")


class WordRequest(Wire):
    """A word of a transcript."""

    text: Text
    start_time: Text | None = None
    end_time: Text | None = None


class TranscriptionRequest(Wire):
    """Where a transcript fragment comes from."""

    channel: Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)] | None = Field(
        None, description="0 = the inbound track, 1 = the outbound one."
    )
    confidence: Annotated[float, Field(strict=True, ge=0, le=1)] | None = None
    engine: Text | None = None
    words: list[WordRequest] | None = None


Said = Annotated[Text, Field(max_length=_MOST_TEXT)]


class ContentRequest(Wire):
    """A message, or a fragment of speech as text. One class, so that a wrong field is named by where it is."""

    type: Literal["TEXT", "TRANSCRIPTION"]
    text: Said
    transcription: TranscriptionRequest | None = Field(None, description="Of a TRANSCRIPTION only.")

    def as_json(self) -> dict[str, Any]:
        """As it is stored and answered."""
        of_other_types = {"transcription"} if self.type == "TEXT" else set()
        return self.model_dump(by_alias=True, exclude_none=True, exclude=of_other_types)


class CommunicationRequest(Wire):
    """What creating and replacing have in common. Null is as good as absent wherever a field is optional."""

    content: ContentRequest
    channel_id: ChannelId | None = Field(None, description="The call, chat or message it belongs to; CHAT needs it.")
    occurred_at: Moment | None = Field(None, description="Default: now. Timers count from now in any case.")


class CreateCommunicationInConversationRequest(CommunicationRequest):
    """Something that was said."""

    model_config = ConfigDict(json_schema_extra={"example": _SAID})

    author: ParticipantAddressRequest
    recipients: Annotated[list[ParticipantAddressRequest], Field(min_length=1, max_length=MOST_RECIPIENTS)]
    resource_id: ResourceId | None = Field(
        None, description="The provider's id of this very message; a repeat updates the communication that has it."
    )


class UpdateCommunicationInConversationRequest(CommunicationRequest):
    """The whole communication: what is left out is deleted, except author and `resourceId`, which never change."""

    model_config = ConfigDict(json_schema_extra={"example": _SAID})

    author: ParticipantAddressRequest | None = Field(None, description="If given, as it is.")
    recipients: Annotated[list[RecipientRequest], Field(min_length=1, max_length=MOST_RECIPIENTS)]
    resource_id: ResourceId | None = Field(None, description="If given, as it is.")


class Author(Wire):
    """Who said it."""

    address: str
    channel: Channel
    participant_id: str


class Recipient(Author):
    """Who was told, and how far it got."""

    delivery_status: DeliveryStatus | None = Field(None, description="Absent for voice.")


class TextContent(Wire):
    """A message."""

    type: Literal["TEXT"]
    text: str


class Transcription(Wire):
    """Where a transcript fragment comes from."""

    channel: int | None = Field(None, description="0 = the inbound track, 1 = the outbound one.")
    confidence: float | None = Field(None, ge=0, le=1)
    engine: str | None = None
    words: list[WordRequest] | None = None


class TranscriptionContent(Wire):
    """A fragment of speech as text."""

    type: Literal["TRANSCRIPTION"]
    text: str
    transcription: Transcription | None = None


class CommunicationResource(Wire):
    """One message or one transcript fragment."""

    id: str = Field(examples=["conv_communication_01kgh3m8r0f5d2c7b9n4m6k8jh"])
    conversation_id: str
    account_id: str
    author: Author
    content: Annotated[TextContent | TranscriptionContent, Field(discriminator="type")]
    channel_id: str | None = Field(description="The call, chat or message it belongs to.")
    resource_id: str | None = Field(description="The provider's id of this very message.")
    recipients: list[Recipient]
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    updated_at: str = Field(json_schema_extra={"format": "date-time"})
    occurred_at: str = Field(json_schema_extra={"format": "date-time"})


class CommunicationPage(Wire):
    """One page of communications, oldest first."""

    communications: list[CommunicationResource]
    meta: Meta


def to_wire(communication: Communication) -> dict[str, Any]:
    """The resource, as REST answers and events carry it."""
    return {
        "id": communication.id,
        "conversationId": communication.conversation_id,
        "accountId": communication.account_id,
        "author": communication.author,
        "content": communication.content,
        "channelId": communication.channel_id,
        "resourceId": communication.resource_id,
        "recipients": communication.recipients,
        "createdAt": rest_time(communication.created_at),
        "updatedAt": rest_time(communication.updated_at),
        "occurredAt": rest_time(communication.occurred_at),
    }
