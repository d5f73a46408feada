"""Ids as Twilio writes them: a prefix, and a time-ordered UUID (version 7) in 26 characters of base 32 (TypeID)."""

import os
import re

from uuid_utils import uuid7

CONFIGURATION = "conv_configuration"
CONVERSATION = "conv_conversation"
PARTICIPANT = "conv_participant"
COMMUNICATION = "conv_communication"
ACTION = "conv_action"
OPERATION = "proc_job"
MEMORY_STORE = "mem_store"
PROFILE = "mem_profile"
OBSERVATION = "mem_observation"
SUMMARY = "mem_summary"
MERGE = "mem_merge"
IMPORT = "mem_import"
DIAGNOSTIC = "orch_diagnostic"
DELIVERY = "orch_delivery"
UNCAPTURED = "orch_uncaptured"

MEMORY_STORE_PATTERN = r"^mem_(store|service)_[0-7][0-9a-z]{25}$"
PROFILE_PATTERN = r"^mem_profile_[0-7][0-9a-z]{25}$"
NAMED_STORE_PATTERN = r"^(mem_(store|service)_[0-7][0-9a-z]{25}|memora_service_[0-9a-z]{1,64})$"
"""What settings may name; the second form is that of the examples in Twilio's OpenAPI file."""

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
_SHIFTS = range(120, -1, -10)
_TYPEID = re.compile(r"[a-z_]+_[0-7][0-9a-hjkmnp-tv-z]{25}")


def new_id(prefix: str) -> str:
    """A fresh id such as `conv_conversation_01kgh3m8qce0m9x2t6v4b7r5zn`; later ids sort after earlier ones."""
    number = uuid7().int
    return f"{prefix}_" + "".join([_PAIRS[number >> shift & 0x3FF] for shift in _SHIFTS])


def is_id(text: str, prefix: str) -> bool:
    """Whether a text has the form of an id of this kind."""
    return text.startswith(f"{prefix}_") and _TYPEID.fullmatch(text) is not None


def new_sid(prefix: str) -> str:
    """A Twilio SID: two letters and 32 hexadecimal digits."""
    return prefix + os.urandom(16).hex()
