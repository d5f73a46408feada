"""Twilio's webhook fields, read into our own values.

Sources: Twilio's messaging webhooks, call webhooks and real-time transcription callbacks; contract README, "Passive
ingestion".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from orchestrator.domain.addresses import Address, Channel, InvalidAddress, parse
from orchestrator.domain.messages import CallType, DeliveryStatus, Direction, InboundMessage
from orchestrator.ingest.webhooks import storable
from orchestrator.kernel.errors import BadRequest

Fields = Mapping[str, str]

_MOST_TEXT = 8_388_608
_LONGEST_SID = 255
"""Characters. SIDs have 34; they are parts of indexes, whose entries Postgres limits to about 2,700 bytes."""
_DIRECTIONS = {"inbound": Direction.INBOUND, "outbound": Direction.OUTBOUND}
_STATUSES = {
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


def message(fields: Fields) -> InboundMessage | None:
    """An SMS, WhatsApp or RCS message; None when it carries no text (media alone is not captured).

    Raises BadRequest when a field is missing or wrong.
    """
    sender, to = required(fields, "From"), required(fields, "To")
    channel = _messaging_channel(sender, to)
    author, recipient = address(channel, "From", sender), address(channel, "To", to)
    sid = message_id(fields)
    status = (fields.get("MessageStatus") or fields.get("SmsStatus") or "").lower()
    body = _text("Body", fields.get("Body", ""))
    if not body.strip():
        return None
    return InboundMessage(
        account_id=fields["AccountSid"],
        author=author,
        recipient=recipient,
        content={"type": "TEXT", "text": body},
        resource_id=sid,
        channel_id=sid,
        direction=_direction(fields),
        was_received=status in ("received", "receiving"),
        delivery_status=_STATUSES.get(status, DeliveryStatus.IN_PROGRESS) if status else None,
    )


def message_id(fields: Fields) -> str:
    """The id of a message. Raises BadRequest."""
    return _sid(fields, "MessageSid", "SmsMessageSid", "SmsSid")


def delivery_report(fields: Fields) -> tuple[str, str, DeliveryStatus]:
    """Account, message and what became of it. Raises BadRequest."""
    sid = message_id(fields)
    word = required(fields, "MessageStatus", "SmsStatus").lower()
    if word not in _STATUSES:
        raise wrong("MessageStatus", f"is none of {', '.join(_STATUSES)}", word)
    return fields["AccountSid"], sid, _STATUSES[word]


@dataclass(frozen=True, slots=True)
class Call:
    """What a call webhook tells of a call, and transcripts of it refer to."""

    account_id: str
    sid: str
    sender: str
    recipient: str
    direction: Direction | None

    @property
    def call_type(self) -> CallType:
        """CLIENT or PUBLIC_SIP when either end is one."""
        ends = (self.sender.strip().lower(), self.recipient.strip().lower())
        if any(end.startswith("client:") for end in ends):
            return CallType.CLIENT
        return CallType.PUBLIC_SIP if any(end.startswith(("sip:", "sips:")) for end in ends) else CallType.PSTN


def call(fields: Fields) -> Call | None:
    """The call that a voice webhook is about; None when it does not name both ends."""
    sid = _sid(fields, "CallSid")
    sender, recipient = fields.get("From", "").strip(), fields.get("To", "").strip()
    if not sender or not recipient:
        return None
    address(Channel.VOICE, "From", sender)
    address(Channel.VOICE, "To", recipient)
    return Call(fields["AccountSid"], sid, sender, recipient, _direction(fields))


def is_final_fragment(fields: Fields) -> bool:
    """Whether a voice webhook carries text that will not change any more; other transcription events say nothing."""
    return fields.get("TranscriptionEvent") == "transcription-content" and fields.get("Final", "true").lower() == "true"


def fragment_id(fields: Fields) -> str:
    """The id of a transcript fragment: of the transcription, and its place there. Raises BadRequest."""
    return f"{_sid(fields, 'TranscriptionSid')}{_sid(fields, 'SequenceId')}"


def transcript(fields: Fields, on: Call) -> InboundMessage | None:
    """A final transcript fragment of a call; None when nothing was said.

    The inbound track is what Twilio hears from the leg's far end: the caller of an inbound call, the callee of an
    outbound one. Raises BadRequest.
    """
    data = _transcription_data(fields)
    said = data.get("transcript") or data.get("Transcript") or ""
    if not isinstance(said, str):
        raise wrong("TranscriptionData", "its transcript is not a text")
    text = storable(_text("TranscriptionData", said.strip()))
    if not text:
        return None
    track = fields.get("Track", "inbound_track")
    if track not in ("inbound_track", "outbound_track"):
        raise wrong("Track", "is neither inbound_track nor outbound_track", track)
    from_side = (track == "inbound_track") == (on.direction is not Direction.OUTBOUND)
    sender = address(Channel.VOICE, "From", on.sender)
    recipient = address(Channel.VOICE, "To", on.recipient)
    author, other = (sender, recipient) if from_side else (recipient, sender)
    by_caller = on.direction if from_side else _opposite(on.direction)
    return InboundMessage(
        account_id=on.account_id,
        author=author,
        recipient=other,
        content=_transcription(text, track, data, fields),
        resource_id=fragment_id(fields),
        channel_id=on.sid,
        occurred_at=_timestamp(fields),
        direction=by_caller,
        attributes={"callType": on.call_type},
    )


def required(fields: Fields, *names: str) -> str:
    """The first of these fields that is given. Raises BadRequest when none is."""
    for name in names:
        if value := fields.get(name, "").strip():
            return value
    raise BadRequest(f"/{names[0]}: this field is required", params={"field": f"/{names[0]}"})


def _sid(fields: Fields, *names: str) -> str:
    """The first of these fields that is given, if it can be an id. Raises BadRequest."""
    sid = required(fields, *names)
    if len(sid) > _LONGEST_SID:
        raise wrong(names[0], f"has at most {_LONGEST_SID} characters", sid[:200])
    return sid


def _text(name: str, text: str) -> str:
    """A text of a length that is admitted. Raises BadRequest."""
    if len(text) > _MOST_TEXT:
        raise wrong(name, f"has at most {_MOST_TEXT} characters")
    return text


def wrong(name: str, why: str, value: str | None = None) -> BadRequest:
    """The error for a field that makes no sense."""
    return BadRequest(f"/{name}: {why}", params={"field": f"/{name}", "value": value})


def address(channel: Channel, name: str, text: str) -> Address:
    """An address field. Raises BadRequest."""
    try:
        return parse(channel, text)
    except InvalidAddress as error:
        raise wrong(name, str(error), text[:200]) from error


def _messaging_channel(sender: str, to: str) -> Channel:
    for end in (sender.lower(), to.lower()):
        if end.startswith("whatsapp:"):
            return Channel.WHATSAPP
        if end.startswith("rcs:"):
            return Channel.RCS
    return Channel.SMS


def _direction(fields: Fields) -> Direction | None:
    """Twilio writes `inbound`, `outbound-api`, `outbound-reply`, `outbound-call`, `outbound-dial`."""
    return _DIRECTIONS.get(fields.get("Direction", "").strip().lower().partition("-")[0])


def _opposite(direction: Direction | None) -> Direction | None:
    if direction is None:
        return None
    return Direction.OUTBOUND if direction is Direction.INBOUND else Direction.INBOUND


def _transcription_data(fields: Fields) -> dict[str, Any]:
    text = required(fields, "TranscriptionData")
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise wrong("TranscriptionData", "is not valid JSON", text[:200]) from error
    if not isinstance(data, dict):
        raise wrong("TranscriptionData", "is not a JSON object", text[:200])
    return data


def _transcription(text: str, track: str, data: Mapping[str, Any], fields: Fields) -> dict[str, Any]:
    detail: dict[str, Any] = {"channel": 0 if track == "inbound_track" else 1}
    confidence = data.get("confidence")
    if isinstance(confidence, int | float) and not isinstance(confidence, bool) and 0 <= confidence <= 1:
        detail["confidence"] = confidence
    if engine := fields.get("TranscriptionEngine"):
        detail["engine"] = engine
    return {"type": "TRANSCRIPTION", "text": text, "transcription": detail}


def _timestamp(fields: Fields) -> datetime | None:
    text = fields.get("Timestamp", "").strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError) as error:
        raise wrong("Timestamp", "is not an ISO 8601 time", text[:200]) from error
