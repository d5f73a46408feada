"""TwiML attributes: a call may say itself where it belongs (contract README, "Active ingestion").

`<ConversationRelay>` and `<Transcription>` name a configuration, and the call joins the open conversation that groups
with it there, or a conversation, and the call joins that very one.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from orchestrator.ingest.fields import Fields, wrong
from orchestrator.kernel.errors import BadRequest


class AttributeName(StrEnum):
    """The two attributes."""

    CONFIGURATION = "ConversationConfiguration"
    CONVERSATION = "ConversationId"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One of them with its value."""

    name: AttributeName
    value: str
    field: str = field(default="", compare=False)
    """How the webhook spells the name."""

    def shown(self) -> dict[str, str]:
        """As traces show it."""
        return {"name": self.name, "value": self.value}

    def refusal(self, why: str) -> BadRequest:
        """The error for an attribute that leads nowhere."""
        return wrong(self.field or self.name, why, self.value)


_NAMES = {name.lower(): name for name in AttributeName}
_MISSPELT = "conversationconfigurationid"


def told_attribute(fields: Fields) -> Attribute | None:
    """The attribute that a webhook carries, however its name is capitalised.

    Raises BadRequest when there are two, and for the misspelling that Twilio overlooks in silence.
    """
    told = []
    for spelling, value in fields.items():
        lowered = spelling.lower()
        if lowered == _MISSPELT:
            raise wrong(spelling, f"there is no such attribute; it is called {AttributeName.CONFIGURATION}", value)
        if lowered in _NAMES and value.strip():
            told.append(Attribute(_NAMES[lowered], value.strip(), spelling))
    if len(set(told)) > 1:
        first, second, *_ = told
        raise second.refusal(f"a call belongs to one conversation, and {first.field} says to which: leave one out")
    return told[0] if told else None
