"""What a request says of a communication, in our own words."""

from orchestrator.communications.ends import End
from orchestrator.communications.model import Communication
from orchestrator.communications.saying import Saying
from orchestrator.communications.schemas import (
    CommunicationRequest,
    CreateCommunicationInConversationRequest,
    ParticipantAddressRequest,
    RecipientRequest,
    UpdateCommunicationInConversationRequest,
)
from orchestrator.domain.addresses import Channel, parse
from orchestrator.kernel.fields import refused
from orchestrator.participants.schemas import to_address


def to_saying(request: CreateCommunicationInConversationRequest) -> Saying:
    """What a POST says. Raises BadRequest."""
    author = _end(request.author, "/author")
    recipients = tuple(_end(one, f"/recipients/{position}") for position, one in enumerate(request.recipients))
    return _saying(request, author, recipients, request.resource_id)


def to_replacement(request: UpdateCommunicationInConversationRequest, known: Communication) -> Saying:
    """What a PUT says: what is given of author and `resourceId` must be as it is. Raises BadRequest."""
    if request.resource_id not in (None, known.resource_id):
        own = known.resource_id or "none"
        raise refused("/resourceId", f"a communication keeps its own, which is {own}", request.resource_id)
    author = (
        End(parse(Channel(known.author["channel"]), known.author["address"]))
        if request.author is None
        else _end(request.author, "/author")
    )
    recipients = tuple(_end(one, f"/recipients/{position}") for position, one in enumerate(request.recipients))
    return _saying(request, author, recipients, known.resource_id)


def _saying(request: CommunicationRequest, author: End, recipients: tuple[End, ...], resource_id: str | None) -> Saying:
    addresses = [(end.address.channel, end.address.canonical) for end in recipients]
    for position, address in enumerate(addresses):
        if address in addresses[:position]:
            shown = recipients[position].address.address
            raise refused(f"/recipients/{position}/address", "the same address is there before", shown)
    if request.channel_id is None and author.address.channel is Channel.CHAT:
        raise refused("/channelId", "on CHAT, name the chat that it belongs to")
    return Saying(author, recipients, request.content.as_json(), request.channel_id, resource_id, request.occurred_at)


def _end(request: ParticipantAddressRequest, pointer: str) -> End:
    return End(
        to_address(request.channel, request.address, f"{pointer}/address"),
        request.participant_id,
        delivery_status=request.delivery_status if isinstance(request, RecipientRequest) else None,
        pointer=pointer,
    )
