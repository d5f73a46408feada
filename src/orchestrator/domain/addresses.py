"""Addresses: which channels exist, and when two addresses are the same one.

Two forms of every address are kept. `address` is what the provider or caller sent and is echoed back unchanged;
`canonical` is what rules, keys and look-ups compare.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import phonenumbers

MAX_LENGTH = 254
"""Longest address in characters (Conversations API v2, `Address.address`)."""

_PREFIXES = re.compile(r"(?:\s*(?ai:whatsapp|rcs|sms|tel|client):)+\s*")
_PHONE_PUNCTUATION = re.compile(r"[\s.\-()/\u00a0]")
_PLUS_DIGITS = re.compile(r"\+[0-9]{7,15}")
_SIP_PARAMETERS = re.compile(r"[;?].*", re.DOTALL)
_HOST_AND_PORT = re.compile(r"([^:]*|\[.*\]):[0-9]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CACHED_ADDRESSES = 1 << 17


class Channel(StrEnum):
    """Channels of the Conversations API v2."""

    VOICE = "VOICE"
    SMS = "SMS"
    RCS = "RCS"
    WHATSAPP = "WHATSAPP"
    CHAT = "CHAT"
    VIDEO = "VIDEO"
    EMAIL = "EMAIL"


BY_NUMBER = frozenset({Channel.VOICE, Channel.SMS, Channel.RCS, Channel.WHATSAPP})
"""Channels on which a phone number is one and the same phone."""


class InvalidAddress(ValueError):
    """The text cannot be an address of its channel; the message says why."""


@dataclass(frozen=True, slots=True)
class Address:
    """One party's address on one channel."""

    channel: Channel
    address: str
    canonical: str


@lru_cache(maxsize=_CACHED_ADDRESSES)
def parse(channel: Channel, address: str) -> Address:
    """Read an address as it came in.

    Raises InvalidAddress when it is empty (or only a prefix), `*`, longer than 254 characters, holds control
    characters, or starts like an international number (`+`) without being one on a channel of numbers.

    >>> parse(Channel.WHATSAPP, "whatsapp:+1 (555) 123-4567").canonical
    '+15551234567'
    """
    if len(address) > MAX_LENGTH:
        raise InvalidAddress(f"an address has at most {MAX_LENGTH} characters, this one has {len(address)}")
    if _CONTROL.search(address):
        raise InvalidAddress("an address must not hold control characters")
    compared = canonical(channel, address)
    if not compared:
        raise InvalidAddress("an address must not be empty, nor a prefix and nothing else")
    if compared == "*":
        raise InvalidAddress("`*` stands for every address and is none itself")
    return Address(channel, address, compared)


def canonical(channel: Channel, address: str) -> str:
    """The form in which addresses are compared; idempotent.

    | address                               | canonical           |
    |---------------------------------------|---------------------|
    | `whatsapp:+15551234567`               | `+15551234567`      |
    | `tel:+1-555-123-4567`                 | `+15551234567`      |
    | `sip:Ann@Example.COM:5060;transport=tcp` | `sip:Ann@example.com` |
    | `client:agent-1`                      | `agent-1`           |
    | `Ann@Example.com` on EMAIL            | `ann@example.com`   |
    | anything else                         | itself, byte for byte |
    """
    text = address.strip()
    if prefixes := _PREFIXES.match(text):
        text = text[prefixes.end() :]
    if _PLUS_DIGITS.fullmatch(digits := _PHONE_PUNCTUATION.sub("", text)):
        return _e164(digits)
    if text.startswith("+") and channel in BY_NUMBER:
        raise InvalidAddress(f"{text!r} starts like an international number but is not + and 7 to 15 digits")
    if text[:5].lower().startswith(("sip:", "sips:")):
        return _sip(text)
    if channel is Channel.EMAIL:
        return text.lower()
    return text


def is_e164(canonical_address: str) -> bool:
    """Whether a canonical address is a phone number."""
    return _PLUS_DIGITS.fullmatch(canonical_address) is not None


def _e164(digits: str) -> str:
    try:
        number = phonenumbers.parse(digits, None)
    except phonenumbers.NumberParseException:
        # A country code that does not exist: still one address, compared by its digits.
        return digits
    formatted = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    # A short number that parsing leaves too few digits of (`+4308818`) is compared by the digits it came with.
    if formatted == digits or not _PLUS_DIGITS.fullmatch(formatted):
        return digits
    return _e164(formatted)  # parsing takes off one trunk prefix, and there may be several


def _sip(text: str) -> str:
    scheme, _, rest = text.partition(":")
    # An `@` of the user part is always escaped, whereas `;` and `?` are not: the first `@` comes before any parameter.
    user, at, host = rest.partition("@") if "@" in rest else ("", "", rest)
    host = _SIP_PARAMETERS.sub("", host).strip()
    if with_port := _HOST_AND_PORT.fullmatch(host):
        host = with_port[1].strip()
    return f"{scheme.lower()}:{user}{at}{host.lower()}"
