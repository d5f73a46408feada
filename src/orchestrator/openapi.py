"""The published OpenAPI file: what FastAPI knows of the routes, and by hand what it cannot know.

By hand are Basic auth (`ApiRoute` asks for it before FastAPI looks at a request) and the provider's webhooks (they
pass FastAPI by). `openapi/orchestrator.yaml` is this, committed; a test compares the two.
"""

from typing import Any

import yaml
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

_AUTH = "accountOrKey"
_SECURED = ("/v1/", "/v2/", "/orchestrator/")
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


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the application."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary="Twilio's Conversation Orchestrator and Conversation Memory, self-hosted.",
        routes=app.routes,
    )
    document["components"]["securitySchemes"] = {
        _AUTH: {
            "type": "http",
            "scheme": "basic",
            "description": "Account SID and auth token, or API key SID and secret.",
        }
    }
    for path, operations in document["paths"].items():
        if path.startswith(_SECURED):
            for operation in operations.values():
                operation["security"] = [{_AUTH: []}]
    for name, webhook in _WEBHOOKS.items():
        document["paths"][f"/ingest/twilio/{name}"] = {"post": _webhook(*webhook)}
    return document


def to_yaml(document: dict[str, Any]) -> str:
    """The text of the committed file."""
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


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
