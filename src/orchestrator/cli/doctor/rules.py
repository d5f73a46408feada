"""Checks of capture rules: what they take twice, one way only, or without anybody being able to tell who is who."""

from collections.abc import Iterator, Mapping
from itertools import combinations

from orchestrator.cli.doctor.findings import Finding
from orchestrator.cli.doctor.seen import Configured, Seen
from orchestrator.domain.addresses import Channel
from orchestrator.domain.capture import ANY, CaptureRule

Rules = Mapping[Channel, tuple[CaptureRule, ...]]


def covers(general: CaptureRule, special: CaptureRule) -> bool:
    """Whether all that one rule takes is taken by another."""
    return (
        general.sender in (ANY, special.sender)
        and general.recipient in (ANY, special.recipient)
        and general.metadata.items() <= special.metadata.items()
    )


def one_way(seen: Seen) -> Iterator[Finding]:
    """Rules of which no rule takes the way back: half of each dialogue is missing."""
    for one in seen.configurations:
        for channel, rules in one.settings.rules.items():
            for position, rule in enumerate(rules):
                back = CaptureRule(rule.recipient, rule.sender, rule.metadata)
                if not any(covers(other, back) for other in rules):
                    yield Finding(
                        "one-way-rule",
                        _place(one, channel, position),
                        f"It takes what goes {_shown(rule)}, and no rule takes what goes {_shown(back)}: "
                        "conversations show one side of the dialogue only.",
                        f"Add a rule to channelSettings.{channel}: {_wire(back)}.",
                    )


def shadowed(seen: Seen) -> Iterator[Finding]:
    """Rules that another one of their configuration makes superfluous."""
    for one in seen.configurations:
        for channel, rules in one.settings.rules.items():
            for position, rule in enumerate(rules):
                by = _covered_by(position, rules)
                if by is not None:
                    yield Finding(
                        "shadowed-rule",
                        _place(one, channel, position),
                        f"Rule {by + 1} ({_shown(rules[by])}) takes all that this one takes ({_shown(rule)}). "
                        "Nothing is captured twice by it.",
                        "Remove the one that is not meant.",
                    )


def _covered_by(position: int, rules: tuple[CaptureRule, ...]) -> int | None:
    """The rule that makes this one superfluous; of two equal ones, the second is."""
    this = rules[position]
    for other, rule in enumerate(rules):
        if other != position and covers(rule, this) and (other < position or not covers(this, rule)):
            return other
    return None


def captured_twice(seen: Seen) -> Iterator[Finding]:
    """Configurations that take the same traffic. Two rules that only meet where both ends are ours are left out."""
    for one, other in combinations(seen.configurations, 2):
        for channel, rules in one.settings.rules.items():
            others = other.settings.rules.get(channel, ())
            both = [(a, b) for a in rules for b in others if covers(a, b) or covers(b, a)]
            if both:
                first, second = both[0]
                yield Finding(
                    "captured-twice",
                    f"{one.name} and {other.name}, {channel}",
                    f"Both take the same traffic ({', and '.join(dict.fromkeys(map(_shown, (first, second))))}): each "
                    "message lands in a conversation of each, and is told to the callbacks of both.",
                    "Remove the rule from the configuration that is not meant to have it. If both are meant, "
                    "nothing is wrong.",
                )


def everything(seen: Seen) -> Iterator[Finding]:
    """Rules with `*` on both sides."""
    for one in seen.configurations:
        for channel, rules in one.settings.rules.items():
            for position, rule in enumerate(rules):
                if not rule.literals:
                    yield Finding(
                        "everything-captured",
                        _place(one, channel, position),
                        f"It takes all {channel} traffic of the account, also of numbers that come later.",
                        "Name your number on one side, if that is not meant.",
                    )


def unregistered(seen: Seen) -> Iterator[Finding]:
    """Addresses that stand alone in a rule, and so are ours, but are not registered; each is told once."""
    known = set(seen.numbers)
    for one in seen.configurations:
        for channel, rules in one.settings.rules.items():
            for position, rule in enumerate(rules):
                if rule.literals and known.isdisjoint(rule.literals):
                    known.update(rule.literals)
                    yield Finding(
                        "number-not-registered",
                        _place(one, channel, position),
                        f"{_either(rule)} under /orchestrator/v1/Numbers: who is the customer is concluded from the "
                        "rules and from what the webhooks say, and is wrong where they say nothing or contradict.",
                        f'POST /orchestrator/v1/Numbers {{"address": "{rule.literals[0]}"}}'
                        + (" (or the other one: whichever is yours)." if len(rule.literals) > 1 else "."),
                    )


def _either(rule: CaptureRule) -> str:
    if len(rule.literals) > 1:
        return f"Neither {rule.literals[0]} nor {rule.literals[1]} is registered"
    return f"{rule.literals[0]} is not registered"


def _place(one: Configured, channel: Channel, position: int) -> str:
    return f"{one.name}, {channel}, rule {position + 1}"  # as the sentences of traces count


def _shown(rule: CaptureRule) -> str:
    more = ", ".join(f"{name} {value}" for name, value in sorted(rule.metadata.items()))
    return f"from {rule.sender} to {rule.recipient}" + (f" ({more})" if more else "")


def _wire(rule: CaptureRule) -> str:
    metadata = ", ".join(f'"{name}": "{value}"' for name, value in rule.metadata.items())
    return f'{{"from": "{rule.sender}", "to": "{rule.recipient}"' + (
        f', "metadata": {{{metadata}}}}}' if metadata else "}"
    )


CHECKS = (one_way, shadowed, captured_twice, everything, unregistered)
