"""Which rules came near, and what differed: enough to say how the rule, or the message, would have to be otherwise."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.addresses import Channel, parse
from orchestrator.domain.capture import ANY, CaptureRule, matches
from orchestrator.domain.messages import CallType, InboundMessage
from orchestrator.domain.nearness import MOST, Difference, Field, differences, is_same_number, near_rules
from tests.domain.strategies import channels, message, phone_numbers

ANN, US, THEM = "+15551234567", "+16505550199", "+16505550100"
NUMBERS = (ANN, US, THEM, "+5511987654321", "+551187654321", "16505550199", "desk")

sides = st.sampled_from((ANY, *NUMBERS))
metadata = st.fixed_dictionaries({}, optional={"callType": st.sampled_from([kind.value for kind in CallType])})
rules = st.builds(CaptureRule, sides, sides, metadata)
rules_by_channel = st.dictionaries(channels, st.lists(rules, max_size=6).map(tuple), max_size=3)


@st.composite
def messages(draw: st.DrawFn) -> InboundMessage:
    channel = draw(channels)
    author, recipient = (parse(channel, draw(st.sampled_from(NUMBERS))) for _ in range(2))
    return message(author, recipient, attributes=draw(metadata))


def mended(rule: CaptureRule, channel: Channel, differing: tuple[Difference, ...]) -> tuple[Channel, CaptureRule]:
    """The rule without the differences that were told of."""
    wanted = dict(rule.metadata)
    sender, recipient = rule.sender, rule.recipient
    for one in differing:
        found = one.found or ""
        match one.field:
            case Field.FROM:
                sender = found
            case Field.TO:
                recipient = found
            case Field.CHANNEL:
                channel, wanted = Channel(found), {}
            case Field.METADATA:
                assert one.name is not None
                wanted = {name: value for name, value in wanted.items() if name != one.name}
    if any(one.field is Field.DIRECTION for one in differing):
        sender, recipient = recipient, sender
    return channel, replace(rule, sender=sender, recipient=recipient, metadata=wanted)


@given(messages(), channels, rules)
def test_nothing_differs_from_what_captures(found: InboundMessage, channel: Channel, rule: CaptureRule) -> None:
    captured = channel is found.channel and matches(found, rule)
    assert (differences(found, channel, rule) == ()) == captured


@given(messages(), channels, rules)
def test_without_what_differs_the_rule_captures(found: InboundMessage, channel: Channel, rule: CaptureRule) -> None:
    place, other = mended(rule, channel, differences(found, channel, rule))
    assert place is found.channel
    assert matches(found, other)


@given(messages(), rules)
def test_a_rule_for_the_other_way_is_told_as_one(found: InboundMessage, rule: CaptureRule) -> None:
    turned = replace(found, author=found.recipient, recipient=found.author)
    if matches(turned, rule) and not matches(found, rule):
        (only,) = differences(found, found.channel, rule)
        assert only.field is Field.DIRECTION or only.same_number, "which is nearer"


@given(messages(), rules_by_channel, st.integers(1, MOST))
def test_the_nearest_come_first_and_are_few(
    found: InboundMessage, by_channel: Mapping[Channel, tuple[CaptureRule, ...]], most: int
) -> None:
    near = near_rules(found, by_channel, most)
    everything = near_rules(found, by_channel, 1_000)
    assert near == everything[:most]
    assert [one.distance for one in everything] == sorted(one.distance for one in everything)
    places = {(one.channel, one.position) for one in everything}
    assert len(places) == len(everything)
    expected = {
        (channel, position)
        for channel, of_channel in by_channel.items()
        for position, rule in enumerate(of_channel)
        if channel is not found.channel or not matches(found, rule)
    }
    assert places == expected
    assert all(by_channel[one.channel][one.position] == one.rule and one.differences for one in everything)


@given(phone_numbers, phone_numbers)
def test_two_ways_to_write_a_number_are_told(one: str, other: str) -> None:
    assert is_same_number(one[1:], one)
    assert is_same_number("00" + one[1:], one)
    assert is_same_number(one, other) == is_same_number(other, one)


@pytest.mark.parametrize(
    ("sender", "recipient", "attributes", "told"),
    [
        (US, ANY, {}, [Field.DIRECTION]),
        (ANY, THEM, {}, [Field.TO]),
        (THEM, US, {}, [Field.FROM]),
        (THEM, THEM, {}, [Field.FROM, Field.TO]),
        (ANY, US, {"callType": "CLIENT"}, [Field.METADATA]),
        (US, ANN, {"callType": "CLIENT"}, [Field.DIRECTION, Field.METADATA]),
    ],
)
def test_what_differs(sender: str, recipient: str, attributes: dict[str, str], told: list[Field]) -> None:
    found = message(parse(Channel.VOICE, ANN), parse(Channel.VOICE, US), call_type=CallType.PSTN)
    rule = CaptureRule(sender, recipient, attributes)
    assert [one.field for one in differences(found, Channel.VOICE, rule)] == told
    elsewhere = [one.field for one in differences(found, Channel.SMS, rule)]
    assert elsewhere == [Field.CHANNEL, *(one for one in told if one is not Field.METADATA)]
