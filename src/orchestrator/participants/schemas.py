"""The participant resource (contract: conversations.md section 2.6)."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from orchestrator.domain.addresses import MAX_LENGTH, Address, Channel, InvalidAddress, parse
from orchestrator.domain.identity import ParticipantType
from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.fields import Text, refused
from orchestrator.kernel.ids import PROFILE_PATTERN
from orchestrator.kernel.openapi import Meta, Wire
from orchestrator.participants.introducing import Introduction
from orchestrator.participants.model import OwnedAddress, Participant, owned_address

MOST_ADDRESSES = 50
"""Of one participant."""

ChannelId = Annotated[Text, Field(min_length=1, max_length=256)]

_ADDRESS: JsonDict = {"channel": "SMS", "address": "+15551234567"}
_EXAMPLE: JsonDict = {"name": "Kiran", "type": "CUSTOMER", "addresses": [_ADDRESS]}


class AddressRequest(Wire):
    """An address that a participant owns."""

    model_config = ConfigDict(json_schema_extra={"example": _ADDRESS})

    channel: Channel
    address: Text = Field(
        min_length=1, max_length=MAX_LENGTH, description="In the channel's form: +E.164, `whatsapp:+…`, `rcs:…`, …"
    )
    channel_id: ChannelId | None = Field(None, description="Id of the channel's own thing, such as a call or a chat.")


Addresses = Annotated[list[AddressRequest], Field(max_length=MOST_ADDRESSES)]


class ParticipantRequest(Wire):
    """What a caller may say of a participant. Null is as good as absent."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    name: Text | None = Field(None, description="Without one, the first address.")
    type: ParticipantType | None = Field(
        None,
        description="CUSTOMER: a profile is found or made. UNKNOWN, which is the default: becomes CUSTOMER if a "
        "profile is found. The others are our side.",
    )
    profile_id: Annotated[str, Field(pattern=PROFILE_PATTERN)] | None = Field(
        None, description="The profile, where the caller knows it: nobody is looked up then. Only a customer's counts."
    )


class CreateParticipantInConversationRequest(ParticipantRequest):
    """A new participant."""

    addresses: Addresses


class UpdateParticipantInConversationRequest(ParticipantRequest):
    """The whole participant: what is left out goes back to its default, but left-out `addresses` stay."""

    addresses: Addresses | None = Field(None, description="`[]` takes all from it.")


class ConversationParticipantRequest(ParticipantRequest):
    """A participant that a conversation begins with."""

    addresses: Addresses | None = None


def to_introduction(request: ParticipantRequest, addresses: Sequence[AddressRequest], pointer: str) -> Introduction:
    """What the caller says; `pointer` is the place of the participant in the body. Raises BadRequest."""
    owned: list[OwnedAddress] = []
    for position, given in enumerate(addresses):
        place = f"{pointer}/addresses/{position}/address"
        address = to_address(given.channel, given.address, place)
        if any((own.channel, own.canonical) == (address.channel, address.canonical) for own in owned):
            raise refused(place, "the same address is there before", given.address)
        owned.append(owned_address(address, given.channel_id))
    return Introduction(request.type or ParticipantType.UNKNOWN, tuple(owned), request.name, request.profile_id)


def to_address(channel: Channel, text: str, pointer: str) -> Address:
    """An address of the body, at this place. Raises BadRequest."""
    try:
        return parse(channel, text)
    except InvalidAddress as error:
        raise refused(pointer, str(error), text) from error


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
    profile_id: str | None = Field(description="Found, made or given; of our side only if it was given.")
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
