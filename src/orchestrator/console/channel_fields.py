"""Channel settings as the fields of a form: numbers that all channels share, and for each its timers and other rules.

A rule is a line: `from -> to`, or JSON where it says more than two addresses. The rules to and from the shared numbers
come first, on all channels of numbers; so what the form shows and what is made of it are the same, in the same order.
"""

from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any

import orjson

from orchestrator.domain.addresses import BY_NUMBER, Channel
from orchestrator.domain.lifecycle import LIFETIME

CHANNELS = [channel.value for channel in Channel]
_NEVER = LIFETIME.total_seconds() // 60
"""The closing time, in minutes, that the API fills in where none was given."""

Json = Mapping[str, Any]
Fields = Mapping[str, str]


def fields_of_channels(settings: Json) -> dict[str, str]:
    """The fields that stand for channel settings; `channels_of` makes the same settings of them."""
    numbers = _shared(settings)
    fields = {"numbers": "\n".join(numbers)}
    for channel, setting in settings.items():
        timeouts = setting["statusTimeouts"] or {}
        closed = timeouts.get("closed")
        rules = setting["captureRules"][2 * len(numbers) if channel in BY_NUMBER else 0 :]
        fields |= {
            f"on.{channel}": "on",
            f"inactive.{channel}": str(timeouts.get("inactive") or ""),
            f"closed.{channel}": "" if closed in (None, _NEVER) else str(closed),
            f"rules.{channel}": "\n".join(_line(rule) for rule in rules),
        }
    return fields


def channels_of(fields: Fields) -> dict[str, Any]:
    """The channel settings that fields say. What makes no sense stays as it was typed, for the API to refuse."""
    return {channel: _setting(fields, channel) for channel in CHANNELS if f"on.{channel}" in fields}


def field_of(channel: str, rest: list[str], fields: Fields) -> str:
    """The field that a place below the settings of a channel comes from; empty for none."""
    match rest:
        case ["statusTimeouts", *which]:
            return f"{which[0] if which else 'closed'}.{channel}"
        case ["captureRules", place, *_]:
            return "numbers" if int(place) < 2 * len(_numbers(fields, channel)) else f"rules.{channel}"
    return ""


def rule_of(line: str) -> Any:
    """The rule that a line says; the line itself if it says none."""
    if line.startswith("{"):
        try:
            return orjson.loads(line)
        except orjson.JSONDecodeError:
            return line
    sender, arrow, recipient = line.partition("->")
    return {"from": sender.strip(), "to": recipient.strip()} if arrow else line


def _setting(fields: Fields, channel: str) -> dict[str, Any]:
    timers = {name: _minutes(fields.get(f"{name}.{channel}", "").strip()) for name in ("inactive", "closed")}
    given = {name: minutes for name, minutes in timers.items() if minutes != ""}
    rules = [rule for number in _numbers(fields, channel) for rule in _both_ways(number)]
    rules += [rule_of(line) for line in _lines(fields.get(f"rules.{channel}", ""))]
    return {"statusTimeouts": given or None, "captureRules": rules}


def _minutes(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def _numbers(fields: Fields, channel: str) -> list[str]:
    return _lines(fields.get("numbers", "").replace(",", "\n")) if channel in BY_NUMBER else []


def _shared(settings: Json) -> list[str]:
    """Those with which the rules of every channel of numbers begin: to each, and then from each."""
    paired = [list(_paired(setting["captureRules"])) for name, setting in settings.items() if name in BY_NUMBER]
    return [each[0] for each in takewhile(lambda each: len(set(each)) == 1, zip(*paired, strict=False))]


def _paired(rules: list[dict[str, Any]]) -> Iterator[str]:
    for inward, outward in zip(rules[::2], rules[1::2], strict=False):
        number = inward["to"]
        if [inward, outward] != _both_ways(number) or _lines(number.replace(",", "\n")) != [number]:
            return
        yield number


def _both_ways(number: str) -> list[dict[str, str]]:
    return [{"from": "*", "to": number}, {"from": number, "to": "*"}]


def _line(rule: Json) -> str:
    plain = f"{rule['from']} -> {rule['to']}"
    return (
        plain
        if _lines(plain) == [plain] and rule_of(plain) == rule
        else orjson.dumps({"from": rule["from"], **rule}).decode()
    )


def _lines(text: str) -> list[str]:
    """Not `splitlines`, which also ends a line where a text has another kind of white space."""
    return [line.strip() for line in text.replace("\r", "\n").split("\n") if line.strip()]
