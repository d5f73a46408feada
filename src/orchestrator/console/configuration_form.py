"""A configuration as the fields of a form: what is common has a field; the rest stays, or is written as JSON."""

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import orjson

from orchestrator.console.api import Answer
from orchestrator.console.channel_fields import channels_of, field_of, fields_of_channels
from orchestrator.console.problems import told
from orchestrator.kernel.errors import BadRequest

GROUPINGS = {
    "GROUP_BY_PROFILE": "One open conversation for each customer, whatever channel and number they use.",
    "GROUP_BY_PARTICIPANT_ADDRESSES": "One open conversation for each pair of addresses, whatever the channel.",
    "GROUP_BY_PARTICIPANT_ADDRESSES_AND_CHANNEL_TYPE": "One open conversation for each pair of addresses and channel.",
}
"""What each grouping type means."""
SETTINGS = (
    "displayName",
    "description",
    "conversationGroupingType",
    "memoryStoreId",
    "channelSettings",
    "statusCallbacks",
    "intelligenceConfigurationIds",
    "memoryExtractionEnabled",
    "conversationsV1Bridge",
)
"""What of a configuration can be written."""
CALLBACKS = range(2)
"""Places for callbacks: so many a request may have."""

CONFIRMED = {"Orchestrator-Strict": "false"}
"""Headers of a write whose deletions somebody has looked at: strict accounts need not ask once more."""

_DEEPEST = 100
"""So many brackets within each other an editor takes: far more than settings have."""
_BRACKETS = {"{": 1, "[": 1, "}": -1, "]": -1}
_PLAIN = {
    "displayName": "name",
    "description": "description",
    "conversationGroupingType": "grouping",
    "memoryStoreId": "store",
}
"""Field by setting, of those that are a text."""


def version_of(text: str) -> int:
    """The version that a form was made of. Raises BadRequest."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadRequest("this form does not say which version it was made of: load the page again, and repeat")
    return int(text)


def only(version: int) -> dict[str, str]:
    """The headers of a request that is to change this version and no other."""
    return {"If-Match": f'"{version}"'}


def settings_of(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a configuration that a PUT of it writes."""
    return {name: configuration[name] for name in SETTINGS}


def fields_of(settings: Mapping[str, Any]) -> dict[str, str]:
    """What the form shows of settings; `written` makes the same settings of it."""
    fields = {field: settings[name] for name, field in _PLAIN.items()}
    for place, callback in enumerate(settings["statusCallbacks"]):
        fields |= {f"url.{place}": callback["url"], f"method.{place}": callback["method"]}
    return fields | fields_of_channels(settings["channelSettings"])


def written(fields: Mapping[str, str], kept: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that the fields of a form say; what has no field is as in `kept`."""
    return {
        **kept,
        **{name: fields[field] for name, field in _PLAIN.items() if field in fields},
        "channelSettings": channels_of(fields),
        "statusCallbacks": [
            {"url": fields[f"url.{place}"].strip(), "method": fields.get(f"method.{place}") or "POST"}
            for place in _filled(fields)
        ],
    }


def read_json(text: str) -> tuple[dict[str, Any] | None, dict[str, str]]:
    """The settings in the text of the editor, or what is wrong with it, by field."""
    if max(accumulate(_BRACKETS.get(each, 0) for each in text), default=0) > _DEEPEST:
        return None, {"text": "Too many brackets within each other."}
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return None, {"text": f"This is not JSON: {error}."}
    return (found, {}) if isinstance(found, dict) else (None, {"text": "A configuration is a JSON object: { … }."})


def problems(refusal: Answer, fields: Mapping[str, str]) -> dict[str, str]:
    """What the API says is wrong, by field. What none of them stands for is under the empty name, with its pointer."""
    is_json = fields.get("how") == "json"
    found: dict[str, list[str]] = {}
    for pointer, message in told(refusal):
        field = "" if is_json else _field_at(pointer, fields)
        found.setdefault(field, []).append(message if field else f"{pointer}: {message}")
    wrong = {field: "; ".join(dict.fromkeys(messages)) for field, messages in found.items()}
    return {"text": wrong[""]} if is_json and wrong else wrong


def _field_at(pointer: str, fields: Mapping[str, str]) -> str:
    match pointer.split("/")[1:]:
        case ["statusCallbacks", place, *_]:
            return f"url.{_filled(fields)[int(place)]}"
        case ["channelSettings", channel, *rest]:
            return field_of(channel, rest, fields)
        case [name]:
            return _PLAIN.get(name, "")
    return ""


def _filled(fields: Mapping[str, str]) -> list[int]:
    return [place for place in CALLBACKS if fields.get(f"url.{place}", "").strip()]
