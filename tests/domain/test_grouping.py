"""Which communications belong to one conversation (seed document; contract: conversations.md section 3)."""

from collections.abc import Mapping

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.domain.addresses import Address, Channel, parse
from orchestrator.domain.configuration import GroupingType
from orchestrator.domain.grouping import grouping_key
from tests.domain.strategies import addresses, channels, phone_numbers

groupings = st.sampled_from(GroupingType)
canonicals = st.text("\\_ ab+1", max_size=6) | st.text()
"""Text that could confuse a separator: spaces, backslashes, underscores, and anything else."""
profiles = st.none() | st.just("mem_profile_01") | canonicals


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Address, Address]:
    """Two addresses of one channel, as the parties of a communication are."""
    channel = draw(channels)
    one, other = (Address(channel, text, text) for text in (draw(canonicals), draw(canonicals)))
    return one, other


def meaning(grouping: GroupingType, one: Address, other: Address, profile: str | None) -> tuple[object, ...]:
    """What a conversation is the only one of."""
    pair = frozenset({one.canonical, other.canonical})
    if grouping is GroupingType.PROFILE and profile is not None:
        return "profile", profile
    return ("channel", one.channel, pair) if grouping is GroupingType.ADDRESSES_AND_CHANNEL else ("addresses", pair)


def pair_of(*texts: str) -> tuple[Address, Address]:
    one, other = (Address(Channel.CHAT, text, text) for text in texts)
    return one, other


@given(groupings, groupings, pairs(), pairs(), profiles, profiles)
@example(GroupingType.ADDRESSES, GroupingType.ADDRESSES, pair_of("a", "b c"), pair_of("a b", "c"), None, None)
@example(GroupingType.ADDRESSES, GroupingType.ADDRESSES, pair_of("a\\", "b"), pair_of("a", "\\ b"), None, None)
@example(GroupingType.ADDRESSES, GroupingType.ADDRESSES, pair_of("a b", "c"), pair_of("a\\_b", "c"), None, None)
@example(GroupingType.PROFILE, GroupingType.ADDRESSES, pair_of("x", "y"), pair_of("a", "b"), "addresses a b", None)
def test_keys_are_equal_exactly_when_the_conversations_are(
    grouping: GroupingType,
    other_grouping: GroupingType,
    pair: tuple[Address, Address],
    other_pair: tuple[Address, Address],
    profile: str | None,
    other_profile: str | None,
) -> None:
    """Injective within a grouping type, and no two kinds of key ever collide."""
    same_key = grouping_key(grouping, *pair, profile) == grouping_key(other_grouping, *other_pair, other_profile)
    same_meaning = meaning(grouping, *pair, profile) == meaning(other_grouping, *other_pair, other_profile)
    assert same_key == same_meaning


@given(st.data(), groupings, channels, profiles)
def test_it_does_not_matter_who_wrote(
    data: st.DataObject, grouping: GroupingType, channel: Channel, profile: str | None
) -> None:
    """Section 3.3: "Direction does not matter"."""
    one, other = data.draw(addresses(channel)), data.draw(addresses(channel))
    assert grouping_key(grouping, one, other, profile) == grouping_key(grouping, other, one, profile)


@given(phone_numbers, phone_numbers, channels, channels)
def test_only_the_channel_grouping_tells_channels_apart(
    ours: str, theirs: str, channel: Channel, other: Channel
) -> None:
    def key(grouping: GroupingType, channel: Channel) -> str:
        return grouping_key(grouping, parse(channel, ours), parse(channel, f"whatsapp:{theirs}"), None)

    assert key(GroupingType.ADDRESSES, channel) == key(GroupingType.ADDRESSES, other)
    by_channel = GroupingType.ADDRESSES_AND_CHANNEL
    assert (key(by_channel, channel) == key(by_channel, other)) == (channel is other)


@given(addresses(), addresses(), addresses(), addresses(), profiles)
def test_a_profile_groups_whatever_the_addresses(
    one: Address, other: Address, third: Address, fourth: Address, profile: str | None
) -> None:
    by_profile = grouping_key(GroupingType.PROFILE, one, other, profile)
    if profile is None:  # "fall back to the address-pair key"
        assert by_profile == grouping_key(GroupingType.ADDRESSES, one, other, None)
    else:
        assert by_profile == grouping_key(GroupingType.PROFILE, third, fourth, profile)


KIRAN: Mapping[str, tuple[Channel, str, str]] = {
    "SMS": (Channel.SMS, "+15551234567", "+16505550199"),
    "voice": (Channel.VOICE, "+15551234567", "+16505550199"),
    "WhatsApp": (Channel.WHATSAPP, "whatsapp:+15551234567", "whatsapp:+16505550199"),
    "SMS from the other phone": (Channel.SMS, "+15559876543", "+16505550199"),
}


@pytest.mark.parametrize(
    ("grouping", "conversations"),
    [
        (GroupingType.ADDRESSES_AND_CHANNEL, [["SMS"], ["voice"], ["WhatsApp"], ["SMS from the other phone"]]),
        (GroupingType.ADDRESSES, [["SMS", "voice", "WhatsApp"], ["SMS from the other phone"]]),
        (GroupingType.PROFILE, [["SMS", "voice", "WhatsApp", "SMS from the other phone"]]),
    ],
)
def test_kiran_of_the_seed_document(grouping: GroupingType, conversations: list[list[str]]) -> None:
    """Seed document, "Grouping example": 4, 2 and 1 conversations."""
    found: dict[str, list[str]] = {}
    for name, (channel, sender, recipient) in KIRAN.items():
        key = grouping_key(grouping, parse(channel, sender), parse(channel, recipient), "mem_profile_kiran")
        found.setdefault(key, []).append(name)
    assert list(found.values()) == conversations
