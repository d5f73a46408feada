"""An action, and the message it sends: resolved when it was asked for, and not looked up again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from orchestrator.domain.addresses import Address, Channel

SEND_MESSAGE = "SEND_MESSAGE"
"""The type of every action."""

MOST_TEXT = 8_388_608
"""Characters of a message (conversations.md section 14)."""


class ActionStatus(StrEnum):
    """How far an action got; only PENDING ever changes."""

    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Correspondent:
    """The sender of a message, or a recipient."""

    address: Address
    participant_id: str | None = None
    """Whose address it is, where the caller named the participant."""


@dataclass(frozen=True, slots=True)
class Said:
    """The last that a participant said in a conversation."""

    participant_id: str
    address: Address
    """Where it was said from."""
    communication_id: str
    occurred_at: datetime

    @property
    def order(self) -> tuple[datetime, str]:
        """Its place among all that was said."""
        return (self.occurred_at, self.communication_id)


@dataclass(frozen=True, slots=True)
class Content:
    """What is sent: a text, a template, media, or several of them."""

    text: str | None = None
    """Never blank."""
    content_id: str | None = None
    """A template of Twilio's Content API."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Of the template."""
    media_urls: tuple[str, ...] = ()

    @property
    def readable(self) -> str | None:
        """What a conversation shows of it; None for media alone, which conversations do not keep.

        A template is rendered by the provider. Its name and its variables stand in for what came of it:
        `Template HX… (name: Kiran)`.
        """
        if self.text is not None or self.content_id is None:
            return self.text
        given = ", ".join(f"{name}: {value}" for name, value in self.variables.items())
        return f"Template {self.content_id}{f' ({given})' if given else ''}"[:MOST_TEXT]


@dataclass(frozen=True, slots=True)
class Message:
    """A message that is to be sent."""

    account_id: str
    sender: Correspondent
    recipients: tuple[Correspondent, ...]
    """All on the sender's channel."""
    content: Content
    channel_settings: Mapping[str, Any]
    """The caller's, for the one who sends."""
    sid: str | None = None
    """Its message SID, where it was chosen beforehand."""

    @property
    def channel(self) -> Channel:
        return self.sender.address.channel


@dataclass(frozen=True, slots=True)
class Action:
    """One row."""

    account_id: str
    conversation_id: str
    id: str
    message: Message
    created_at: datetime
    updated_at: datetime
    status: ActionStatus = ActionStatus.PENDING
    related: Mapping[str, str] = field(default_factory=dict)
    """`messageSid`, `communicationId`: what came of it."""
    failure_reason: str | None = None
    completed_at: datetime | None = None
    """When it was COMPLETED or FAILED."""
    attempts: int = 0
    """How often it was handed over."""
    next_attempt_at: datetime | None = None
    """When it may be claimed; while it is claimed, when the claim lapses."""
    handed_over_at: datetime | None = None
    """Since when the sender may have the message."""
