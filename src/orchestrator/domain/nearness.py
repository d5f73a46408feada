"""Nearness: which capture rules came closest to capturing a message that they did not, and what differed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from heapq import nsmallest
from operator import itemgetter

from orchestrator.domain.addresses import Channel, is_e164
from orchestrator.domain.capture import ANY, CaptureRule
from orchestrator.domain.messages import InboundMessage
from orchestrator.domain.variants import variants

MOST = 5
"""Rules that are told of."""

_SHORTEST_NATIONAL = 7
"""Digits that a number without its country code has at least."""


class Field(StrEnum):
    """What of a rule a message does not fit."""

    DIRECTION = "direction"
    """The rule takes what goes the other way. Its `from` and `to` are then compared with recipient and sender."""
    FROM = "from"
    TO = "to"
    CHANNEL = "channel"
    METADATA = "metadata"


_OTHER_FORM, _DIRECTION, _ADDRESS = 1, 2, 6
"""Weights: of a number that is only written in another form, of the direction, of another address."""
_WEIGHTS = {
    Field.DIRECTION: _DIRECTION,
    Field.METADATA: 3,
    Field.CHANNEL: 4,
    Field.FROM: _ADDRESS,
    Field.TO: _ADDRESS,
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that would have to be otherwise."""

    field: Field
    wanted: str | None = None
    """What the rule says; None for the direction."""
    found: str | None = None
    """What the message has; None where it has none."""
    name: str | None = None
    """Of the entry of the metadata."""
    same_number: bool = False
    """Both mean one number, and only one of them is written as the other."""

    @property
    def weight(self) -> int:
        return _OTHER_FORM if self.same_number else _WEIGHTS[self.field]


@dataclass(frozen=True, slots=True)
class NearRule:
    """A rule that did not capture a message."""

    channel: Channel
    position: int
    """Among the rules of its channel, from 0."""
    rule: CaptureRule
    differences: tuple[Difference, ...]
    """At least one."""

    @property
    def distance(self) -> int:
        return sum(one.weight for one in self.differences)


def near_rules(
    message: InboundMessage, rules: Mapping[Channel, Sequence[CaptureRule]], most: int = MOST
) -> list[NearRule]:
    """The rules of a configuration that came closest, the closest first; without those that capture the message."""
    # Weighed before anything is written down: a configuration may have hundreds of rules.
    weighed = (
        (distance, channel, position)
        for channel, of_channel in rules.items()
        for position, rule in enumerate(of_channel)
        if (distance := _distance(message, channel, rule))
    )
    return [
        NearRule(channel, position, rule := rules[channel][position], differences(message, channel, rule))
        for _, channel, position in nsmallest(most, weighed, key=itemgetter(0))
    ]


def differences(message: InboundMessage, channel: Channel, rule: CaptureRule) -> tuple[Difference, ...]:
    """What would have to be otherwise for a rule of this channel to capture the message; nothing if it does.

    What the metadata of another channel asks for does not count: nobody knows what the message would say there.
    """
    sender, recipient = message.author.canonical, message.recipient.canonical
    straight, turned = _apart(rule, sender, recipient), _DIRECTION + _apart(rule, recipient, sender)
    ends = _ends(rule, sender, recipient)
    if turned < straight:
        ends = (Difference(Field.DIRECTION), *_ends(rule, recipient, sender))
    if channel is not message.channel:
        return (Difference(Field.CHANNEL, channel, message.channel), *ends)
    return (*ends, *_metadata(rule, message))


def is_same_number(one: str, other: str) -> bool:
    """Whether two canonical addresses, which differ, are two ways to write one number down.

    >>> is_same_number("16505550199", "+16505550199"), is_same_number("(650) 555-0199", "+16505550199")
    (True, True)
    >>> is_same_number("+5511987654321", "+551187654321"), is_same_number("+16505550199", "+16505550100")
    (True, False)
    """
    if one[-1:] != other[-1:]:
        return False
    if is_e164(one) and is_e164(other):
        return other in variants(one)
    if not (is_e164(one) or is_e164(other)):
        return False
    national, international = sorted((_significant(one), _significant(other)), key=len)
    return len(national) >= _SHORTEST_NATIONAL and international.endswith(national)


def _distance(message: InboundMessage, channel: Channel, rule: CaptureRule) -> int:
    """The sum of the weights of what differs."""
    sender, recipient = message.author.canonical, message.recipient.canonical
    ends = min(_apart(rule, sender, recipient), _DIRECTION + _apart(rule, recipient, sender))
    if channel is not message.channel:
        return _WEIGHTS[Field.CHANNEL] + ends
    return ends + (sum(one.weight for one in _metadata(rule, message)) if rule.metadata else 0)


def _apart(rule: CaptureRule, sender: str, recipient: str) -> int:
    """The same of the two ends alone."""
    return _end_apart(rule.sender, sender) + _end_apart(rule.recipient, recipient)


def _end_apart(wanted: str, found: str) -> int:
    if wanted in (ANY, found):
        return 0
    return _OTHER_FORM if is_same_number(wanted, found) else _ADDRESS


def _ends(rule: CaptureRule, sender: str, recipient: str) -> tuple[Difference, ...]:
    pairs = ((Field.FROM, rule.sender, sender), (Field.TO, rule.recipient, recipient))
    return tuple(
        Difference(field, wanted, found, same_number=is_same_number(wanted, found))
        for field, wanted, found in pairs
        if wanted not in (ANY, found)
    )


def _metadata(rule: CaptureRule, message: InboundMessage) -> Iterator[Difference]:
    for name, wanted in rule.metadata.items():
        if (found := message.attributes.get(name)) != wanted:
            yield Difference(Field.METADATA, wanted, found, name)


def _significant(address: str) -> str:
    """The digits of what looks like a number, without the zeros before it; nothing of what does not."""
    if any(letter.isalpha() for letter in address):
        return ""
    return "".join(letter for letter in address if letter in "0123456789").lstrip("0")
