"""A participant of a conversation, and the addresses it owns there."""

from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.domain.addresses import Address, Channel
from orchestrator.domain.identity import ParticipantType


@dataclass(slots=True)
class OwnedAddress:
    """An address as it was first received, and its form for comparing."""

    channel: Channel
    address: str
    canonical: str
    channel_id: str | None = None


@dataclass(slots=True)
class Participant:
    """Somebody who takes part. `name` is never null: the first address stands in for it."""

    account_id: str
    conversation_id: str
    id: str
    name: str
    type: ParticipantType
    created_at: datetime
    updated_at: datetime
    profile_id: str | None = None
    addresses: list[OwnedAddress] = field(default_factory=list)

    def owns(self, address: Address) -> bool:
        """Whether the address is one of its own, on that very channel."""
        return any(own.canonical == address.canonical and own.channel is address.channel for own in self.addresses)
