"""A message that was sent becomes a communication of its conversation, like one that a provider reported."""

from dataclasses import replace

from orchestrator.actions import store
from orchestrator.actions.model import Action, Correspondent
from orchestrator.actions.senders import Sent
from orchestrator.communications import service as communications
from orchestrator.communications.saying import End, Saying, say
from orchestrator.domain.addresses import Channel
from orchestrator.domain.identity import ParticipantType
from orchestrator.domain.linking import Linking
from orchestrator.domain.messages import DeliveryStatus, advanced
from orchestrator.kernel.unit import Unit


async def capture(unit: Unit, action: Action, sent: Sent, *, by_participant: bool, linking: Linking) -> str | None:
    """Write the communication and its events; returns its id, or None when there is no text to keep.

    Whoever is not known by the address joins: the sender as an AGENT, recipients as CUSTOMERs. With `by_participant`
    the address must still be that of the participant whom the caller named.

    Raises NotFound and BadRequest as `say`: the conversation is gone or closed, or the participant lost the address.
    """
    text = sent.text or action.message.content.readable
    if text is None:
        return None
    # Locks are taken in this order by everybody: the receipt, then identifiers, keys and conversation, then the rest.
    early = await store.take_receipt(unit, action.account_id, sent.message_sid)
    status = sent.delivery_status if early is None else advanced(sent.delivery_status, early)
    said, _ = await say(
        unit,
        action.account_id,
        action.conversation_id,
        _saying(action, replace(sent, text=text, delivery_status=status), by_participant=by_participant),
        linking=linking,
    )
    if sent.arrived:
        report = (action.account_id, sent.message_sid, DeliveryStatus.DELIVERED)
        await communications.report_delivery(unit, [report])
    return said.id


def _saying(action: Action, sent: Sent, *, by_participant: bool) -> Saying:
    message = action.message
    thread = message.channel_settings["channelId"] if message.channel is Channel.CHAT else sent.message_sid

    def end(of: Correspondent, joins_as: ParticipantType, status: DeliveryStatus | None = None) -> End:
        return End(of.address, of.participant_id if by_participant else None, joins_as, status)

    return Saying(
        author=end(message.sender, ParticipantType.AGENT),
        recipients=tuple(end(one, ParticipantType.CUSTOMER, sent.delivery_status) for one in message.recipients),
        content={"type": "TEXT", "text": sent.text},
        channel_id=thread,
        resource_id=sent.message_sid,
        action_id=action.id,
    )
