"""`channelSettings` on the wire: timers and capture rules (contract: conversations.md sections 2.5, 4, 14)."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

import structlog
from pydantic import ConfigDict, Field, model_validator

from orchestrator.domain.addresses import Channel, InvalidAddress, parse
from orchestrator.domain.capture import ANY
from orchestrator.domain.lifecycle import LIFETIME
from orchestrator.domain.messages import CallType
from orchestrator.kernel.fields import Text, refused
from orchestrator.kernel.openapi import Wire

log = structlog.get_logger(__name__)

LONGEST_TIMEOUT = LIFETIME // timedelta(minutes=1)
MOST_RULES = 100
"""Capture rules per channel of a configuration (seed document)."""

_MESSAGING_SERVICE = re.compile(r"MG[0-9a-fA-F]{32}")
_SENT_BY_SERVICES = {Channel.SMS, Channel.RCS, Channel.WHATSAPP}
_CALL_TYPES = [call_type.value for call_type in CallType]

Minutes = Annotated[int, Field(strict=True, ge=1, le=LONGEST_TIMEOUT)]


class StatusTimeouts(Wire):
    """Minutes without a communication after which a conversation becomes INACTIVE, and after which it is CLOSED."""

    model_config = ConfigDict(json_schema_extra={"example": {"inactive": 10, "closed": 60}})

    inactive: Minutes | None = Field(None, description="Minutes from the last communication; null = never INACTIVE.")
    closed: Minutes | None = Field(
        None,
        description=f"Minutes from the last communication, not less than `inactive`. Where only `inactive` is given, "
        f"{LONGEST_TIMEOUT}: the three years after which every conversation ends.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> "StatusTimeouts":
        if self.inactive is not None and self.closed is not None and self.closed < self.inactive:
            raise ValueError(
                f"closed ({self.closed}) must not be less than inactive ({self.inactive}): "
                "both count from the last communication"
            )
        return self

    def as_json(self) -> dict[str, Any] | None:
        """As sent, but never without `closed`, which official clients require; None when there is no timer at all.

        Three years after the last communication is no earlier than three years after creation, when every
        conversation ends anyway: the value that is filled in changes nothing.
        """
        if self.inactive is None and self.closed is None:
            return None
        return {**self.model_dump(exclude_unset=True), "closed": self.closed or LONGEST_TIMEOUT}


class CaptureRule(Wire):
    """Traffic from one address to another; `*` stands for every address."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"from": "*", "to": "+16505550199", "metadata": {"callType": "PSTN"}}}
    )

    sender: Text = Field(alias="from", description="The sender's address, or `*`.")
    recipient: Text = Field(alias="to", description="The recipient's address, or `*`.")
    metadata: dict[Text, Text] | None = Field(
        None, description="What else must be so: `callType` (PSTN, CLIENT, PUBLIC_SIP) on VOICE, `chatService` on CHAT."
    )


class ChannelSetting(Wire):
    """The settings of one channel."""

    status_timeouts: StatusTimeouts | None = Field(None, description="Null = no timers.")
    capture_rules: Annotated[list[CaptureRule], Field(max_length=MOST_RULES)] | None = Field(
        None, description="One match is enough. Both directions of a dialogue need a rule each."
    )

    def as_json(self) -> dict[str, Any]:
        rules = [rule.model_dump(by_alias=True, exclude_unset=True) for rule in self.capture_rules or ()]
        return {"statusTimeouts": self.status_timeouts and self.status_timeouts.as_json(), "captureRules": rules}


ChannelSettings = Annotated[
    dict[Channel, ChannelSetting], Field(description="Settings by channel: VOICE, SMS, RCS, WHATSAPP, CHAT, …")
]


def check_channel_settings(settings: Mapping[Channel, ChannelSetting]) -> None:
    """Raise BadRequest for a rule that makes no sense on its channel, naming it by JSON pointer.

    One with `*` on both sides is allowed, and logged.
    """
    for channel, setting in settings.items():
        for position, rule in enumerate(setting.capture_rules or ()):
            pointer = f"/channelSettings/{channel}/captureRules/{position}"
            _check_side(f"{pointer}/from", channel, rule.sender)
            _check_side(f"{pointer}/to", channel, rule.recipient)
            call_type = (rule.metadata or {}).get("callType", CallType.PSTN.value)
            if channel is Channel.VOICE and call_type not in _CALL_TYPES:
                raise refused(f"{pointer}/metadata/callType", f"must be one of {', '.join(_CALL_TYPES)}", call_type)
            if rule.sender.strip() == rule.recipient.strip() == ANY:
                log.warning("a capture rule takes everything that the account sends or receives", rule=pointer)


def _check_side(pointer: str, channel: Channel, text: str) -> None:
    if text.strip() == ANY:
        return
    try:
        canonical = parse(channel, text).canonical
    except InvalidAddress as error:
        raise refused(pointer, f"{error}; write * for every address", text) from error
    if channel in _SENT_BY_SERVICES and _MESSAGING_SERVICE.fullmatch(canonical):
        raise refused(pointer, "a Messaging Service is not an address; name its senders", text)
