"""What a trait may hold: its type, the rule that its values must pass, and the identifier that they become.

Contract: memory.md 4.9. Patterns are matched by Pydantic's engine, whose time grows with the text and never explodes,
so a pattern that a client has sent cannot hold the service up; what it leaves out for that (look-around, back
references) is refused when the trait is defined.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any

import orjson
from pydantic import StringConstraints, TypeAdapter, ValidationError

STRING, NUMBER, BOOLEAN, ARRAY = "STRING", "NUMBER", "BOOLEAN", "ARRAY"

PROMOTABLE = frozenset({STRING, NUMBER})
"""Types whose values can be identifiers."""

LONGEST_MATCHED = 10_000
"""Characters of the longest text that is compared with a pattern."""

_NAMES = {STRING: "a string", NUMBER: "a number", BOOLEAN: "true or false", ARRAY: "an array"}


@dataclass(frozen=True, slots=True)
class Definition:
    """One trait of a group."""

    data_type: str
    rule: Mapping[str, Any] | None = None
    """In the API's JSON form."""
    promotes_to: str | None = None
    """The identifier type that a value becomes, beside being a trait."""

    def check(self, value: Any) -> None:
        """Raise ValueError, with a message for the caller, unless the trait can hold the value."""
        if _type(value) != self.data_type:
            raise ValueError(f"this trait is {_NAMES[self.data_type]}")
        if self.rule and self.data_type in _CHECKS:
            _CHECKS[self.data_type](self.rule, value)


Definitions = Mapping[str, Mapping[str, Definition]]
"""By group and name."""


def definition(stored: Mapping[str, Any]) -> Definition:
    """The definition, from the API's JSON form."""
    return Definition(stored["dataType"], stored.get("validationRule"), stored.get("idTypePromotion"))


def identifier_text(value: Any) -> str:
    """The value of a promoted trait as an identifier; a number as JSON writes it."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


@lru_cache(maxsize=1_024)
def matcher(pattern: str) -> TypeAdapter[str]:
    """What tells whether a text matches, anywhere unless the pattern is anchored. Raises ValueError for a bad one."""
    try:
        return TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
    except Exception as error:  # the class belongs to Pydantic's core, which is not a dependency of ours
        reason = str(error).strip().rpartition("\n")[2].strip()
        raise ValueError(f"the pattern cannot be used: {reason.removeprefix('error: ')}") from error


def _type(value: Any) -> str:
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, str):
        return STRING
    return NUMBER if isinstance(value, int | float) else ARRAY


def _check_string(rule: Mapping[str, Any], value: str) -> None:
    _check_size(rule.get("minLength"), rule.get("maxLength"), len(value), "characters")
    if (pattern := rule.get("pattern")) is None:
        return
    if len(value) > LONGEST_MATCHED:
        raise ValueError(f"a text that must match a pattern has at most {LONGEST_MATCHED} characters")
    try:
        matcher(pattern).validate_python(value)
    except ValidationError as error:
        raise ValueError(f"must match the pattern {pattern}") from error


def _check_number(rule: Mapping[str, Any], value: float) -> None:
    least, most = rule.get("min"), rule.get("max")
    if least is not None and value < least:
        raise ValueError(f"must be at least {least}")
    if most is not None and value > most:
        raise ValueError(f"must be at most {most}")


def _check_array(rule: Mapping[str, Any], value: list[Any]) -> None:
    _check_size(rule.get("minItems"), rule.get("maxItems"), len(value), "items")


def _check_size(least: int | None, most: int | None, size: int, what: str) -> None:
    if least is not None and size < least:
        raise ValueError(f"must have at least {least} {what}, this one has {size}")
    if most is not None and size > most:
        raise ValueError(f"must have at most {most} {what}, this one has {size}")


# A rule for true and false says nothing more.
_CHECKS: Mapping[str, Any] = {
    STRING: _check_string,
    NUMBER: _check_number,
    ARRAY: _check_array,
}
