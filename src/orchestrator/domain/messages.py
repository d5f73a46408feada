"""What a provider told us, in our own words: provider-neutral values that the ingest pipeline works on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from orchestrator.domain.addresses import Address, Channel


class Direction(StrEnum):
    """Which way the message went, seen from us; the provider's word where it gives one."""

    INBOUND = "INBOUND"
    OUTBOUND = "OUTBOUND"


class CallType(StrEnum):
    """Kinds of voice legs that a capture rule may ask for (`metadata.callType`)."""

    PSTN = "PSTN"
    CLIENT = "CLIENT"
    PUBLIC_SIP = "PUBLIC_SIP"


class Origin(StrEnum):
    """How a communication came here."""

    PROVIDER = "PROVIDER"
    """A webhook told of it."""
    MESSAGES_API = "MESSAGES_API"
    """It was sent over our own Messages API, and goes the way of provider traffic."""
    ACTION = "ACTION"
    API = "API"
    """A caller put it into its conversation."""


class DeliveryStatus(StrEnum):
    """How far a message got to one recipient (Conversations API v2, `recipients[].deliveryStatus`)."""

    INITIATED = "INITIATED"
    IN_PROGRESS = "IN_PROGRESS"
    DELIVERED = "DELIVERED"
    READ = "READ"
    FAILED = "FAILED"


TWILIO_STATUSES = {
    "accepted": DeliveryStatus.INITIATED,
    "scheduled": DeliveryStatus.INITIATED,
    "queued": DeliveryStatus.IN_PROGRESS,
    "sending": DeliveryStatus.IN_PROGRESS,
    "sent": DeliveryStatus.IN_PROGRESS,
    "delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.READ,
    "failed": DeliveryStatus.FAILED,
    "undelivered": DeliveryStatus.FAILED,
    "canceled": DeliveryStatus.FAILED,
    "received": DeliveryStatus.DELIVERED,
    "receiving": DeliveryStatus.DELIVERED,
}
"""Twilio's words for the status of a message, in its webhooks and in its Messages API."""


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One communication that a provider reported: an SMS, a WhatsApp message, a final transcript fragment."""

    account_id: str
    author: Address
    recipient: Address
    content: Mapping[str, Any]
    """`{"type": "TEXT" | "TRANSCRIPTION", "text": …, "transcription": …}` as the API returns it."""
    resource_id: str
    """The provider's id of this very message; a second one with the same id is the same message."""
    channel_id: str
    """The provider's id of the thread: the call, or the message itself."""
    occurred_at: datetime | None = None
    direction: Direction | None = None
    """As the provider states it."""
    was_received: bool = False
    """The provider calls the message received; weaker than a direction."""
    delivery_status: DeliveryStatus | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    """What a rule's `metadata` may ask for: `callType`, `chatService`."""
    origin: Origin = Origin.PROVIDER

    @property
    def channel(self) -> Channel:
        return self.author.channel


_RANK = {
    DeliveryStatus.INITIATED: 0,
    DeliveryStatus.IN_PROGRESS: 1,
    DeliveryStatus.FAILED: 2,
    DeliveryStatus.DELIVERED: 3,
    DeliveryStatus.READ: 4,
}


def advanced(current: DeliveryStatus | None, reported: DeliveryStatus) -> DeliveryStatus:
    """The delivery status after a report: it never moves backwards.

    READ > DELIVERED > IN_PROGRESS > INITIATED. FAILED is final, and a message that was delivered cannot fail any more
    (contract: conversations.md section 5). Reports may arrive in any order: all that order decides is whether FAILED
    or the first of DELIVERED and READ is believed, where a provider tells both.
    """
    if current is None:
        return reported
    if current is DeliveryStatus.FAILED:
        return current
    return reported if _RANK[reported] > _RANK[current] else current
