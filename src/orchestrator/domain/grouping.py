"""Grouping keys: two communications with the same key belong to the same open conversation of a configuration.

| grouping type                                  | key                                       |
|------------------------------------------------|-------------------------------------------|
| GROUP_BY_PARTICIPANT_ADDRESSES_AND_CHANNEL_TYPE | the unordered pair of addresses, and the channel |
| GROUP_BY_PARTICIPANT_ADDRESSES                 | the unordered pair of addresses           |
| GROUP_BY_PROFILE                               | the customer's profile; without one, the pair |

Addresses are compared in canonical form. A key is held while its conversation is ACTIVE or INACTIVE.
"""

from orchestrator.domain.addresses import Address
from orchestrator.domain.configuration import GroupingType

_SEPARATOR = " "  # written between the parts of a key
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
            return _key("profile", profile_id)
        case GroupingType.ADDRESSES_AND_CHANNEL:
            return _key("channel", one.channel, *pair)
        case _:
            return _key("addresses", *pair)


def _key(*parts: str) -> str:
    return _SEPARATOR.join(part.translate(_ESCAPED) for part in parts)
