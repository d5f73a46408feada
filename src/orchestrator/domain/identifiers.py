"""Identifier types of a memory store, and the form in which their values are kept and compared.

Sources: memory.md 3 and 6.3 of the contract. For every address that traffic is recognised by (`domain.identity`), the
identifier looked up there and the one that a client writes here are the same, unless the store says otherwise.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

import phonenumbers
from phonenumbers import ValidationResult

from orchestrator.domain.addresses import Channel, canonical

MAX_LENGTH = 255
"""Longest value in characters, before and after normalisation."""

MAX_VALUES = 100
"""Most values of one type that a profile keeps."""

_PREFIXES = re.compile(r"(?:\s*(?ai:whatsapp|rcs|sms|tel):)+\s*")
_PHONE_PUNCTUATION = re.compile(r"[\s.\-()/]")
_DIGITS = re.compile(r"[0-9]{1,20}")
_UNSTORABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class Normalization(StrEnum):
    """What is done to a value before it is kept and compared."""

    PHONE = "phone"
    EMAIL = "email"
    TRIM = "trim"
    NONE = "none"


class LimitPolicy(StrEnum):
    """Which values go when a profile has more of a type than its limit."""

    FIFO = "fifo"
    """The oldest."""
    LIFO = "lifo"
    """The newest."""


@dataclass(frozen=True, slots=True)
class IdentifierType:
    """How a store treats the values of one type."""

    name: str
    normalization: Normalization = Normalization.TRIM
    limit: int = MAX_VALUES
    limit_policy: LimitPolicy = LimitPolicy.FIFO
    enforce_unique: bool = True


RESERVED: Mapping[str, IdentifierType] = MappingProxyType(
    {
        "email": IdentifierType("email", Normalization.EMAIL),
        "whatsapp": IdentifierType("whatsapp"),
        "phone": IdentifierType("phone", Normalization.PHONE),
        "chat": IdentifierType("chat"),
    }
)
"""What every store starts with and always has, most important first; traffic is recognised by these."""

TYPES = tuple(RESERVED)
"""Their names."""


@dataclass(frozen=True, slots=True)
class IdentitySettings:
    """By what a store recognises people."""

    types: Mapping[str, IdentifierType] = field(default_factory=lambda: RESERVED)
    rules: tuple[str, ...] = TYPES
    """Names of the types that tell who somebody is, most important first."""

    def is_exclusive(self, id_type: str) -> bool:
        """Whether a value of the type belongs to one profile only: it is unique, and a rule matches by it."""
        return id_type in self.rules and id_type in self.types and self.types[id_type].enforce_unique

    def shared_rules(self) -> frozenset[str]:
        """Types that rules match by, whose values several profiles may have."""
        return frozenset(name for name in self.rules if not self.is_exclusive(name))

    def in_order(self) -> tuple[str, ...]:
        """All types, by the order of the rules, then those that no rule names."""
        return tuple(dict.fromkeys([*self.rules, *self.types]))

    def normalise(self, id_type: str, value: str) -> str:
        """The value as the store keeps it. Raises ValueError, with a message for the caller."""
        known = self.types.get(id_type)
        if known is None:
            raise ValueError(f"the store has no identifier type {id_type!r}; it has {', '.join(self.in_order())}")
        return normalise(id_type, value, known.normalization)


def normalise(id_type: str, value: str, rule: Normalization | None = None) -> str:
    """The value as it is kept and compared; idempotent. Without a rule, that of the reserved type.

    | type                | rule    | value                | normalised               |
    |---------------------|---------|----------------------|--------------------------|
    | `phone`             | `phone` | `1-317-555-6789`     | `+13175556789`           |
    | `whatsapp`          | any     | `+1 317 555 6789`    | `whatsapp:+13175556789`  |
    | `email`             | `email` | ` Ann@Example.com`   | `ann@example.com`        |
    | `chat`              | `trim`  | ` client:agent-1 `   | `agent-1`                |
    | a store's own       | `trim`  | ` A 1 `              | `A 1`                    |
    | a store's own       | `none`  | ` A 1 `              | ` A 1 `                  |

    Raises ValueError, with a message for the caller, for an unknown type and for a value that cannot be of its type.
    """
    if rule is None:
        if id_type not in RESERVED:
            raise ValueError(f"the store has no identifier type {id_type!r}; it has {', '.join(TYPES)}")
        rule = RESERVED[id_type].normalization
    result = _normalised(id_type, _checked(value, rule), rule)
    if not 1 <= len(result) <= MAX_LENGTH:
        raise ValueError(f"an identifier has 1 to {MAX_LENGTH} characters once normalised, this one {len(result)}")
    return result


def _normalised(id_type: str, text: str, rule: Normalization) -> str:
    match id_type, rule:
        case "whatsapp", _:  # in the form that traffic is recognised by, as is a trimmed `chat`
            return f"whatsapp:{_phone(text.strip())}"
        case "chat", Normalization.TRIM:
            return canonical(Channel.CHAT, text)
        case _, Normalization.PHONE:
            return _phone(text)
        case _, Normalization.EMAIL:
            return "".join(text.split()).lower()
    return text


def _checked(value: str, rule: Normalization) -> str:
    text = value if rule is Normalization.NONE else value.strip()
    if not text.strip():
        raise ValueError("an identifier must not be empty")
    if len(value) > MAX_LENGTH:
        raise ValueError(f"an identifier has at most {MAX_LENGTH} characters, this one has {len(value)}")
    if _UNSTORABLE.search(text):
        raise ValueError("an identifier must not hold control characters")
    return text


def _phone(text: str) -> str:
    """E.164. Without a plus: a US number if it can be one, otherwise a number that starts with its country code."""
    if prefixes := _PREFIXES.match(text):
        text = text[prefixes.end() :]
    digits = _PHONE_PUNCTUATION.sub("", text)
    if digits.startswith("+"):
        return canonical(Channel.SMS, digits)
    if not _DIGITS.fullmatch(digits):
        raise ValueError(f"{text!r} is not a phone number")
    for candidate, region in ((digits, "US"), (f"+{digits}", None)):
        if (number := _possible(candidate, region)) is not None:
            return canonical(Channel.SMS, number)
    raise ValueError(f"{text!r} is neither a US phone number with its area code nor one with a country code")


def _possible(text: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
