"""Traces of communications on the wire: why each is where it is."""

from typing import Literal

from pydantic import Field

from orchestrator.domain.addresses import Channel
from orchestrator.kernel.openapi import Wire


class RuleTrace(Wire):
    """The capture rule that let the message in."""

    channel: Channel
    position: int = Field(description="Among the channel's rules, from 0.")
    from_: str = Field(alias="from")
    to: str


class AttributeTrace(Wire):
    """The TwiML attribute of a call."""

    name: Literal["ConversationConfiguration", "ConversationId"]
    value: str


class SidesTrace(Wire):
    """Which side is ours, and what told."""

    author: str
    recipient: str
    told_by: Literal["number", "rule", "direction", "profile", "none"]


class IdentifierTrace(Wire):
    """An identifier of a memory store."""

    id_type: str
    value: str


class ProfileTrace(Wire):
    """The customer's profile, and by which identifier it was found or made."""

    profile_id: str
    outcome: Literal["found", "created"]
    identifier: IdentifierTrace | None
    variant_of: str | None = Field(
        None, description="The form that was used, of which the identifier is another one; absent when it is the same."
    )
    ambiguous: list[str] | None = Field(
        None, description="Other profiles that an identifier of the same customer led to; absent when there are none."
    )


class OtherLanding(Wire):
    """Another configuration that captured the same message, and where."""

    configuration_id: str | None
    display_name: str | None
    conversation_id: str
    communication_id: str


class LandingTrace(Wire):
    """Every decision on the way."""

    outcome: Literal["NEW", "JOINED", "REOPENED"]
    origin: Literal["PROVIDER", "MESSAGES_API"] = Field(description="A provider's webhook, or our own Messages API.")
    channel: Channel
    from_: str = Field(alias="from", description="The author's address, as it came.")
    to: str = Field(description="The recipient's address, as it came.")
    configuration_id: str | None = Field(description="Null for a conversation with settings of its own.")
    configuration_version: int | None = Field(description="Whose settings decided.")
    display_name: str | None = Field(description="The configuration's, in this version.")
    rule: RuleTrace | None = Field(description="Null when its call says where it belongs.")
    attribute: AttributeTrace | None = Field(None, description="What its call says; absent when a rule captured it.")
    sides: SidesTrace
    profile: ProfileTrace | None
    diagnostics: list[int] = Field(default=[], description="Twilio's codes for what went wrong without stopping it.")
    grouping_type: str
    key: str | None = Field(
        description="The grouping key: the conversation is the open one that holds it. Null when the call names the "
        "conversation."
    )
    conversation_id: str | None = Field(description="Null in a dry run that would open a new one.")
    because: Literal["KEY_WAS_FREE", "HOLDER_HAS_ENDED", "HOLDS_KEY", "WAS_INACTIVE", "CALL_NAMES_IT"] = Field(
        description="Why this conversation."
    )
    succeeds: str | None = Field(
        None, description="The conversation that held the key before and has ended; absent when there was none."
    )
    also_in: list[OtherLanding] = Field(
        default=[], description="Where else the same message landed; absent in a dry run, which has all landings."
    )


class PlacementTrace(Wire):
    """A communication that was put into its conversation: nothing was decided."""

    outcome: Literal["PLACED"]
    origin: Literal["API", "ACTION"]
    channel: Channel
    from_: str = Field(alias="from")
    to: str
    conversation_id: str
    action_id: str | None = Field(None, description="The action that sent it; absent when a caller put it there.")
    reopened: bool = Field(default=False, description="Whether it woke the conversation up.")


class TraceResource(Wire):
    """Why a communication landed where it did."""

    communication_id: str
    conversation_id: str
    trace: LandingTrace | PlacementTrace | None = Field(
        description="Null where an earlier version put it there for a caller, and kept no trace."
    )
    sentences: list[str] = Field(description="The trace in words.")
