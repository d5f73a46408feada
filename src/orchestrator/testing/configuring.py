"""A configuration that works: rules both ways for one number, the test's memory store, its callbacks."""

from typing import Any, Literal

Grouping = Literal[
    "GROUP_BY_PARTICIPANT_ADDRESSES", "GROUP_BY_PARTICIPANT_ADDRESSES_AND_CHANNEL_TYPE", "GROUP_BY_PROFILE"
]
_CHANNELS = ("SMS", "WHATSAPP", "RCS", "VOICE")
_TIMEOUTS = {"inactive": 10, "closed": 60}
"""Minutes."""


def configuration(
    grouping: Grouping, number: str, *, memory_store_id: str, callback_url: str, overrides: dict[str, Any]
) -> dict[str, Any]:
    """The body of a request; an override replaces a field of it as a whole, None takes it away."""
    rules = [{"from": "*", "to": number}, {"from": number, "to": "*"}]
    body = {
        "displayName": "Test",
        "description": f"All traffic of {number}",
        "conversationGroupingType": grouping,
        "memoryStoreId": memory_store_id,
        "channelSettings": {name: {"captureRules": rules, "statusTimeouts": _TIMEOUTS} for name in _CHANNELS},
        "statusCallbacks": [{"url": callback_url, "method": "POST"}],
        **overrides,
    }
    return {name: value for name, value in body.items() if value is not None}
