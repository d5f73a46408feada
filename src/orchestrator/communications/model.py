"""A communication: one message or one transcript fragment of a conversation."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.domain.addresses import Address, Channel, parse
from orchestrator.domain.messages import DeliveryStatus
from orchestrator.participants.model import Participant


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


def place_of(shown: Mapping[str, Any]) -> tuple[Channel, str]:
    """Where an author or a recipient is reached, in the form for comparing: the channel, and the canonical address."""
    address = parse(Channel(shown["channel"]), shown["address"])
    return address.channel, address.canonical


def party(address: Address, participant: Participant, delivery_status: DeliveryStatus | None = None) -> dict[str, Any]:
    """The author or a recipient, as the communication shows it: always with its participant."""
    shown = {"address": address.address, "channel": address.channel, "participantId": participant.id}
    return shown if delivery_status is None else {**shown, "deliveryStatus": delivery_status}
