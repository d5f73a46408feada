"""Whom a message reaches: somebody of its conversation, and as a rule where that customer wrote last.

These rules are our own. After two profiles became one, a conversation may hold the addresses of two people, and one
customer may have several. A message that names only the customer must then not go to another phone than the one in
whose hand the last question was written.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from orchestrator.domain.addresses import BY_NUMBER, Address, is_e164
from orchestrator.domain.identity import ParticipantType

_NOT_OURS = frozenset({ParticipantType.CUSTOMER, ParticipantType.UNKNOWN})
"""Whose communications are inbound."""


@dataclass(frozen=True, slots=True)
class Person:
    """A participant, as far as it matters here."""

    id: str
    type: ParticipantType
    addresses: tuple[Address, ...] = ()
    profile_id: str | None = None


def owners(address: Address, people: Collection[Person]) -> list[Person]:
    """Whom an address reaches: who owns it on its channel; else who owns the same phone number on another one.

    >>> from orchestrator.domain.addresses import Channel, parse
    >>> ann = Person("ann", ParticipantType.CUSTOMER, (parse(Channel.SMS, "+15551234567"),))
    >>> [one.id for one in owners(parse(Channel.WHATSAPP, "whatsapp:+15551234567"), [ann])]
    ['ann']
    >>> owners(parse(Channel.CHAT, "+15551234567"), [ann])
    []
    """
    exact = [person for person in people if any(_is(own, address) for own in person.addresses)]
    return exact or [person for person in people if any(_is_phone_of(own, address) for own in person.addresses)]


def same_customer(person: Person, people: Iterable[Person]) -> set[str]:
    """The ids of the participants whose words are this customer's: its own, and of CUSTOMERs with its profile.

    None of somebody who is on our side: what our side says is no question.
    """
    if person.type not in _NOT_OURS:
        return set()
    others = (one for one in people if one.type is ParticipantType.CUSTOMER and one.profile_id is not None)
    return {person.id} | {one.id for one in others if one.profile_id == person.profile_id}


def strays(reached: Address, wrote_last: Address | None) -> bool:
    """Whether a message would go elsewhere than to who wrote last; never to somebody who has not written."""
    return wrote_last is not None and wrote_last.canonical != reached.canonical


def _is(own: Address, address: Address) -> bool:
    return own.channel is address.channel and own.canonical == address.canonical


def _is_phone_of(own: Address, address: Address) -> bool:
    return own.canonical == address.canonical and is_e164(own.canonical) and {own.channel, address.channel} <= BY_NUMBER
