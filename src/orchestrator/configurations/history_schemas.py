"""What versions of a configuration look like. A resource of our own, beyond Twilio's API."""

from typing import Any

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from orchestrator.configurations.dry_runs import CHANGE_EXAMPLE, FieldChange, change_to_wire
from orchestrator.configurations.history import PastVersion
from orchestrator.configurations.schemas import ConfigurationSettings
from orchestrator.domain.differences import Change
from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.openapi import Meta, Wire

_VERSION: JsonDict = {
    "version": 2,
    "createdAt": "2026-02-03T09:15:04Z",
    "settings": {
        "displayName": "Support",
        "description": "Everything that customers send us",
        "conversationGroupingType": "GROUP_BY_PROFILE",
        "memoryStoreId": "mem_store_01kgh3k1w8fmkrxj2c5a9d7e6b",
        "channelSettings": {"SMS": {"statusTimeouts": {"inactive": 10, "closed": 120}, "captureRules": []}},
        "statusCallbacks": [],
        "intelligenceConfigurationIds": [],
        "memoryExtractionEnabled": False,
        "conversationsV1Bridge": None,
    },
    "changes": [CHANGE_EXAMPLE],
    "openConversations": 3,
}


class ConfigurationVersion(Wire):
    """What a configuration said from one write to the next."""

    model_config = ConfigDict(json_schema_extra={"example": _VERSION})

    version: int
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    settings: ConfigurationSettings
    changes: list[FieldChange] = Field(description="Against the version before; none in the first.")
    open_conversations: int = Field(description="Conversations that are ACTIVE or INACTIVE and began under it.")


class ConfigurationVersionPage(Wire):
    """One page of versions, newest first."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"versions": [_VERSION], "meta": {"key": "versions", "pageSize": 1}}}
    )

    versions: list[ConfigurationVersion]
    meta: Meta


class ConfigurationDifference(Wire):
    """What leads from one version to another."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"version": 2, "against": 1, "changes": [CHANGE_EXAMPLE], "deleted": []}}
    )

    version: int = Field(description="The version of the path.")
    against: int = Field(description="The version that it is compared with.")
    changes: list[FieldChange] = Field(description="What makes `version` of `against`.")
    deleted: list[str] = Field(description="JSON pointers of what `against` has and `version` has not.")


def version_to_wire(version: PastVersion) -> dict[str, Any]:
    """The resource."""
    return {
        "version": version.number,
        "createdAt": rest_time(version.created_at),
        "settings": version.body,
        "changes": changes_to_wire(version.changes),
        "openConversations": version.open_conversations,
    }


def changes_to_wire(changes: list[Change]) -> list[dict[str, Any]]:
    """The JSON form of each."""
    return [change_to_wire(change) for change in changes]
