"""The provider's webhooks, described by hand: they pass FastAPI by."""

from typing import Any

_MESSAGE = {
    "MessageSid": "The provider's id of the message; a second webhook with the same id changes nothing.",
    "From": "Sender; `whatsapp:` and `rcs:` tell the channel.",
    "To": "Recipient.",
    "Body": "The text. A message without text is not captured.",
    "Direction": "`inbound` or `outbound-…`; optional.",
}
_STATUS = {
    "MessageSid": "The message.",
    "MessageStatus": "accepted, scheduled, queued, sending, sent, delivered, read, failed, undelivered or canceled.",
}
_VOICE = {
    "CallSid": "The call.",
    "From": "Caller; may be missing once a webhook of the call has told it.",
    "To": "Callee; likewise.",
    "Direction": "`inbound` or `outbound-…`.",
    "ConversationConfiguration": "The configuration where the call belongs: it joins the open conversation that groups "
    "with it there, or a new one, without a capture rule. Holds for later webhooks of the call, too. Its name, as the "
    "next one's, is read in upper and lower case.",
    "ConversationId": "Instead, the conversation itself; it must not be CLOSED.",
    "TranscriptionEvent": "`transcription-content` for a fragment.",
    "TranscriptionSid": "The transcription.",
    "SequenceId": "Number of the fragment.",
    "TranscriptionData": 'JSON: `{"transcript": "…", "confidence": 0.9}`.',
    "Final": "`true` for fragments that will not change any more; only those are captured.",
    "Track": "`inbound_track` or `outbound_track`.",
    "Timestamp": "When it was said, ISO 8601.",
}
_WEBHOOKS: dict[str, tuple[str, str, dict[str, str], list[str]]] = {
    "messages": ("ReceiveMessage", "An SMS, WhatsApp or RCS message", _MESSAGE, ["MessageSid", "From", "To"]),
    "message-status": ("ReceiveMessageStatus", "A delivery report", _STATUS, ["MessageSid", "MessageStatus"]),
    "voice": ("ReceiveVoiceEvent", "A call, or a transcript fragment of it", _VOICE, ["CallSid"]),
}


def _webhook(operation_id: str, summary: str, fields: dict[str, str], required: list[str]) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["AccountSid", *required],
        "properties": {
            "AccountSid": {"type": "string", "description": "The account whose auth token signs the request."},
            **{name: {"type": "string", "description": text} for name, text in fields.items()},
        },
        "additionalProperties": {"type": "string"},
    }
    error = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
    return {
        "tags": ["Provider traffic"],
        "summary": summary,
        "operationId": operation_id,
        "parameters": [
            {
                "name": "X-Twilio-Signature",
                "in": "header",
                "required": True,
                "schema": {"type": "string"},
                "description": "As Twilio signs: over the form, or over the URL with `bodySHA256` for JSON.",
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/x-www-form-urlencoded": {"schema": schema},
                "application/json": {"schema": {"type": "object", "required": schema["required"]}},
            },
        },
        "responses": {
            "200": {
                "description": "It is kept; a repeat is answered alike.",
                "content": {"text/xml": {"schema": {"type": "string"}}},
            },
            "400": {"description": "A field is missing or wrong.", **error},
            "403": {"description": "The signature is missing or wrong.", **error},
            "413": {"description": "The body is too large.", **error},
            "415": {"description": "Neither a form nor JSON.", **error},
            "default": {"description": "The service cannot answer now (500, 503).", **error},
        },
    }


WEBHOOK_PATHS = {f"/ingest/twilio/{name}": {"post": _webhook(*webhook)} for name, webhook in _WEBHOOKS.items()}
"""For the document's `paths`."""
