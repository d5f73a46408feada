"""Grouping keys: two communications with the same key belong to the same open conversation of a configuration.

| grouping type                                  | key                                       |
|------------------------------------------------|-------------------------------------------|
| GROUP_BY_PARTICIPANT_ADDRESSES_AND_CHANNEL_TYPE | the unordered pair of addresses, and the channel |
| GROUP_BY_PARTICIPANT_ADDRESSES                 | the unordered pair of addresses           |
| GROUP_BY_PROFILE                               | the customer's profile; without one, the pair |

Addresses are compared in canonical form. A key is held while its conversation is ACTIVE or INACTIVE.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, product

from orchestrator.domain.addresses import Address
from orchestrator.domain.configuration import GroupingType
from orchestrator.domain.identity import ParticipantType

_SEPARATOR = " "  # written between the parts of a key
_PROFILE = "profile"
_ESCAPED = str.maketrans({"\\": "\\\\", _SEPARATOR: "\\_"})


def grouping_key(grouping: GroupingType, one: Address, other: Address, profile_id: str | None) -> str:
    """The key of a communication between two addresses, whichever of them wrote.

    >>> from orchestrator.domain.addresses import Channel, parse
    >>> ann, us = parse(Channel.SMS, "+15551234567"), parse(Channel.SMS, "+16505550199")
    >>> grouping_key(GroupingType.ADDRESSES, ann, us, None)
    'addresses +15551234567 +16505550199'
    >>> grouping_key(GroupingType.ADDRESSES_AND_CHANNEL, us, ann, None)
    'channel SMS +15551234567 +16505550199'
    """
    pair = sorted((one.canonical, other.canonical))
    match grouping:
        case GroupingType.PROFILE if profile_id is not None:
            return profile_key(profile_id)
        case GroupingType.ADDRESSES_AND_CHANNEL:
            return _key("channel", one.channel, *pair)
        case _:
            return _key("addresses", *pair)


def profile_key(profile_id: str) -> str:
    """The key of everything that a customer of this profile says, or is told.

    >>> profile_key("mem_profile_1")
    'profile mem_profile_1'
    """
    return _key(_PROFILE, profile_id)


def is_profile_key(key: str) -> bool:
    """Whether it is the key of a profile.

    >>> is_profile_key("profile mem_profile_1"), is_profile_key("addresses +15551234567 +16505550199")
    (True, False)
    """
    return key.startswith(_PROFILE + _SEPARATOR)


@dataclass(frozen=True, slots=True)
class Member:
    """What of a participant decides which traffic belongs to its conversation."""

    type: ParticipantType
    addresses: tuple[Address, ...]
    profile_id: str | None = None


def keys_of_members(grouping: GroupingType, members: Sequence[Member]) -> frozenset[str]:
    """The keys that a conversation of these participants holds: those of the traffic that they may exchange.

    Every pair of addresses of two members who face each other; by profile, one key for each customer whose profile is
    known, instead of that customer's pairs (contract: conversations.md section 3.4). One participant alone, or none,
    holds no pair.
    """
    known = [member for member in members if grouping is GroupingType.PROFILE and _is_known(member)]
    keys = {profile_key(member.profile_id) for member in known if member.profile_id is not None}
    strangers = [member for member in members if member not in known]
    for one, other in _facing(strangers):
        keys |= {
            grouping_key(grouping, address, facing, None)
            for address, facing in product(one.addresses, other.addresses)
            if grouping is not GroupingType.ADDRESSES_AND_CHANNEL or address.channel is facing.channel
        }
    return frozenset(keys)


def pairs_of_addresses(owned: Iterable[tuple[ParticipantType, int]]) -> int:
    """How many pairs of addresses participants have who face each other, by the number that each of them owns.

    No fewer than the keys of pairs, and known without making any.
    """
    customers = ours = unknown = among_unknown = 0
    for of_type, count in owned:
        match of_type:
            case ParticipantType.CUSTOMER:
                customers += count
            case ParticipantType.UNKNOWN:
                among_unknown += unknown * count
                unknown += count
            case _:
                ours += count
    return customers * ours + unknown * (customers + ours) + among_unknown


def _facing(members: Iterable[Member]) -> Iterator[tuple[Member, Member]]:
    """Those who may talk to each other: a customer to anybody else, our side to customers, an UNKNOWN one to all."""
    customers, ours, unknown = list[Member](), list[Member](), list[Member]()
    sides = {ParticipantType.CUSTOMER: customers, ParticipantType.UNKNOWN: unknown}
    for member in members:
        if member.addresses:
            sides.get(member.type, ours).append(member)
    return chain(product(customers, ours), product(unknown, customers + ours), combinations(unknown, 2))


def _is_known(member: Member) -> bool:
    """Whether traffic is grouped by the profile of this member: one of our own side does not count."""
    return member.type is ParticipantType.CUSTOMER and member.profile_id is not None


def _key(*parts: str) -> str:
    return _SEPARATOR.join(part.translate(_ESCAPED) for part in parts)
