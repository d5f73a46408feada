"""Phones that do not exist: what Twilio would post to the service if they did, as signed forms.

Demonstration, command line, console and tests send through these, so that everything takes the way of real traffic.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from orchestrator.kernel.ids import new_sid
from orchestrator.kernel.signing import sign

MESSAGES = "/ingest/twilio/messages"
MESSAGE_STATUS = "/ingest/twilio/message-status"
VOICE = "/ingest/twilio/voice"

Channel = Literal["SMS", "WHATSAPP", "RCS", "VOICE"]

_PREFIXES: dict[str, str] = {"WHATSAPP": "whatsapp:", "RCS": "rcs:"}
_CONFIDENCE = 0.97


@dataclass(frozen=True, slots=True)
class Webhook:
    """A form that the provider posts."""

    path: str
    fields: Mapping[str, str]

    def body(self, account_id: str) -> bytes:
        """As `application/x-www-form-urlencoded`."""
        return urlencode(self._form(account_id)).encode()

    def headers(self, account_id: str, auth_token: str, origin: str) -> dict[str, str]:
        """Content type, and the signature by Twilio's rule: over the URL, which is origin and path, and the fields."""
        signature = sign(auth_token, origin + self.path, self._form(account_id).items())
        return {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}

    def _form(self, account_id: str) -> dict[str, str]:
        return {"AccountSid": account_id, **self.fields}


def addressed(channel: Channel, address: str) -> str:
    """An address as Twilio writes it on a channel: WhatsApp and RCS have a prefix, whether or not it is there yet."""
    prefix = _PREFIXES.get(channel, "")
    return address if address.lower().startswith(prefix) else prefix + address


def is_of_another(channel: Channel, address: str) -> bool:
    """Whether its prefix says that an address is of another channel. Calls may have any: there are WhatsApp calls."""
    others = tuple(prefix for other, prefix in _PREFIXES.items() if other != channel)
    return channel != "VOICE" and address.lower().startswith(others)


def message(channel: Channel, sender: str, to: str, text: str, *, sid: str | None = None) -> Webhook:
    """A message comes in. The same `sid` again is the same message, sent again."""
    fields = {
        "MessageSid": sid or new_sid("SM"),
        "From": addressed(channel, sender),
        "To": addressed(channel, to),
        "Body": text,
        "NumMedia": "0",
    }
    return Webhook(MESSAGES, fields)


def call(sender: str, to: str, *, sid: str, direction: Literal["inbound", "outbound-api"] = "inbound") -> Webhook:
    """A call begins: `sender` calls `to`."""
    fields = {"CallSid": sid, "From": sender, "To": to, "Direction": direction, "CallStatus": "in-progress"}
    return Webhook(VOICE, fields)


def fragment(call_sid: str, text: str, *, transcription_sid: str, position: int = 1, by_caller: bool = True) -> Webhook:
    """Something is said on a call. Transcription and position, counted from 1, name it: the same again is the same."""
    fields = {
        "CallSid": call_sid,
        "TranscriptionSid": transcription_sid,
        "TranscriptionEvent": "transcription-content",
        "TranscriptionData": json.dumps({"transcript": text, "confidence": _CONFIDENCE}),
        "Track": "inbound_track" if by_caller else "outbound_track",
        "SequenceId": str(position),
        "Final": "true",
    }
    return Webhook(VOICE, fields)


def delivery_report(message_sid: str, status: str) -> Webhook:
    """What became of a message that was sent, in the provider's words: sent, delivered, read, failed, undelivered."""
    return Webhook(MESSAGE_STATUS, {"MessageSid": message_sid, "MessageStatus": status})
