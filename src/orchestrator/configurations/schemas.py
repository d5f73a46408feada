"""Configurations on the wire: what requests may say, and the resource (contract: conversations.md sections 2.5, 14)."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from orchestrator.configurations.channels import ChannelSettings
from orchestrator.configurations.model import Configuration
from orchestrator.domain.configuration import GroupingType
from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.fields import Text
from orchestrator.kernel.ids import NAMED_STORE_PATTERN
from orchestrator.kernel.openapi import Meta, Wire

MOST_CALLBACKS = 2
"""In requests; a conversation's own list may hold more."""
_LONGEST_URL = 2_048

_EXAMPLE: JsonDict = {
    "displayName": "Support",
    "description": "Everything that customers send us",
    "conversationGroupingType": "GROUP_BY_PROFILE",
    "memoryStoreId": "mem_store_01kgh3k1w8fmkrxj2c5a9d7e6b",
    "channelSettings": {
        "SMS": {
            "statusTimeouts": {"inactive": 10, "closed": 60},
            "captureRules": [{"from": "*", "to": "+16505550199"}, {"from": "+16505550199", "to": "*"}],
        }
    },
    "statusCallbacks": [{"url": "https://hooks.example.com/conversations", "method": "POST"}],
}


def _indexable(url: str) -> str:
    # Callback URLs are part of an index, whose entries Postgres limits to about 2,700 bytes.
    if len(url.encode()) > _LONGEST_URL:
        raise ValueError(f"a callback URL has at most {_LONGEST_URL} bytes")
    return url


def _nullable(schema: JsonDict) -> None:
    """Publish a field as one that may be null."""
    given = {name: schema.pop(name) for name in ("type", "enum")}
    schema["anyOf"] = [given, {"type": "null"}]


class StatusCallback(Wire):
    """A URL that is told of every event."""

    url: Annotated[Text, AfterValidator(_indexable)] = Field(
        description=f"HTTPS on a public host (local development: http and any host), at most {_LONGEST_URL} bytes.",
        json_schema_extra={"format": "uri"},
    )
    method: Literal["POST", "GET"] = Field("POST", json_schema_extra=_nullable)

    @model_validator(mode="before")
    @classmethod
    def _without_null(cls, value: Any) -> Any:
        """Clients that cannot leave a field out send null, which is the default."""
        if isinstance(value, dict) and value.get("method", "") is None:
            return {name: given for name, given in value.items() if name != "method"}
        return value


class ConversationsV1Bridge(Wire):
    """A service of Conversations (classic) whose messages are taken over."""

    service_id: str = Field(pattern=r"^IS[0-9a-f]{32}$", description="One configuration per service.")


DisplayName = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[a-zA-Z0-9_ -]+$")]
Description = Annotated[Text, Field(max_length=512)]
MemoryStoreId = Annotated[
    str,
    Field(
        pattern=NAMED_STORE_PATTERN, description="The store that recognises customers; one that is not there is made."
    ),
]


class OptionalSettings(Wire):
    """What every request may leave out."""

    status_callbacks: Annotated[list[StatusCallback], Field(max_length=MOST_CALLBACKS)] | None = Field(
        None, description="Take effect at once, for open conversations too."
    )
    intelligence_configuration_ids: Annotated[list[Text], Field(max_length=5)] | None = None
    memory_extraction_enabled: Annotated[bool, Field(strict=True)] | None = None
    conversations_v1_bridge: ConversationsV1Bridge | None = None


class ConfigurationRequest(OptionalSettings):
    """What creating and replacing have in common. Null is as good as absent wherever a field is optional."""

    description: Description
    conversation_grouping_type: GroupingType = Field(description="Cannot be changed later.")
    memory_store_id: MemoryStoreId


class CreateConfigurationRequest(ConfigurationRequest):
    """A new configuration."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    display_name: DisplayName
    channel_settings: ChannelSettings | None = None


class UpdateConfigurationRequest(ConfigurationRequest):
    """The whole configuration: what is left out is deleted, except `displayName`, which then stays as it is."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    display_name: DisplayName | None = None
    channel_settings: ChannelSettings


def to_settings(
    request: CreateConfigurationRequest | UpdateConfigurationRequest, *, display_name: str
) -> dict[str, Any]:
    """The settings of a version, in the complete JSON form that is stored and answered."""
    bridge = request.conversations_v1_bridge
    return {
        "displayName": display_name,
        "description": request.description,
        "conversationGroupingType": request.conversation_grouping_type.value,
        "memoryStoreId": request.memory_store_id,
        "channelSettings": {
            channel.value: setting.as_json() for channel, setting in (request.channel_settings or {}).items()
        },
        "statusCallbacks": [callback.model_dump(by_alias=True) for callback in request.status_callbacks or ()],
        "intelligenceConfigurationIds": request.intelligence_configuration_ids or [],
        "memoryExtractionEnabled": bool(request.memory_extraction_enabled),
        "conversationsV1Bridge": bridge and bridge.model_dump(by_alias=True),
    }


class ConfigurationSettings(Wire):
    """What a version of a configuration says."""

    display_name: str
    description: str
    conversation_grouping_type: GroupingType
    memory_store_id: str
    channel_settings: ChannelSettings
    status_callbacks: list[StatusCallback]
    intelligence_configuration_ids: list[str]
    memory_extraction_enabled: bool
    conversations_v1_bridge: ConversationsV1Bridge | None


class ConfigurationResource(ConfigurationSettings):
    """The settings under which conversations are captured and kept."""

    id: str = Field(examples=["conv_configuration_01kgh3k1w8fmkrxj2c5a9d7e6b"])
    trait_extraction_strategy_ids: list[str] = Field(description="Always empty.")
    observation_extraction_strategy_ids: list[str] = Field(description="Always empty.")
    redaction_configuration_id: str | None = Field(description="Always null.")
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    updated_at: str = Field(json_schema_extra={"format": "date-time"})
    version: int = Field(description="Starts at 1, grows by one with every update.")


class ConfigurationPage(Wire):
    """One page of configurations, newest first."""

    configurations: list[ConfigurationResource]
    meta: Meta


def to_wire(configuration: Configuration) -> dict[str, Any]:
    """The resource."""
    return {
        "id": configuration.id,
        **configuration.body,
        "traitExtractionStrategyIds": [],
        "observationExtractionStrategyIds": [],
        "redactionConfigurationId": None,
        "createdAt": rest_time(configuration.created_at),
        "updatedAt": rest_time(configuration.updated_at),
        "version": configuration.version,
    }
