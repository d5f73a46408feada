"""Actions on the wire: what requests may say, and the resource (contract: conversations.md section 10)."""

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import orjson
from pydantic import AfterValidator, ConfigDict, Field, StrictBool, model_validator
from pydantic.config import JsonDict

from orchestrator.actions.model import MOST_TEXT, Action, ActionStatus, Content
from orchestrator.domain.addresses import MAX_LENGTH, Channel
from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.fields import Text
from orchestrator.kernel.openapi import Wire

MOST_RECIPIENTS = 100

_SMS: JsonDict = {"participantId": "conv_participant_01kgh3m8qkfhg8n1p0r7s3t2vw", "channel": "SMS"}
_EXAMPLE: JsonDict = {
    "type": "SEND_MESSAGE",
    "payload": {
        "from": {"address": "+16505550199", "channel": "SMS"},
        "to": [_SMS],
        "content": {"text": "Your parcel has left."},
    },
}


def _web_url(url: str) -> str:
    """Raise ValueError for what no provider could fetch."""
    if any(character.isspace() or not character.isprintable() for character in url):
        raise ValueError("a URL has no blanks and no control characters")
    try:
        parts = urlsplit(url)
        fetchable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        fetchable = False
    if not fetchable:
        raise ValueError("a URL with http or https is expected")
    return url


def _storable(settings: dict[str, Any]) -> dict[str, Any]:
    """Raise ValueError for what JSON can write and Postgres cannot keep, however deep it is."""
    try:
        orjson.dumps(settings)  # halves of surrogate pairs, numbers past 64 bits, nesting past 254 levels
    except TypeError as error:
        raise ValueError(f"cannot be stored: {error}") from error
    waiting: list[Any] = [settings]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and "\x00" in value:
            raise ValueError("text must not hold the character U+0000")
    return settings


class SendMessageParticipant(Wire):
    """Whom a message is from or to: a participant (on a channel, unless it has one address), or an address with its
    channel. With both the participant counts, and the rest tells which of its addresses. A recipient's address is that
    of a participant of the conversation."""

    model_config = ConfigDict(json_schema_extra={"example": _SMS})

    participant_id: Text | None = None
    address: Annotated[Text, Field(max_length=MAX_LENGTH)] | None = Field(
        None, description="In the channel's form: +E.164, `whatsapp:+…`, `rcs:…`, or a chat identity."
    )
    channel: Channel | None = Field(None, description="SMS, RCS, WHATSAPP or CHAT; nothing is sent on the others.")


class SendMessageContent(Wire):
    """What is sent: at least one of text, template and media."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"text": "Your parcel has left."}})

    text: Annotated[Text, Field(max_length=MOST_TEXT)] | None = None
    content_id: Annotated[str, Field(pattern=r"^HX[0-9a-fA-F]{32}$")] | None = Field(
        None, description="A template, rendered with the variables."
    )
    variables: dict[Text, Text] | None = Field(None, description="Of the template.")
    media_urls: list[Annotated[Text, AfterValidator(_web_url), Field(json_schema_extra={"format": "uri"})]] | None = (
        None
    )

    @model_validator(mode="after")
    def _says_something(self) -> "SendMessageContent":
        if not (self.text or "").strip() and self.content_id is None and not self.media_urls:
            raise ValueError("at least one of text, contentId and mediaUrls is expected; blank text is none")
        return self


class SendMessagePayload(Wire):
    """The message."""

    from_: SendMessageParticipant = Field(alias="from")
    to: Annotated[list[SendMessageParticipant], Field(min_length=1, max_length=MOST_RECIPIENTS)]
    content: SendMessageContent
    channel_settings: Annotated[dict[str, Any], AfterValidator(_storable)] | None = Field(
        None, description="For the one who sends: `messagingServiceSid`, `statusCallback`, …; CHAT needs `channelId`."
    )
    force: StrictBool | None = Field(
        None,
        description="Not in Twilio's API: send to the participants named, although they wrote last from another "
        "address than the one that is reached. False by default: then that is a 400.",
    )


class CreateConversationActionRequest(Wire):
    """Something to be done."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    type: Literal["SEND_MESSAGE"]
    payload: SendMessagePayload


class ActionResource(Wire):
    """Something that is to be done, or was."""

    id: str = Field(examples=["conv_action_01kgh3m8qce0m9x2t6v4b7r5zn"])
    type: Literal["SEND_MESSAGE"]
    status: ActionStatus = Field(description="COMPLETED: the message was sent. FAILED: `failureReason` tells why.")
    conversation_id: str
    related: dict[str, str] = Field(
        description="`messageSid`, as soon as it is known; `communicationId`, where the message left one."
    )
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    updated_at: str = Field(json_schema_extra={"format": "date-time"})
    completed_at: str | None = Field(description="Null while PENDING.", json_schema_extra={"format": "date-time"})
    failure_reason: str | None = Field(description="Null unless FAILED.")


def to_content(content: SendMessageContent) -> Content:
    """What the caller wants to be sent."""
    return Content(
        text=content.text if (content.text or "").strip() else None,
        content_id=content.content_id,
        variables=content.variables or {},
        media_urls=tuple(content.media_urls or ()),
    )


def to_wire(action: Action) -> dict[str, Any]:
    """The resource."""
    return {
        "id": action.id,
        "type": "SEND_MESSAGE",
        "status": action.status,
        "conversationId": action.conversation_id,
        "related": action.related,
        "createdAt": rest_time(action.created_at),
        "updatedAt": rest_time(action.updated_at),
        "completedAt": action.completed_at and rest_time(action.completed_at),
        "failureReason": action.failure_reason,
    }
