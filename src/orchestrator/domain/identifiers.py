"""Identifier types of a memory store, and the form in which their values are kept and compared.

Sources: memory.md 3.2, 3.4 and 6.3 of the contract. For every address that traffic is recognised by
(`domain.identity`), the identifier looked up there and the one that a client writes here are the same.
"""

import re

import phonenumbers
from phonenumbers import ValidationResult

from orchestrator.domain.addresses import Channel, canonical

TYPES = ("email", "whatsapp", "phone", "chat")
"""What every store starts with, most important first; each value belongs to one profile."""

MAX_LENGTH = 255
"""Longest value in characters, before and after normalisation."""

MAX_VALUES = 100
"""Values of one type that a profile keeps; a newer one displaces the oldest."""

_PREFIXES = re.compile(r"(?:\s*(?ai:whatsapp|rcs|sms|tel):)+\s*")
_PHONE_PUNCTUATION = re.compile(r"[\s.\-()/]")
_DIGITS = re.compile(r"[0-9]{1,20}")
_UNSTORABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def normalise(id_type: str, value: str) -> str:
    """The value as it is kept and compared; idempotent.

    | type       | value                | normalised               |
    |------------|----------------------|--------------------------|
    | `phone`    | `1-317-555-6789`     | `+13175556789`           |
    | `whatsapp` | `+1 317 555 6789`    | `whatsapp:+13175556789`  |
    | `email`    | ` Ann@Example.com`   | `ann@example.com`        |
    | `chat`     | ` agent-1 `          | `agent-1`                |

    Raises ValueError, with a message for the caller, for an unknown type and for a value that cannot be of its type.
    """
    text = _checked(value)
    match id_type:
        case "phone":
            result = _phone(text)
        case "whatsapp":
            result = f"whatsapp:{_phone(text)}"
        case "email":
            result = "".join(text.split()).lower()
        case "chat":
            result = canonical(Channel.CHAT, text)
        case _:
            raise ValueError(f"the store has no identifier type {id_type!r}; it has {', '.join(TYPES)}")
    if not 1 <= len(result) <= MAX_LENGTH:
        raise ValueError(f"an identifier has 1 to {MAX_LENGTH} characters once normalised, this one {len(result)}")
    return result


def _checked(value: str) -> str:
    text = value.strip()
    if not text:
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
