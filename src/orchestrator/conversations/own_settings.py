"""Settings that come with a conversation: instead of a configuration's, or in place of some of them.

Source: contract, conversations.md section 2.8; the field texts of the official SDK.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic.json_schema import SkipJsonSchema

from orchestrator.configurations.channels import StatusTimeouts
from orchestrator.configurations.schemas import MOST_CALLBACKS, StatusCallback
from orchestrator.domain.addresses import Channel
from orchestrator.domain.configuration import GroupingType
from orchestrator.kernel.fields import Text, refused
from orchestrator.kernel.ids import NAMED_STORE_PATTERN
from orchestrator.kernel.openapi import Wire

UNSET: Mapping[str, Any] = {
    "traitExtractionStrategyIds": [],
    "observationExtractionStrategyIds": [],
    "workflows": [],
}
"""What only a conversation's settings can name."""

_POINTER = "/configuration"

Ids = Annotated[list[Text], Field(max_length=5)]


def _no_rules(value: object) -> None:
    if value:
        raise ValueError("only a Configuration has capture rules")


class ConversationChannelSetting(Wire):
    """Timers of one channel. Traffic is captured by configurations alone."""

    status_timeouts: StatusTimeouts | None = None
    capture_rules: SkipJsonSchema[Annotated[None, BeforeValidator(_no_rules)]] = None

    def as_json(self) -> dict[str, Any] | None:
        return None if self.status_timeouts is None else self.status_timeouts.as_json()


class ConversationWorkflow(Wire):
    """A Studio flow. It is kept and shown; nothing runs it."""

    flow_id: str = Field(pattern=r"^FW[0-9a-fA-F]{32}$")


class CreateConversationWithConfigRequestConfiguration(Wire):
    """Settings for one conversation. With `configurationId`, those given replace the configuration's."""

    conversation_grouping_type: GroupingType | None = Field(
        None,
        description=f"Not beside `configurationId`. Without either, {GroupingType.ADDRESSES_AND_CHANNEL}.",
    )
    memory_store_id: Annotated[str, Field(pattern=NAMED_STORE_PATTERN)] | None = Field(
        None, description="Not beside `configurationId`. Without a store, nobody is recognised."
    )
    channel_settings: dict[Channel, ConversationChannelSetting] | None = Field(
        None, description="Timers by channel; the configuration's other channels stay as they are."
    )
    memory_extraction_enabled: Annotated[bool, Field(strict=True)] | None = None
    intelligence_configuration_ids: Ids | None = None
    trait_extraction_strategy_ids: Ids | None = None
    observation_extraction_strategy_ids: Ids | None = None
    status_callbacks: Annotated[list[StatusCallback], Field(max_length=MOST_CALLBACKS)] | None = Field(
        None, description="Instead of the configuration's; `[]` silences the conversation."
    )
    workflows: Annotated[list[ConversationWorkflow], Field(max_length=20)] | None = None


def whole(request: CreateConversationWithConfigRequestConfiguration) -> dict[str, Any]:
    """The settings of a conversation without a configuration, in the complete JSON form that is stored and answered."""
    grouping_type = request.conversation_grouping_type or GroupingType.ADDRESSES_AND_CHANNEL
    base: dict[str, Any] = {
        "displayName": None,
        "description": None,
        "conversationGroupingType": grouping_type.value,
        "memoryStoreId": request.memory_store_id,
        "channelSettings": {},
        "statusCallbacks": [callback.model_dump(by_alias=True) for callback in request.status_callbacks or ()],
        "intelligenceConfigurationIds": [],
        "memoryExtractionEnabled": False,
        "conversationsV1Bridge": None,
    }
    return {**UNSET, **base, **_given(request, base)}


def instead(
    request: CreateConversationWithConfigRequestConfiguration, configured: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The configuration's settings with those of the request in their place; None when there are none.

    Status callbacks are not among them: a conversation's own are kept beside its settings. Raises BadRequest for what
    belongs to the configuration.
    """
    for name, value in (
        ("conversationGroupingType", request.conversation_grouping_type),
        ("memoryStoreId", request.memory_store_id),
    ):
        if value is not None:
            raise refused(
                f"{_POINTER}/{name}", "comes from the configuration; leave it out beside configurationId", value
            )
    given = _given(request, configured)
    return {**UNSET, **configured, **given} if given else None


def _given(request: CreateConversationWithConfigRequestConfiguration, base: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that the request names; timers go into the channels of `base`, whose capture rules stay."""
    fields = request.model_dump(
        by_alias=True,
        exclude_none=True,
        exclude={"conversation_grouping_type", "memory_store_id", "channel_settings", "status_callbacks"},
    )
    if request.channel_settings:
        channels: dict[str, Any] = dict(base["channelSettings"])
        for channel, setting in request.channel_settings.items():
            rules = channels.get(channel, {}).get("captureRules", [])
            channels[channel.value] = {"statusTimeouts": setting.as_json(), "captureRules": rules}
        fields["channelSettings"] = channels
    return fields
