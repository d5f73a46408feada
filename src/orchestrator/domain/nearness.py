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
    nearest = nsmallest(most, _weighed(message, rules), key=itemgetter(0))
    return [
        NearRule(channel, position, rule := rules[channel][position], differences(message, channel, rule))
        for _, channel, position in nearest
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


def _weighed(
    message: InboundMessage, rules: Mapping[Channel, Sequence[CaptureRule]]
) -> Iterator[tuple[int, Channel, int]]:
    """The sum of the weights of what differs, channel and position of each rule that does not capture the message.

    A few steps for each rule: traffic waits for it. Rules of all channels are mostly about the same addresses, so each
    address is compared once.
    """
    ends = _Ends(message.author.canonical, message.recipient.canonical)
    for channel, of_channel in rules.items():
        is_other = channel is not message.channel
        base = _WEIGHTS[Field.CHANNEL] if is_other else 0
        for position, rule in enumerate(of_channel):
            from_sender, from_recipient = ends[rule.sender]
            to_sender, to_recipient = ends[rule.recipient]
            distance = base + min(from_sender + to_recipient, _DIRECTION + from_recipient + to_sender)
            if rule.metadata and not is_other:
                distance += sum(one.weight for one in _metadata(rule, message))
            if distance:
                yield distance, channel, position


class _Ends(dict[str, tuple[int, int]]):
    """By what a rule says of one end: how far that is from a message's sender, and from its recipient."""

    def __init__(self, sender: str, recipient: str) -> None:
        self._pair = (sender, recipient)

    def __missing__(self, wanted: str) -> tuple[int, int]:
        sender, recipient = self._pair
        self[wanted] = apart = (_end_apart(wanted, sender), _end_apart(wanted, recipient))
        return apart


def _apart(rule: CaptureRule, sender: str, recipient: str) -> int:
    """The sum of the weights of the two ends."""
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
