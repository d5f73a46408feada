"""Capture rules: which provider traffic belongs to a configuration.

A rule is directional: `from` is the sender, `to` the recipient; each is one literal address or `*`. Rules of several
configurations are independent: each configuration that matches captures its own copy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.domain.addresses import Channel, canonical
from orchestrator.domain.messages import CallType, InboundMessage

ANY = "*"


@dataclass(frozen=True, slots=True)
class CaptureRule:
    """One rule; addresses in canonical form, or `*`."""

    sender: str
    recipient: str
    metadata: Mapping[str, str]

    @property
    def literals(self) -> tuple[str, ...]:
        """The canonical addresses this rule names."""
        return tuple(side for side in (self.sender, self.recipient) if side != ANY)


def rule_from_wire(channel: Channel, rule: Mapping[str, Any]) -> CaptureRule:
    """Read `{from, to, metadata}`; a WhatsApp number may be written with or without its prefix."""
    return CaptureRule(
        _side(channel, rule["from"]), _side(channel, rule["to"]), _with_defaults(channel, rule.get("metadata") or {})
    )


def matching_rule(message: InboundMessage, rules: Sequence[CaptureRule]) -> int | None:
    """The position of the first rule that captures the message, or None. One match is enough: captured once."""
    for position, rule in enumerate(rules):
        if matches(message, rule):
            return position
    return None


def matches(message: InboundMessage, rule: CaptureRule) -> bool:
    """Whether one rule of the message's channel captures it."""
    return (
        rule.sender in (ANY, message.author.canonical)
        and rule.recipient in (ANY, message.recipient.canonical)
        and all(message.attributes.get(name) == value for name, value in rule.metadata.items())
    )


def _side(channel: Channel, text: str) -> str:
    return ANY if text.strip() == ANY else canonical(channel, text)


def _with_defaults(channel: Channel, metadata: Mapping[str, str]) -> Mapping[str, str]:
    """Calls of SIP and client legs are captured only by rules that ask for them: `callType` defaults to PSTN."""
    if channel is Channel.VOICE and "callType" not in metadata:
        return {**metadata, "callType": CallType.PSTN.value}
    return dict(metadata)
