"""Conversations on the wire: what requests may say, and the resource (contract: conversations.md section 2.8)."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.config import JsonDict

from orchestrator.configurations.channels import ChannelSettings
from orchestrator.configurations.schemas import ConversationsV1Bridge, StatusCallback
from orchestrator.conversations.model import MOST_METADATA, Conversation
from orchestrator.conversations.own_settings import (
    UNSET,
    ConversationWorkflow,
    CreateConversationWithConfigRequestConfiguration,
)
from orchestrator.domain.configuration import GroupingType
from orchestrator.domain.lifecycle import Status
from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.fields import Text
from orchestrator.kernel.openapi import Meta, Wire
from orchestrator.participants import schemas as participants
from orchestrator.participants.schemas import ConversationParticipantRequest, ParticipantResource

MetadataName = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9._-]+$")]
MetadataValue = Annotated[Text, Field(max_length=512)]
Metadata = Annotated[dict[MetadataName, MetadataValue], Field(max_length=MOST_METADATA)]


_NEW: JsonDict = {
    "configurationId": "conv_configuration_01kgh3k1w8fmkrxj2c5a9d7e6b",
    "name": "Parcel 4711",
    "participants": [
        {"type": "CUSTOMER", "addresses": [{"channel": "SMS", "address": "+15551234567"}]},
        {"type": "AI_AGENT", "addresses": [{"channel": "SMS", "address": "+16505550199"}]},
    ],
    "metadata": {"orderId": "4711"},
}


def _no_action(value: object) -> object:
    if value is not None:
        raise ValueError("create the conversation, then post to its Actions")
    return value


class CreateConversationWithConfigRequest(Wire):
    """A new conversation: under a configuration, under settings of its own, or both."""

    model_config = ConfigDict(json_schema_extra={"example": _NEW})

    configuration_id: Text | None = Field(None, description="The configuration it belongs to.")
    configuration: CreateConversationWithConfigRequestConfiguration | None = None
    name: Text | None = None
    participants: Annotated[list[ConversationParticipantRequest], Field(max_length=50)] | None = Field(
        None, description="Created with it, all or none. Their addresses are its grouping keys."
    )
    metadata: Metadata | None = None
    action: Annotated[None, BeforeValidator(_no_action)] = Field(None, description="Not supported here.")


class UpdateConversationByIdRequest(Wire):
    """The whole conversation: an omitted name or metadata is cleared."""

    model_config = ConfigDict(json_schema_extra={"example": {"status": "CLOSED"}})

    status: Status
    name: Text | None = None
    metadata: Metadata | None = None


class PatchConversationByIdRequestConfiguration(Wire):
    """The one part of the settings in force that a conversation may have of its own."""

    model_config = ConfigDict(extra="forbid")

    status_callbacks: Annotated[list[StatusCallback], Field(max_length=20)] | None = Field(
        None, description="Instead of the configuration's; `[]` silences the conversation, null ends it."
    )


class PatchConversationByIdRequest(Wire):
    """What is to change."""

    model_config = ConfigDict(json_schema_extra={"example": {"name": "Parcel 4711"}})

    status: Status | None = None
    name: Text | None = None
    metadata: dict[MetadataName, MetadataValue | None] | None = Field(
        None, description="Entries to set; null removes one. The others stay."
    )
    configuration: PatchConversationByIdRequestConfiguration | None = None


class ConversationConfiguration(Wire):
    """The settings in force: those of the version that was current at creation, or its own; callbacks are live."""

    display_name: str | None = Field(description="Null without a configuration.")
    description: str | None = Field(description="Null without a configuration.")
    conversation_grouping_type: GroupingType
    memory_store_id: str | None
    channel_settings: ChannelSettings
    status_callbacks: list[StatusCallback]
    intelligence_configuration_ids: list[str]
    memory_extraction_enabled: bool
    conversations_v1_bridge: ConversationsV1Bridge | None
    trait_extraction_strategy_ids: list[str]
    observation_extraction_strategy_ids: list[str]
    workflows: list[ConversationWorkflow]


class ConversationResource(Wire):
    """A record of the interactions between participants."""

    id: str = Field(examples=["conv_conversation_01kgh3m8qce0m9x2t6v4b7r5zn"])
    account_id: str
    configuration_id: str | None = Field(description="Null when its settings were given with it.")
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


def to_wire(conversation: Conversation, configured: Mapping[str, Any]) -> dict[str, Any]:
    """The resource as REST answers carry it, with the settings in force, `configured`, and the callbacks of now."""
    callbacks = [{"url": callback.url, "method": callback.method} for callback in conversation.callbacks]
    return {**to_event(conversation), "configuration": {**UNSET, **configured, "statusCallbacks": callbacks}}
