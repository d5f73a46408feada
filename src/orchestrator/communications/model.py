"""A communication: one message or one transcript fragment of a conversation."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Communication:
    """One row."""

    account_id: str
    conversation_id: str
    id: str
    author: Mapping[str, Any]
    """`{address, channel, participantId}`."""
    recipients: list[dict[str, Any]]
    """`{address, channel, participantId, deliveryStatus?}` each."""
    content: Mapping[str, Any]
    occurred_at: datetime
    created_at: datetime
    updated_at: datetime
    channel_id: str | None = None
    resource_id: str | None = None
    trace: Mapping[str, Any] | None = None
    """Why it landed where it did; readable apart from the resource."""
