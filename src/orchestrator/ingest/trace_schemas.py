"""Traces of what landed nowhere, on the wire."""

from typing import Any, Literal

from pydantic import Field

from orchestrator.communications.trace_schemas import AttributeTrace, RuleTrace
from orchestrator.domain.addresses import Channel
from orchestrator.domain.messages import Direction
from orchestrator.kernel.openapi import Wire


class RuleDifference(Wire):
    """One thing that would have to be otherwise for a rule to capture the message."""

    field: Literal["direction", "from", "to", "channel", "metadata"] = Field(
        description="`direction`: the rule takes what goes the other way; its `from` and `to` are then compared with "
        "recipient and sender."
    )
    rule: str | None = Field(description="What the rule says; null for `direction`.")
    message: str | None = Field(description="What the message has; null where it has none.")
    name: str | None = Field(None, description="Of the entry of the metadata; absent otherwise.")
    same_number: bool = Field(
        default=False, description="Both mean one number, written in two ways: rules compare what is written."
    )


class NearRuleTrace(RuleTrace):
    """A rule that came near, and what differed."""

    metadata: dict[str, str] = Field(description="What else it asks for; `callType` is PSTN unless it says otherwise.")
    differences: list[RuleDifference] = Field(description="At least one.")


class ConsideredConfiguration(Wire):
    """A configuration that was asked whether it captures the message."""

    configuration_id: str
    configuration_version: int
    display_name: str
    captured: bool
    rule: RuleTrace | None = Field(description="The rule that captured it; null where none did, or its call says so.")
    rules_of_channel: int = Field(description="How many rules it has for the message's channel.")
    nearest: list[NearRuleTrace] = Field(description="Its rules that came nearest, the nearest first.")


class UncapturedTrace(Wire):
    """Why something became no communication."""

    outcome: Literal["UNCAPTURED", "REFUSED"] = Field(
        description="REFUSED: it was signed by the account, but a field makes no sense."
    )
    reason: str = Field(description="In words; of what was refused, the message of the error.")
    origin: Literal["MESSAGES_API"] | None = Field(None, description="Absent when a provider told of it.")
    from_: str | None = Field(None, alias="from", description="The sender, as told.")
    to: str | None = Field(None, description="The recipient, as told.")
    channel: Channel | None = Field(None, description="This and the next ones: of a message that could be read.")
    direction: Direction | None = None
    channel_id: str | None = None
    attributes: dict[str, str] | None = Field(None, description="What the metadata of rules may ask for: `callType`.")
    attribute: AttributeTrace | None = Field(None, description="Where its call said that it belongs, which has ended.")
    considered: list[ConsideredConfiguration] | None = Field(
        None, description="All configurations as they were then, with the five rules that came nearest."
    )
    error_code: int | None = Field(None, description="This and the next two: of what was refused.")
    field: str | None = Field(None, description="The wrong field, as a JSON pointer.")
    value: Any = Field(None, description="What it was; null where that is text that somebody said.")
    fields: dict[str, str] | None = Field(
        None, description="What else the webhook told of itself, where it could not be read or used: no text."
    )
