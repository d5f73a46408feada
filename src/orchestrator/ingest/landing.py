"""What the pipeline knows of one message on its way into one conversation, and the trace that remains of it."""

from collections.abc import Set
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from orchestrator.configurations.model import Configuration
from orchestrator.conversations.model import Conversation
from orchestrator.domain.addresses import Address
from orchestrator.domain.configuration import Settings
from orchestrator.domain.identity import ParticipantType, Sides
from orchestrator.domain.messages import InboundMessage, Origin
from orchestrator.ingest.attributes import Attribute
from orchestrator.memory.identity import Resolution
from orchestrator.participants.service import Party

ConversationKey = tuple[str, str]
"""Account id, conversation id."""

GroupKey = tuple[str, str, str]
"""Account id, configuration id, grouping key."""

Target = Configuration | Conversation
"""Where to land: in the open conversation of a configuration that the grouping key leads to, or in this very one.

The conversation was only looked at, and is not locked.
"""


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
    """One message on its way to one target. Each step of the pipeline fills in its part."""

    message: InboundMessage
    """Without content, a call that is to be attached before anything is said."""
    target: Target
    by: int | Attribute
    """What captured it: a rule, by its position among the channel's rules, or what its call says."""
    author: Side
    recipient: Side
    told_by: str
    """How the two sides were told apart: `number`, `rule`, `direction`, `profile` or `none`."""
    attaches: bool = False
    """Whether the conversation learns here that the call belongs to it."""
    diagnostics: list[int] = field(default_factory=list)
    """Twilio's codes for what went wrong without stopping anything: 530001, 530003, 530004."""
    key: str | None = None
    """The grouping key; None where the target is a conversation."""
    taken: Set[GroupKey] = frozenset()
    """Keys that were taken for the conversation, where the target is one, before it was locked."""
    outcome: Outcome = Outcome.JOINED
    succeeds: str | None = None
    """The conversation that held the key until its closing time, which has passed, if this opens a new one."""

    @property
    def sides(self) -> tuple[Side, Side]:
        return (self.author, self.recipient)

    @property
    def group_key(self) -> GroupKey:
        """The key in its scope, where the target is a configuration."""
        assert self.key is not None
        return (self.target.account_id, self.target.id, self.key)

    @property
    def settings(self) -> Settings:
        """Those that decide how it groups, and where customers are recognised."""
        return self.target.settings

    @property
    def customer(self) -> Side | None:
        """The side that has, or may have, a profile."""
        return next((side for side in self.sides if side.type is ParticipantType.CUSTOMER), None)

    def parties(self, channel_id: str | None = None) -> tuple[Party, Party]:
        """Author and recipient as they take part; `channel_id` is the call that their addresses stand for from now."""
        author, recipient = (
            Party(side.address, facing.address, side.type, side.profile_id, channel_id)
            for side, facing in zip(self.sides, self.sides[::-1], strict=True)
        )
        return (author, recipient)

    def take_sides(self, sides: Sides) -> None:
        self.author.type, self.recipient.type, self.told_by = sides.author, sides.recipient, sides.reason

    def trace(self) -> dict[str, Any]:
        """Why it landed where it did, for people. What its communication tells anyway is not in it."""
        trace = {
            "outcome": self.outcome,
            "from": self.author.address.address,
            "to": self.recipient.address.address,
            "configurationId": configuration_of(self.target),
            "configurationVersion": _version_of(self.target),
            **self._capture_trace(),
            "groupingType": self.settings.grouping_type,
            "key": self.key,
            "sides": {"author": self.author.type, "recipient": self.recipient.type, "toldBy": self.told_by},
            "profile": self._profile_trace(),
        }
        if self.diagnostics:
            trace["diagnostics"] = self.diagnostics
        if self.succeeds is not None:
            trace["succeeds"] = self.succeeds
        if self.message.origin is not Origin.PROVIDER:
            trace["origin"] = self.message.origin
        return trace

    def _capture_trace(self) -> dict[str, Any]:
        if isinstance(self.by, Attribute):
            return {"rule": None, "attribute": self.by.shown()}
        channel = self.message.channel
        rule = self.settings.rules[channel][self.by]
        return {"rule": {"channel": channel, "position": self.by, "from": rule.sender, "to": rule.recipient}}

    def _profile_trace(self) -> dict[str, Any] | None:
        resolution = next((side.resolution for side in self.sides if side.resolution and side.profile_id), None)
        if resolution is None:
            return None
        identifier = resolution.identifier
        trace: dict[str, Any] = {
            "profileId": resolution.profile_id,
            "outcome": resolution.outcome,
            "identifier": identifier and {"idType": identifier.id_type, "value": identifier.value},
        }
        if resolution.variant_of is not None:
            trace["variantOf"] = resolution.variant_of.value
        if resolution.ambiguous:
            trace["ambiguous"] = list(resolution.ambiguous)
        return trace


def configuration_of(target: Target) -> str | None:
    """The configuration that a landing there counts for; None for a conversation with settings of its own."""
    return target.id if isinstance(target, Configuration) else target.configuration_id


def _version_of(target: Target) -> int | None:
    return target.version if isinstance(target, Configuration) else target.configuration_version
