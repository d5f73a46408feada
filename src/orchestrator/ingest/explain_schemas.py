"""Questions and answers of `/orchestrator/v1/Explain` on the wire."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from orchestrator.communications.trace_schemas import LandingTrace, ProfileTrace
from orchestrator.domain.explaining import considered, sentences
from orchestrator.domain.messages import Direction
from orchestrator.ingest.rehearsing import Question, Rehearsal
from orchestrator.ingest.trace_schemas import ConsideredConfiguration, UncapturedTrace
from orchestrator.kernel.fields import Text, refused
from orchestrator.kernel.openapi import Wire
from orchestrator.phones import is_of_another


def _says_something(text: str) -> str:
    """Raise ValueError for a text that is blank."""
    if not text.strip():
        raise ValueError("this must not be blank")
    return text


Words = Annotated[Text, AfterValidator(_says_something)]
"""Text that is not blank."""


class ExplainRequest(Wire):
    """A message, or a fragment of what is said on a call, that does not exist."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"channel": "SMS", "from": "+15551234567", "to": "+16505550199", "text": "Hello"}}
    )

    channel: Literal["SMS", "WHATSAPP", "RCS", "VOICE"]
    from_: Words = Field(alias="from", description="Who writes, or speaks; prefixes of WhatsApp and RCS are added.")
    to: Words = Field(description="Who is written or spoken to.")
    text: Words = Field("hello", description="Not blank.")
    direction: Direction | None = Field(
        None, description="As the provider would state it. Null: not at all, but INBOUND on VOICE."
    )
    configuration_id: Text | None = Field(
        None, description="VOICE only: what the call's attribute `ConversationConfiguration` says."
    )
    conversation_id: Text | None = Field(
        None, description="VOICE only: what the call's attribute `ConversationId` says."
    )


class WouldBeProfile(ProfileTrace):
    """The customer's profile."""

    profile_id: str | None = Field(description="Null if it would be made.")  # type: ignore[assignment]


class WouldBeLanding(LandingTrace):
    """Every decision on the way. What would be new has no id yet."""

    dry_run: Literal[True]
    profile: WouldBeProfile | None
    open_since: str | None = Field(
        None,
        description="When the conversation was opened; absent if it would be new.",
        json_schema_extra={"format": "date-time"},
    )


class WouldBeCallback(Wire):
    """A status callback that would be told."""

    url: str
    method: str
    event_types: list[str] = Field(description="In their order.")


class Explanation(Wire):
    """What would become of it. Nothing did."""

    dry_run: Literal[True]
    outcome: Literal["CAPTURED", "UNCAPTURED", "REFUSED"]
    landings: list[WouldBeLanding] = Field(description="One for each conversation that it would reach.")
    uncaptured: UncapturedTrace | None = Field(description="What would be kept of it if it is not captured.")
    considered: list[ConsideredConfiguration] = Field(
        description="All configurations; those that do not capture it with their two nearest rules."
    )
    callbacks: list[WouldBeCallback]
    sentences: list[str] = Field(description="The answer in words.")


def to_question(request: ExplainRequest) -> Question:
    """The message that is asked about. Raises BadRequest where its parts contradict each other."""
    for pointer, value in (
        ("/configurationId", request.configuration_id),
        ("/conversationId", request.conversation_id),
    ):
        if value is not None and request.channel != "VOICE":
            raise refused(pointer, "only a call, on VOICE, says where it belongs", value)
    for pointer, value in (("/from", request.from_), ("/to", request.to)):
        if is_of_another(request.channel, value):
            raise refused(pointer, f"its prefix is of another channel than {request.channel}", value)
    return Question(
        request.channel,
        request.from_,
        request.to,
        request.text,
        request.direction,
        request.configuration_id,
        request.conversation_id,
    )


def to_wire(rehearsal: Rehearsal) -> dict[str, Any]:
    """The JSON form."""
    return {
        "dryRun": True,
        "outcome": rehearsal.outcome,
        "landings": list(rehearsal.landings),
        "uncaptured": rehearsal.uncaptured,
        "considered": list(rehearsal.considered),
        "callbacks": list(rehearsal.callbacks),
        "sentences": _sentences(rehearsal),
    }


def _sentences(rehearsal: Rehearsal) -> list[str]:
    """Of each landing, then of the configurations where it would not land."""
    if rehearsal.uncaptured is not None:
        return sentences(rehearsal.uncaptured)
    landed = [sentence for landing in rehearsal.landings for sentence in sentences(landing)]
    channel = rehearsal.landings[0]["channel"]
    others = [one for one in rehearsal.considered if not one["captured"]]
    return landed + [sentence for one in others for sentence in considered(one, channel)]
