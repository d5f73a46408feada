"""What the definition of a trait looks like (contract: memory.md 4.9)."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic.alias_generators import to_camel

from orchestrator.kernel.fields import Text
from orchestrator.kernel.openapi import Wire
from orchestrator.memory.trait_definitions import matcher
from orchestrator.memory.wire import example

_LARGEST_SIZE = 2**31 - 1
_LARGEST_INTEGER = 2**63 - 1


def number(value: Any) -> Any:
    """Raise ValueError for what is no number that can be kept."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")
    if isinstance(value, int) and abs(value) > _LARGEST_INTEGER:
        raise ValueError("a whole number has at most 63 bits")
    if not math.isfinite(value):
        raise ValueError("a number must be finite")
    return value


def _usable(pattern: str) -> str:
    matcher(pattern)
    return pattern


DataType = Literal["STRING", "NUMBER", "BOOLEAN", "ARRAY"]
Size = Annotated[int, Field(strict=True, ge=0, le=_LARGEST_SIZE)]
Number = Annotated[Any, BeforeValidator(number), WithJsonSchema({"type": "number"})]
Pattern = Annotated[Text, Field(max_length=1000), AfterValidator(_usable)]
Description = Annotated[Text, Field(max_length=1024)]


_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "STRING": ("pattern", "min_length", "max_length"),
    "NUMBER": ("min", "max"),
    "BOOLEAN": (),
    "ARRAY": ("min_items", "max_items"),
}
_BOUNDS = (("min_length", "max_length"), ("min", "max"), ("min_items", "max_items"))


class ValidationRule(Wire):
    """What the values of a trait must be like. Which members there are depends on the type."""

    model_config = ConfigDict(**example(ruleType="STRING", pattern="^[A-Z]{2}[0-9]+$", maxLength=12), extra="forbid")

    rule_type: DataType = Field(description="The type of the trait.")
    pattern: Pattern | None = Field(None, description="STRING: matches anywhere unless anchored; no look-around.")
    min_length: Size | None = Field(None, description="STRING: fewest characters.")
    max_length: Annotated[int, Field(strict=True, ge=1, le=_LARGEST_SIZE)] | None = Field(
        None, description="STRING: most characters."
    )
    min: Number | None = Field(None, description="NUMBER: the least.")
    max: Number | None = Field(None, description="NUMBER: the most.")
    min_items: Size | None = Field(None, description="ARRAY: fewest items.")
    max_items: Size | None = Field(None, description="ARRAY: most items.")

    @model_validator(mode="after")
    def _fits_its_type(self) -> "ValidationRule":
        given = self.model_dump(exclude={"rule_type"}, exclude_none=True)
        for name in given:
            if name not in _MEMBERS[self.rule_type]:
                raise ValueError(f"{to_camel(name)} is not for a rule of type {self.rule_type}")
        for least, most in _BOUNDS:
            if least in given and most in given and given[least] > given[most]:
                raise ValueError(f"nothing is at least {given[least]} and at most {given[most]}")
        return self


class TraitDefinition(Wire):
    """A trait: its type, what its values must be like, and which identifier they are."""

    model_config = ConfigDict(extra="forbid")

    data_type: DataType
    description: Description | None = None
    validation_rule: ValidationRule | None = Field(None, description="Of the same type as the trait.")
    id_type_promotion: Annotated[Text, Field(max_length=30)] | None = Field(
        None, description="The identifier type that a STRING or a NUMBER becomes, one that the store has."
    )

    @model_validator(mode="after")
    def _rule_fits(self) -> "TraitDefinition":
        if self.data_type and self.validation_rule and self.validation_rule.rule_type != self.data_type:
            raise ValueError(
                f"a trait of type {self.data_type} cannot have a rule for {self.validation_rule.rule_type}"
            )
        return self

    def stored(self) -> dict[str, Any]:
        """In the API's JSON form, without what is null."""
        return self.model_dump(by_alias=True, exclude_none=True)


class TraitChange(TraitDefinition):
    """A definition to put in place of a trait's own, or the removal of the trait with all its values."""

    data_type: Literal["STRING", "NUMBER", "BOOLEAN", "ARRAY", ""] = Field(  # type: ignore[assignment]
        description="Empty removes the trait; nothing else is then looked at."
    )

    @property
    def removes(self) -> bool:
        """Whether the trait is to go."""
        return self.data_type == ""


class TraitDefinitionResource(Wire):
    """A trait of a group."""

    data_type: DataType
    description: str | None = Field(None, description="Absent when there is none.")
    validation_rule: ValidationRule | None
    id_type_promotion: str | None


def trait_to_wire(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A trait's definition. What it has not is null, as in the live service."""
    return {"validationRule": None, "idTypePromotion": None, **stored}
