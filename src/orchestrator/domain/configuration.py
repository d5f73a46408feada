"""A configuration's settings as values: what one immutable version of a Configuration says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from orchestrator.domain.addresses import Channel
from orchestrator.domain.capture import CaptureRule, rule_from_wire


class GroupingType(StrEnum):
    """How traffic groups into conversations; immutable for the life of a configuration (seed document)."""

    PROFILE = "GROUP_BY_PROFILE"
    ADDRESSES = "GROUP_BY_PARTICIPANT_ADDRESSES"
    ADDRESSES_AND_CHANNEL = "GROUP_BY_PARTICIPANT_ADDRESSES_AND_CHANNEL_TYPE"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Inactivity timeouts of one channel, both counted from the last communication; None = no such timer."""

    inactive: timedelta | None = None
    closed: timedelta | None = None


@dataclass(frozen=True, slots=True)
class StatusCallback:
    """A URL that is told of every event of a conversation."""

    url: str
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Settings:
    """One version of a configuration."""

    grouping_type: GroupingType
    memory_store_id: str
    """Empty where none is named: nobody is recognised then."""
    rules: Mapping[Channel, tuple[CaptureRule, ...]]
    timeouts: Mapping[Channel, Timeouts]
    status_callbacks: tuple[StatusCallback, ...]
    literals: frozenset[str]
    """Every canonical address that a capture rule names: one of ours, as a rule."""
    extracts_memory: bool = False
    """Whether what was said is read for what is worth remembering, once a conversation has come to rest."""


def settings_from_wire(body: Mapping[str, Any]) -> Settings:
    """Read settings in the API's own JSON form, as versions are stored."""
    channels = {Channel(name): setting for name, setting in (body.get("channelSettings") or {}).items()}
    rules = {
        channel: tuple(rule_from_wire(channel, rule) for rule in setting.get("captureRules") or ())
        for channel, setting in channels.items()
    }
    return Settings(
        grouping_type=GroupingType(body["conversationGroupingType"]),
        memory_store_id=body["memoryStoreId"] or "",
        rules=rules,
        timeouts={channel: _timeouts(setting.get("statusTimeouts") or {}) for channel, setting in channels.items()},
        status_callbacks=callbacks_from_wire(body.get("statusCallbacks") or ()),
        literals=frozenset(
            literal for of_channel in rules.values() for rule in of_channel for literal in rule.literals
        ),
        extracts_memory=bool(body.get("memoryExtractionEnabled")),
    )


def callbacks_from_wire(callbacks: Any) -> tuple[StatusCallback, ...]:
    """Read `statusCallbacks`."""
    return tuple(StatusCallback(callback["url"], callback.get("method") or "POST") for callback in callbacks)


def _timeouts(body: Mapping[str, int | None]) -> Timeouts:
    return Timeouts(_minutes(body.get("inactive")), _minutes(body.get("closed")))


def _minutes(value: int | None) -> timedelta | None:
    return None if value is None else timedelta(minutes=value)
