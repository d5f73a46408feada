"""What comes of a step."""

from dataclasses import dataclass, field
from typing import Any

from orchestrator.cli.api import Refused


@dataclass(frozen=True, slots=True)
class Landed:
    """A message in one conversation."""

    configuration: str
    """Its name in the scenario."""
    conversation_id: str
    is_new: bool
    """The scenario did not know the conversation before."""
    communication: dict[str, Any]
    trace: dict[str, Any]

    @property
    def profile_id(self) -> str | None:
        """The customer's."""
        profile = self.trace.get("profile") or {}
        return profile.get("profileId")


@dataclass(slots=True)
class Outcome:
    """What is known after a step was done."""

    happened: list[str] = field(default_factory=list)
    """Sentences for people."""
    sid: str | None = None
    """The provider's id of what came: a message, a fragment, a call."""
    landings: list[Landed] = field(default_factory=list)
    uncaptured: dict[str, Any] | None = None
    """The trace of a message that no configuration of the scenario captured."""
    answer: Any = None
    """What the API answered."""
    refused: Refused | None = None
    transitions: list[dict[str, Any]] = field(default_factory=list)
    """What the timers did to the scenario's conversations."""

    @property
    def conversation_id(self) -> str | None:
        """The conversation that the step was about."""
        if self.landings:
            return self.landings[0].conversation_id
        if not isinstance(self.answer, dict):
            return None
        own = str(self.answer.get("id", ""))
        found = own if own.startswith("conv_conversation_") else self.answer.get("conversationId")
        return str(found) if found else None

    def landing_in(self, configuration: str | None) -> Landed | None:
        """Where a configuration of this name has it; the first one, if it does not matter."""
        fitting = [one for one in self.landings if configuration in (None, one.configuration)]
        return fitting[0] if fitting else None

    def conversation_in(self, configuration: str | None) -> str | None:
        """Likewise the conversation's id, also of what did not land but was asked for."""
        landing = self.landing_in(configuration)
        if landing is not None:
            return landing.conversation_id
        return self.conversation_id if configuration is None else None

    def thing(self) -> dict[str, Any]:
        """What references to the step stand for."""
        if isinstance(self.answer, dict):
            return self.answer
        found: dict[str, Any] = {"sid": self.sid}
        if self.landings:
            first = self.landings[0]
            found |= {
                "conversation": {"id": first.conversation_id},
                "communication": first.communication,
                "profile": {"id": first.profile_id},
                "trace": first.trace,
            }
        return found
