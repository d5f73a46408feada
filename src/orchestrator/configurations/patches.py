"""What a PATCH of a configuration may say, and what comes of it (contract: conversations.md sections 2.5 and 15, Q14).

What is left out stays. A list is replaced whole, `channelSettings` channel by channel.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, Field, field_validator
from pydantic.config import JsonDict

from orchestrator.configurations.channels import ChannelSetting
from orchestrator.configurations.schemas import Description, DisplayName, MemoryStoreId, OptionalSettings
from orchestrator.domain.addresses import Channel
from orchestrator.domain.configuration import GroupingType

_CLEARED: dict[str, Any] = {
    "statusCallbacks": [],
    "intelligenceConfigurationIds": [],
    "memoryExtractionEnabled": False,
    "conversationsV1Bridge": None,
}
"""What null makes of a field. On the others it is as good as absent: they cannot be without a value."""


def _not_nullable(schema: JsonDict) -> None:
    """Publish a field that may be left out as one that cannot be null."""
    alternatives = schema.pop("anyOf")
    assert isinstance(alternatives, list)
    for one in alternatives:
        if isinstance(one, dict) and one != {"type": "null"}:
            schema.update(one)


class PatchConfigurationRequest(OptionalSettings):
    """What is to change. Null clears a field that is optional, and leaves one alone that is not."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "description": "Everything but voice",
                "channelSettings": {"VOICE": None, "SMS": {"statusTimeouts": {"inactive": 20, "closed": 60}}},
            }
        }
    )

    display_name: DisplayName | None = None
    description: Description | None = None
    memory_store_id: MemoryStoreId | None = None
    conversation_grouping_type: GroupingType | None = Field(
        None, description="Cannot be changed: only what it is is accepted.", json_schema_extra=_not_nullable
    )
    channel_settings: dict[Channel, ChannelSetting | None] | None = Field(
        None,
        description="Settings to put in place of a channel's own; null removes the channel. The others stay.",
        json_schema_extra=_not_nullable,
    )

    @field_validator("conversation_grouping_type", "channel_settings", mode="before")
    @classmethod
    def _not_null(cls, value: Any) -> Any:
        if value is None:
            raise ValueError("must not be null; leave it out")
        return value


def patched(before: Mapping[str, Any], request: PatchConfigurationRequest) -> dict[str, Any]:
    """The settings afterwards, in the complete JSON form that is stored and answered."""
    named = request.model_fields_set - {"channel_settings"}
    sent = request.model_dump(mode="json", by_alias=True, include=named)
    changes = {name: _CLEARED.get(name, before[name]) if value is None else value for name, value in sent.items()}
    channels = _channels(before["channelSettings"], request.channel_settings or {})
    return {**before, **changes, "channelSettings": channels}


def _channels(before: Mapping[str, Any], patches: Mapping[Channel, ChannelSetting | None]) -> dict[str, Any]:
    after = {**before, **{channel.value: setting and setting.as_json() for channel, setting in patches.items()}}
    return {channel: setting for channel, setting in after.items() if setting is not None}
