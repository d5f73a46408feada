"""Which communications belong to one conversation (seed document; contract: conversations.md section 3)."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations, product
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.domain.addresses import Address, Channel, parse
from orchestrator.domain.configuration import GroupingType
from orchestrator.domain.grouping import Member, grouping_key, keys_of_members, pairs_of_addresses
from orchestrator.domain.identity import ParticipantType
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


known_addresses = st.sampled_from(
    [
        parse(channel, number)
        for channel in (Channel.SMS, Channel.WHATSAPP)
        for number in ("+15551234567", "+16505550199")
    ]
)
"""Few enough to meet again, on the same channel and on another."""


@st.composite
def members(draw: st.DrawFn) -> Member:
    """Somebody with up to three addresses; only a customer may have a profile."""
    of_type = draw(st.sampled_from(ParticipantType))
    owned = draw(st.lists(known_addresses | addresses(), max_size=3))
    has_profile = of_type is ParticipantType.CUSTOMER
    profile = draw(st.sampled_from([None, "mem_profile_1", "mem_profile_2"])) if has_profile else None
    return Member(of_type, tuple(owned), profile)


groups = st.lists(members(), max_size=4)
CUSTOMER, AGENT, UNKNOWN = ParticipantType.CUSTOMER, ParticipantType.AGENT, ParticipantType.UNKNOWN
OURS = frozenset({ParticipantType.AGENT, ParticipantType.AI_AGENT, ParticipantType.HUMAN_AGENT})


@given(groupings, groups, st.randoms(use_true_random=False))
def test_the_order_of_participants_and_addresses_means_nothing(
    grouping: GroupingType, group: list[Member], shuffled: Random
) -> None:
    mixed = [replace(one, addresses=tuple(shuffled.sample(one.addresses, len(one.addresses)))) for one in group]
    shuffled.shuffle(mixed)
    assert keys_of_members(grouping, mixed) == keys_of_members(grouping, group)


@given(groupings, groups, members())
def test_somebody_who_joins_takes_no_key_away(grouping: GroupingType, group: list[Member], joining: Member) -> None:
    assert keys_of_members(grouping, group) <= keys_of_members(grouping, [*group, joining])


@given(groupings, groups, members(), addresses())
def test_an_address_more_takes_no_key_away(
    grouping: GroupingType, group: list[Member], member: Member, more: Address
) -> None:
    richer = replace(member, addresses=(*member.addresses, more))
    assert keys_of_members(grouping, [*group, member]) <= keys_of_members(grouping, [*group, richer])


def facing(one: ParticipantType, other: ParticipantType) -> bool:
    """Section 3.4: customers and others; whoever is UNKNOWN and anybody."""
    return UNKNOWN in (one, other) or (one in OURS) != (other in OURS)


@given(groupings, groups)
def test_the_keys_are_those_of_the_messages_that_may_pass(grouping: GroupingType, group: list[Member]) -> None:
    """Traffic finds the conversation by each of them, and by no other: what the two sides would say to each other."""
    by_channel = grouping is GroupingType.ADDRESSES_AND_CHANNEL
    passing = {
        grouping_key(grouping, one_address, other_address, one.profile_id or other.profile_id)
        for one, other in combinations(group, 2)
        if facing(one.type, other.type)
        for one_address, other_address in product(one.addresses, other.addresses)
        if one_address.channel is other_address.channel or not by_channel
    }
    keys = keys_of_members(grouping, group)
    assert passing <= keys
    profiles_known = {one.profile_id for one in group} - {None} if grouping is GroupingType.PROFILE else set()
    # A profile is a key of its own: its owner may write from, and to, any address.
    assert keys - passing <= {grouping_key(grouping, ANY, ANY, profile) for profile in profiles_known}, (
        "nobody but the two sides"
    )


@given(groups)
def test_pairs_are_counted_without_making_them(group: list[Member]) -> None:
    pairs = [
        pair
        for one, other in combinations(group, 2)
        if facing(one.type, other.type)
        for pair in product(one.addresses, other.addresses)
    ]
    assert pairs_of_addresses((one.type, len(one.addresses)) for one in group) == len(pairs)


@given(groupings, st.lists(members().filter(lambda one: one.profile_id is None), max_size=4))
def test_one_side_alone_holds_nothing(grouping: GroupingType, group: list[Member]) -> None:
    for side in (OURS, {CUSTOMER}):
        assert keys_of_members(grouping, [one for one in group if one.type in side]) == frozenset()
    assert keys_of_members(grouping, group[:1]) == frozenset()


ANY = parse(Channel.SMS, "+15551234567")
ANN, BEN, US, DESK = (parse(Channel.SMS, f"+1555000000{digit}") for digit in range(4))
ANN_WA, US_WA = parse(Channel.WHATSAPP, "whatsapp:+15550000000"), parse(Channel.WHATSAPP, "whatsapp:+15550000002")
KEY = "addresses +1555000000{} +1555000000{}"


@pytest.mark.parametrize(
    ("grouping", "group", "keys"),
    [
        (GroupingType.ADDRESSES, [], set()),
        (GroupingType.ADDRESSES, [Member(CUSTOMER, (ANN,)), Member(AGENT, ())], set()),
        # Q33: keys for every pair of a customer and an agent
        (
            GroupingType.ADDRESSES,
            [Member(CUSTOMER, (ANN,)), Member(CUSTOMER, (BEN,)), Member(AGENT, (US, DESK))],
            {KEY.format(0, 2), KEY.format(0, 3), KEY.format(1, 2), KEY.format(1, 3)},
        ),
        (
            GroupingType.ADDRESSES_AND_CHANNEL,
            [Member(CUSTOMER, (ANN, ANN_WA)), Member(AGENT, (US_WA, DESK))],
            {"channel SMS +15550000000 +15550000003", "channel WHATSAPP +15550000000 +15550000002"},
        ),
        # "if types are missing, every unordered pair"
        (
            GroupingType.ADDRESSES,
            [Member(UNKNOWN, (ANN,)), Member(UNKNOWN, (BEN,)), Member(UNKNOWN, (US,))],
            {KEY.format(0, 1), KEY.format(0, 2), KEY.format(1, 2)},
        ),
        (
            GroupingType.PROFILE,
            [
                Member(CUSTOMER, (ANN,), "p1"),
                Member(CUSTOMER, (), "p2"),
                Member(CUSTOMER, (BEN,)),
                Member(AGENT, (US,)),
            ],
            {"profile p1", "profile p2", KEY.format(1, 2)},
        ),
    ],
)
def test_keys_of_the_contract(grouping: GroupingType, group: list[Member], keys: set[str]) -> None:
    assert keys_of_members(grouping, group) == keys
