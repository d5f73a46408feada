"""Twilio's messaging webhooks, read into our own values (contract README, "Passive ingestion")."""

from orchestrator.domain.addresses import Channel
from orchestrator.domain.messages import TWILIO_STATUSES, DeliveryStatus, InboundMessage
from orchestrator.ingest.fields import Fields, address, direction, required, short_enough, sid, wrong

NO_TEXT = "the message has no text; media alone is not captured"
"""Why a message without text leaves a trace and nothing else."""


def message(fields: Fields) -> InboundMessage | None:
    """An SMS, WhatsApp or RCS message; None when it carries no text (media alone is not captured).

    Raises BadRequest when a field is missing or wrong.
    """
    sender, to = required(fields, "From"), required(fields, "To")
    channel = _messaging_channel(sender, to)
    author, recipient = address(channel, "From", sender), address(channel, "To", to)
    resource_id = message_id(fields)
    status = (fields.get("MessageStatus") or fields.get("SmsStatus") or "").lower()
    body = short_enough("Body", fields.get("Body", ""))
    if not body.strip():
        return None
    return InboundMessage(
        account_id=fields["AccountSid"],
        author=author,
        recipient=recipient,
        content={"type": "TEXT", "text": body},
        resource_id=resource_id,
        channel_id=resource_id,
        direction=direction(fields),
        was_received=status in ("received", "receiving"),
        delivery_status=TWILIO_STATUSES.get(status, DeliveryStatus.IN_PROGRESS) if status else None,
    )


def message_id(fields: Fields) -> str:
    """The id of a message. Raises BadRequest."""
    return sid(fields, "MessageSid", "SmsMessageSid", "SmsSid")


def delivery_report(fields: Fields) -> tuple[str, str, DeliveryStatus]:
    """Account, message and what became of it. Raises BadRequest."""
    resource_id = message_id(fields)
    word = required(fields, "MessageStatus", "SmsStatus").lower()
    if word not in TWILIO_STATUSES:
        raise wrong("MessageStatus", f"is none of {', '.join(TWILIO_STATUSES)}", word)
    return fields["AccountSid"], resource_id, TWILIO_STATUSES[word]


def _messaging_channel(sender: str, to: str) -> Channel:
    for end in (sender.lower(), to.lower()):
        if end.startswith("whatsapp:"):
            return Channel.WHATSAPP
        if end.startswith("rcs:"):
            return Channel.RCS
    return Channel.SMS
