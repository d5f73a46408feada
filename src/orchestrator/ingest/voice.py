"""Twilio's call webhooks and real-time transcription callbacks, read into our own values.

Sources: Twilio's voice webhooks; contract README, "Passive ingestion" and "Active ingestion".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from orchestrator.domain.addresses import Channel
from orchestrator.domain.messages import CallType, Direction, InboundMessage
from orchestrator.ingest.attributes import Attribute, told_attribute
from orchestrator.ingest.fields import Fields, address, direction, required, short_enough, sid, wrong
from orchestrator.ingest.webhooks import storable

CallKey = tuple[str, str]
"""Account id, call SID."""


@dataclass(frozen=True, slots=True)
class Ends:
    """Who called whom, as Twilio writes it."""

    sender: str
    recipient: str

    @property
    def call_type(self) -> CallType:
        """CLIENT or PUBLIC_SIP when either end is one."""
        ends = (self.sender.strip().lower(), self.recipient.strip().lower())
        if any(end.startswith("client:") for end in ends):
            return CallType.CLIENT
        return CallType.PUBLIC_SIP if any(end.startswith(("sip:", "sips:")) for end in ends) else CallType.PSTN


@dataclass(frozen=True, slots=True)
class Call:
    """What is known of a call: what one webhook tells, or what is remembered of several."""

    account_id: str
    sid: str
    ends: Ends | None = None
    direction: Direction | None = None
    attribute: Attribute | None = None
    """Where its TwiML says that it belongs."""
    attached_to: str | None = None
    """Value of the last attribute that it was attached by."""

    @property
    def key(self) -> CallKey:
        return (self.account_id, self.sid)

    @property
    def is_attached(self) -> bool:
        """Whether the conversation where it belongs, if it says so, knows of it."""
        return self.attribute is None or self.attribute.value == self.attached_to


@dataclass(frozen=True, slots=True)
class Said:
    """A final fragment of a transcript."""

    content: Mapping[str, Any]
    resource_id: str
    by_far_end: bool
    """Said where Twilio hears the call's leg: by the caller of an inbound call, the callee of an outbound one."""
    occurred_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEvent(InboundMessage):
    """Something that happens on a call. Where nothing is said, the content is empty, and the author is the caller."""

    call: Call
    """Its ends and direction as far as they are known; the attribute only if this very webhook tells it."""


def call(fields: Fields) -> Call:
    """What a voice webhook tells of its call. Raises BadRequest."""
    call_sid, attribute = sid(fields, "CallSid"), told_attribute(fields)
    sender, recipient = fields.get("From", "").strip(), fields.get("To", "").strip()
    if not sender or not recipient:
        return Call(fields["AccountSid"], call_sid, attribute=attribute)
    address(Channel.VOICE, "From", sender)
    address(Channel.VOICE, "To", recipient)
    return Call(fields["AccountSid"], call_sid, Ends(sender, recipient), direction(fields), attribute)


def said(fields: Fields) -> Said | None:
    """What a voice webhook says that was said; None unless it is text that will not change any more.

    Raises BadRequest.
    """
    if fields.get("TranscriptionEvent") != "transcription-content" or fields.get("Final", "true").lower() != "true":
        return None
    data = _transcription_data(fields)
    resource_id = f"{sid(fields, 'TranscriptionSid')}{sid(fields, 'SequenceId')}"
    track = fields.get("Track", "inbound_track")
    if track not in ("inbound_track", "outbound_track"):
        raise wrong("Track", "is neither inbound_track nor outbound_track", track)
    occurred_at = _timestamp(fields)
    text = data.get("transcript") or data.get("Transcript") or ""
    if not isinstance(text, str):
        raise wrong("TranscriptionData", "its transcript is not a text")
    text = storable(short_enough("TranscriptionData", text.strip()))
    if not text:
        return None
    return Said(_transcription(text, track, data, fields), resource_id, track == "inbound_track", occurred_at)


def event(on: Call, said: Said | None) -> CallEvent:
    """What happens on a call whose ends are known: a fragment is said, or nothing yet."""
    assert on.ends is not None
    caller = address(Channel.VOICE, "From", on.ends.sender)
    callee = address(Channel.VOICE, "To", on.ends.recipient)
    by_caller = said is None or said.by_far_end == (on.direction is not Direction.OUTBOUND)
    return CallEvent(
        account_id=on.account_id,
        author=caller if by_caller else callee,
        recipient=callee if by_caller else caller,
        content=said.content if said else {},
        resource_id=said.resource_id if said else on.sid,
        channel_id=on.sid,
        occurred_at=said.occurred_at if said else None,
        direction=on.direction if by_caller else _opposite(on.direction),
        attributes={"callType": on.ends.call_type},
        call=on,
    )


def _opposite(direction: Direction | None) -> Direction | None:
    if direction is None:
        return None
    return Direction.OUTBOUND if direction is Direction.INBOUND else Direction.INBOUND


def _transcription_data(fields: Fields) -> dict[str, Any]:
    text = required(fields, "TranscriptionData")
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise wrong("TranscriptionData", "is not valid JSON", text) from error
    if not isinstance(data, dict):
        raise wrong("TranscriptionData", "is not a JSON object", text)
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
        raise wrong("Timestamp", "is not an ISO 8601 time", text) from error
