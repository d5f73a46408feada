"""Conversations on the wire: what requests may say, and the resource (contract: conversations.md section 2.8)."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from orchestrator.configurations.schemas import ConfigurationSettings, StatusCallback
from orchestrator.conversations.model import MOST_METADATA, Conversation
from orchestrator.domain.lifecycle import Status
from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.fields import Text
from orchestrator.kernel.openapi import Meta, Wire
from orchestrator.participants import schemas as participants
from orchestrator.participants.schemas import ParticipantResource

MetadataName = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._-]+$")]
MetadataValue = Annotated[Text, Field(max_length=512)]
Metadata = Annotated[dict[MetadataName, MetadataValue], Field(max_length=MOST_METADATA)]


class UpdateConversationRequest(Wire):
    """The whole conversation: an omitted name or metadata is cleared."""

    model_config = ConfigDict(json_schema_extra={"example": {"status": "CLOSED"}})

    status: Status
    name: Text | None = None
    metadata: Metadata | None = None


class PatchConversationConfiguration(Wire):
    """The one part of the settings in force that a conversation may have of its own."""

    model_config = ConfigDict(extra="forbid")

    status_callbacks: Annotated[list[StatusCallback], Field(max_length=20)] | None = Field(
        None, description="Instead of the configuration's; `[]` silences the conversation, null ends it."
    )


class PatchConversationRequest(Wire):
    """What is to change."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "Parcel 4711"}})

    status: Status | None = None
    name: Text | None = None
    metadata: dict[MetadataName, MetadataValue | None] | None = Field(
        None, description="Entries to set; null removes one. The others stay."
    )
    configuration: PatchConversationConfiguration | None = None


class ConversationConfiguration(ConfigurationSettings):
    """The settings in force: those of the version that was current at creation; callbacks are live."""


class ConversationResource(Wire):
    """A record of the interactions between participants."""

    id: str = Field(examples=["conv_conversation_01kgh3m8qce0m9x2t6v4b7r5zn"])
    account_id: str
    configuration_id: str
    status: Status
    name: str | None
    metadata: dict[str, str]
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    updated_at: str = Field(json_schema_extra={"format": "date-time"})
    configuration: ConversationConfiguration
    participants: list[ParticipantResource]


class ConversationPage(Wire):
    """One page of conversations, newest first."""

    conversations: list[ConversationResource]
    meta: Meta


def to_event(conversation: Conversation) -> dict[str, Any]:
    """The resource as events carry it: without `configuration`, whose callback URLs may hold secrets."""
    return {
        "id": conversation.id,
        "accountId": conversation.account_id,
        "configurationId": conversation.configuration_id,
        "status": conversation.status,
        "name": conversation.name,
        "metadata": conversation.metadata,
        "createdAt": rest_time(conversation.created_at),
        "updatedAt": rest_time(conversation.updated_at),
        "participants": [participants.to_wire(participant) for participant in conversation.participants],
    }


def to_wire(conversation: Conversation, configuration: Mapping[str, Any]) -> dict[str, Any]:
    """The resource as REST answers carry it, with the configuration in force (callbacks are live)."""
    callbacks = [{"url": callback.url, "method": callback.method} for callback in conversation.callbacks]
    return {**to_event(conversation), "configuration": {**configuration, "statusCallbacks": callbacks}}
