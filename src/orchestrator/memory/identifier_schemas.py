"""What identifiers look like (contract: memory.md 4.6)."""

from pydantic import Field

from orchestrator.domain.identifiers import MAX_LENGTH
from orchestrator.kernel.fields import Text
from orchestrator.kernel.openapi import Wire
from orchestrator.memory.wire import example


class IdentifierRequest(Wire):
    """A value by which somebody is recognised."""

    model_config = example(idType="phone", value="+1 555 987 6543")

    id_type: Text = Field(
        min_length=2,
        max_length=30,
        description="One that the store has: `email`, `whatsapp`, `phone`, `chat`, or its own.",
    )
    value: Text = Field(min_length=1, max_length=MAX_LENGTH, description="In any form; it is normalised by its type.")


class IdentifierUpdate(Wire):
    """A value to be put in place of another."""

    model_config = example(idType="phone", oldValue="+15551234567", newValue="+15559876543")

    id_type: Text = Field(min_length=2, max_length=30, description="As in the path.")
    old_value: Text = Field(min_length=1, max_length=MAX_LENGTH, description="One that the profile has, in any form.")
    new_value: Text = Field(min_length=1, max_length=MAX_LENGTH, description="In any form; it is normalised.")


class IdentifierResource(Wire):
    """A profile's values of one identifier type."""

    model_config = example(idType="phone", values=["+15551234567", "+15559876543"])

    id_type: str
    values: list[str] = Field(description="Normalised, oldest first.")


class IdentifierList(Wire):
    """All identifiers of a profile."""

    identifiers: list[IdentifierResource]
