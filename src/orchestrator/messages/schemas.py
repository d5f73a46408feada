"""Messages as the API shows them: Twilio's API of 2010 has names in snake_case and times as in e-mails."""

from datetime import datetime
from email.utils import format_datetime
from typing import Any

from pydantic import BaseModel, Field

from orchestrator.domain.segments import segments
from orchestrator.messages.model import MessageStatus, Outgoing

API_VERSION = "2010-04-01"


class MessageResource(BaseModel):
    """A message that was asked for."""

    sid: str = Field(examples=["SM0123456789abcdef0123456789abcdef"])
    account_sid: str
    messaging_service_sid: str | None
    from_: str = Field(alias="from")
    to: str
    body: str | None
    direction: str = Field(description="Always `outbound-api`.")
    status: MessageStatus
    num_media: str
    num_segments: str
    price: str | None = Field(description="Always null.")
    price_unit: str
    error_code: int | None
    error_message: str | None
    api_version: str
    uri: str
    date_created: str = Field(description="RFC 2822, in GMT; so are the others.")
    date_updated: str
    date_sent: str | None
    subresource_uris: dict[str, str] = Field(description="Always empty.")


class MessagePage(BaseModel):
    """One page, newest first."""

    messages: list[MessageResource]
    page: int
    page_size: int
    start: int
    end: int
    uri: str
    first_page_uri: str
    next_page_uri: str | None
    previous_page_uri: str | None


def path_of(account_id: str, sid: str | None = None) -> str:
    """Where a message is, or the list of an account's."""
    return f"/{API_VERSION}/Accounts/{account_id}/Messages{'' if sid is None else '/' + sid}.json"


def to_wire(message: Outgoing) -> dict[str, Any]:
    """A MessageResource."""
    wanted = message.wanted
    text = wanted.content.text
    return {
        "sid": message.sid,
        "account_sid": message.account_id,
        "messaging_service_sid": _text(wanted.settings.get("MessagingServiceSid")),
        "from": wanted.sender.address,
        "to": wanted.recipient.address,
        "body": text,
        "direction": "outbound-api",
        "status": message.status,
        "num_media": str(len(wanted.content.media_urls)),
        "num_segments": str(segments(text or "")),
        "price": None,
        "price_unit": "USD",
        "error_code": message.error_code,
        "error_message": message.error_message,
        "api_version": API_VERSION,
        "uri": path_of(message.account_id, message.sid),
        "date_created": _rfc2822(message.created_at),
        "date_updated": _rfc2822(message.updated_at),
        "date_sent": message.sent_at and _rfc2822(message.sent_at),
        "subresource_uris": {},
    }


def _rfc2822(moment: datetime) -> str:
    return format_datetime(moment)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
