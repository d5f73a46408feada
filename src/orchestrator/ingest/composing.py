"""The communication that a landing becomes."""

from collections.abc import Mapping

from orchestrator.communications.model import Communication, party
from orchestrator.conversations.model import Conversation
from orchestrator.domain.addresses import Channel
from orchestrator.domain.identity import ParticipantType
from orchestrator.domain.messages import DeliveryStatus, advanced
from orchestrator.ingest.landing import Landing
from orchestrator.kernel.ids import COMMUNICATION, new_id
from orchestrator.kernel.unit import Unit
from orchestrator.participants.model import Participant

Reported = Mapping[tuple[str, str], DeliveryStatus]
"""What was reported of messages (account id, message id) before they came."""


def compose(
    unit: Unit,
    landing: Landing,
    conversation: Conversation,
    people: tuple[Participant, Participant],
    reported: Reported,
) -> Communication:
    """What is said there, by whom to whom."""
    message = landing.message
    author, recipient = people
    status = _delivery_status(landing, reported.get((message.account_id, message.resource_id)))
    return Communication(
        account_id=conversation.account_id,
        conversation_id=conversation.id,
        id=new_id(COMMUNICATION),
        author=party(landing.author.address, author),
        recipients=[party(landing.recipient.address, recipient, status)],
        content=message.content,
        occurred_at=message.occurred_at or unit.now,
        created_at=unit.now,
        updated_at=unit.now,
        channel_id=message.channel_id,
        resource_id=message.resource_id,
        trace=landing.trace(),
    )


def _delivery_status(landing: Landing, reported: DeliveryStatus | None) -> DeliveryStatus | None:
    """What the provider told. Otherwise a message of ours is on its way, and any other has arrived; speech has none."""
    message = landing.message
    if message.channel is Channel.VOICE:
        return message.delivery_status
    ours = landing.author.type is ParticipantType.AGENT
    told = message.delivery_status or (DeliveryStatus.IN_PROGRESS if ours else DeliveryStatus.DELIVERED)
    return told if reported is None else advanced(told, reported)
