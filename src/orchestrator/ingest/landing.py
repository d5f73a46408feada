"""What the pipeline knows of one message on its way into one configuration, and the trace that remains of it."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from orchestrator.configurations.model import Configuration
from orchestrator.domain.addresses import Address
from orchestrator.domain.identity import ParticipantType, Sides
from orchestrator.domain.messages import InboundMessage
from orchestrator.memory.identity import Resolution


class Outcome(StrEnum):
    """What became of a message."""

    NEW = "NEW"
    JOINED = "JOINED"
    REOPENED = "REOPENED"
    DUPLICATE = "DUPLICATE"
    UNCAPTURED = "UNCAPTURED"


@dataclass(slots=True)
class Side:
    """One of the two parties of a message."""

    address: Address
    type: ParticipantType
    resolution: Resolution | None = None

    @property
    def profile_id(self) -> str | None:
        return self.resolution.profile_id if self.resolution else None


@dataclass(slots=True)
class Landing:
    """One message in one configuration. Each step of the pipeline fills in its part."""

    message: InboundMessage
    configuration: Configuration
    rule: int
    """Position of the rule that captured it among the channel's rules."""
    author: Side
    recipient: Side
    told_by: str
    """How the two sides were told apart: `number`, `rule`, `direction`, `profile` or `none`."""
    diagnostics: list[int] = field(default_factory=list)
    """Twilio's codes for what went wrong without stopping anything: 530001, 530003, 530004."""
    key: str = ""
    outcome: Outcome = Outcome.JOINED

    @property
    def sides(self) -> tuple[Side, Side]:
        return (self.author, self.recipient)

    @property
    def group_key(self) -> tuple[str, str, str]:
        """The key in its scope: account and configuration."""
        return (self.configuration.account_id, self.configuration.id, self.key)

    @property
    def customer(self) -> Side | None:
        """The side that has, or may have, a profile."""
        return next((side for side in self.sides if side.type is ParticipantType.CUSTOMER), None)

    def take_sides(self, sides: Sides) -> None:
        self.author.type, self.recipient.type, self.told_by = sides.author, sides.recipient, sides.reason

    def trace(self) -> dict[str, Any]:
        """Why it landed where it did, for people."""
        channel = self.message.channel
        rule = self.configuration.settings.rules[channel][self.rule]
        trace = {
            "outcome": self.outcome,
            "configurationId": self.configuration.id,
            "configurationVersion": self.configuration.version,
            "rule": {"channel": channel, "position": self.rule, "from": rule.sender, "to": rule.recipient},
            "groupingType": self.configuration.settings.grouping_type,
            "key": self.key,
            "sides": {"author": self.author.type, "recipient": self.recipient.type, "toldBy": self.told_by},
            "profile": self._profile_trace(),
        }
        if self.diagnostics:
            trace["diagnostics"] = self.diagnostics
        return trace

    def _profile_trace(self) -> dict[str, Any] | None:
        resolution = next((side.resolution for side in self.sides if side.resolution and side.profile_id), None)
        if resolution is None:
            return None
        identifier = resolution.identifier
        return {
            "profileId": resolution.profile_id,
            "outcome": resolution.outcome,
            "identifier": identifier and {"idType": identifier.id_type, "value": identifier.value},
        }
