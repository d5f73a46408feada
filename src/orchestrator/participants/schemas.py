"""The participant resource (contract: conversations.md section 2.6)."""

from typing import Any

from pydantic import Field

from orchestrator.domain.addresses import Channel
from orchestrator.domain.identity import ParticipantType
from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.openapi import Meta, Wire
from orchestrator.participants.model import Participant


class AddressResource(Wire):
    """An address of a participant, as it was first received."""

    channel: Channel
    address: str = Field(max_length=254)
    channel_id: str | None = Field(description="Id of the channel's own thing, such as a call or a chat.")


class ParticipantResource(Wire):
    """Somebody who takes part in a conversation."""

    id: str = Field(examples=["conv_participant_01kgh3m8qkfhg8n1p0r7s3t2vw"])
    conversation_id: str
    account_id: str
    name: str = Field(description="Never null: without another name, the first address.")
    type: ParticipantType
    profile_id: str | None = Field(description="Of customers only.")
    addresses: list[AddressResource]
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    updated_at: str = Field(json_schema_extra={"format": "date-time"})


class ParticipantPage(Wire):
    """One page of participants, oldest first."""

    participants: list[ParticipantResource]
    meta: Meta


def to_wire(participant: Participant) -> dict[str, Any]:
    """The resource, as REST answers and events carry it."""
    return {
        "id": participant.id,
        "conversationId": participant.conversation_id,
        "accountId": participant.account_id,
        "name": participant.name,
        "type": participant.type,
        "profileId": participant.profile_id,
        "addresses": [
            {"channel": own.channel, "address": own.address, "channelId": own.channel_id}
            for own in participant.addresses
        ],
        "createdAt": rest_time(participant.created_at),
        "updatedAt": rest_time(participant.updated_at),
    }
