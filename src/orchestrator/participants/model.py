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
    """Id of the channel's own thing, such as a call or a chat, that it stands for."""

    @property
    def value(self) -> Address:
        """The address alone."""
        return Address(self.channel, self.address, self.canonical)


def owned_address(address: Address, channel_id: str | None = None) -> OwnedAddress:
    """The address as a participant owns it."""
    return OwnedAddress(address.channel, address.address, address.canonical, channel_id)


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

    def owned(self, address: Address) -> OwnedAddress | None:
        """The address as this participant owns it, on that very channel; None when it does not."""
        for own in self.addresses:
            if own.canonical == address.canonical and own.channel is address.channel:
                return own
        return None

    def has(self, address: Address) -> bool:
        """Whether the address is one of its own, on whatever channel."""
        return any(own.canonical == address.canonical for own in self.addresses)
