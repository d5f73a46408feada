"""The communication resource (contract: conversations.md section 2.7), and the trace of its landing."""

from typing import Annotated, Any, Literal

from pydantic import Field

from orchestrator.communications.model import Communication
from orchestrator.domain.addresses import Channel
from orchestrator.domain.messages import DeliveryStatus
from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.openapi import Meta, Wire


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


class RuleTrace(Wire):
    """The capture rule that let the message in."""

    channel: Channel
    position: int = Field(description="Among the channel's rules, from 0.")
    from_: str = Field(alias="from")
    to: str


class SidesTrace(Wire):
    """Which side is ours, and what told."""

    author: str
    recipient: str
    told_by: Literal["number", "rule", "direction", "profile", "none"]


class IdentifierTrace(Wire):
    """An identifier of a memory store."""

    id_type: str
    value: str


class ProfileTrace(Wire):
    """The customer's profile, and by which identifier it was found or made."""

    profile_id: str
    outcome: Literal["found", "created"]
    identifier: IdentifierTrace | None


class LandingTrace(Wire):
    """Every decision on the way."""

    outcome: Literal["NEW", "JOINED", "REOPENED"]
    configuration_id: str
    configuration_version: int = Field(description="Whose rules captured it.")
    rule: RuleTrace
    grouping_type: str
    key: str = Field(description="The grouping key: the conversation is the open one that holds it.")
    sides: SidesTrace
    profile: ProfileTrace | None
    diagnostics: list[int] = Field(default=[], description="Twilio's codes for what went wrong without stopping it.")


class TraceResource(Wire):
    """Why a communication landed where it did."""

    communication_id: str
    conversation_id: str
    trace: LandingTrace | None = Field(description="Null when it did not come from provider traffic.")


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
