"""The trace that remains of what became no communication: why, and what would have had to be otherwise."""

from collections.abc import Mapping, Sequence
from heapq import nsmallest
from types import MappingProxyType
from typing import Any

from orchestrator.configurations.model import Configuration
from orchestrator.domain.addresses import Channel
from orchestrator.domain.messages import InboundMessage, Origin
from orchestrator.domain.nearness import MOST, Difference, NearRule, near_rules
from orchestrator.ingest.belonging import Belonging
from orchestrator.ingest.fields import Fields
from orchestrator.kernel.errors import BadRequest

_LONGEST = 254
"""Characters that are kept of a field."""
_TOLD = (
    "MessageStatus",
    "CallSid",
    "Direction",
    "NumMedia",
    "TranscriptionEvent",
    "TranscriptionSid",
    "SequenceId",
    "Track",
)
"""Fields of webhooks that are kept, beside the two addresses: nothing of what was said."""
_WORDS = ("/Body", "/TranscriptionData")
"""Fields, as errors name them, that hold what was said: not kept either where they are what is wrong."""


def uncaptured(
    message: InboundMessage, belonging: Belonging | None, current: Sequence[Configuration]
) -> dict[str, Any]:
    """The trace of a message that no capture rule wanted, nor what its call said of where it belongs."""
    trace = {
        "outcome": "UNCAPTURED",
        "reason": _reason(message.channel, current),
        "channel": message.channel,
        "from": message.author.address,
        "to": message.recipient.address,
        "direction": message.direction,
        "channelId": message.channel_id,
        "attributes": dict(message.attributes),
        "considered": considered(message, current),
    }
    if message.origin is not Origin.PROVIDER:
        trace["origin"] = message.origin
    if belonging is not None:
        trace["reason"] = "where its call said that it belongs has ended, and no capture rule matches"
        trace["attribute"] = belonging.attribute.shown()
    return trace


def unusable(fields: Fields, reason: str) -> dict[str, Any]:
    """The trace of a webhook that cannot become a communication, although nothing is wrong with it."""
    return {"outcome": "UNCAPTURED", "reason": reason, **_told(fields)}


def refused(fields: Fields, error: BadRequest) -> dict[str, Any]:
    """The trace of a webhook with a field that makes no sense."""
    wrong = error.params or {}
    field = wrong.get("field")
    return {
        "outcome": "REFUSED",
        "reason": error.message,
        "errorCode": error.code,
        "field": field,
        "value": None if field in _WORDS else wrong.get("value"),
        **_told(fields),
    }


def considered(
    message: InboundMessage,
    current: Sequence[Configuration],
    captured: Mapping[str | None, Mapping[str, Any] | None] = MappingProxyType({}),
    *,
    most: int = MOST,
) -> list[dict[str, Any]]:
    """Each configuration: the rule that captured the message there, or which of the nearest rules of all are its own.

    `captured` holds the rules of those that captured it, as traces show them; None is what its call says.
    """
    near = [
        (one.id, rule)
        for one in current
        if one.id not in captured
        for rule in near_rules(message, one.settings.rules, most)
    ]
    nearest = nsmallest(most, near, key=lambda pair: pair[1].distance)
    return [
        {
            "configurationId": one.id,
            "configurationVersion": one.version,
            "displayName": one.body["displayName"],
            "captured": one.id in captured,
            "rule": captured.get(one.id),
            "rulesOfChannel": len(one.settings.rules.get(message.channel, ())),
            "nearest": [_near(rule) for configuration_id, rule in nearest if configuration_id == one.id],
        }
        for one in current
    ]


def _reason(channel: Channel, current: Sequence[Configuration]) -> str:
    if not current:
        return "the account has no configuration"
    if not any(one.settings.rules.get(channel) for one in current):
        return f"no configuration has a capture rule for {channel}"
    return "no capture rule of any configuration matches"


def _near(near: NearRule) -> dict[str, Any]:
    rule = near.rule
    return {
        "channel": near.channel,
        "position": near.position,
        "from": rule.sender,
        "to": rule.recipient,
        "metadata": dict(rule.metadata),
        "differences": [_difference(one) for one in near.differences],
    }


def _difference(one: Difference) -> dict[str, Any]:
    shown: dict[str, Any] = {"field": one.field, "rule": one.wanted, "message": one.found}
    if one.name is not None:
        shown["name"] = one.name
    if one.same_number:
        shown["sameNumber"] = True
    return shown


def _told(fields: Fields) -> dict[str, Any]:
    """What a webhook told of who wrote to whom, and of itself."""
    return {
        "from": fields.get("From", "")[:_LONGEST] or None,
        "to": fields.get("To", "")[:_LONGEST] or None,
        "fields": {name: fields[name][:_LONGEST] for name in _TOLD if name in fields},
    }
