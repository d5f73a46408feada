"""Who is who: which side of a message is ours, and by which identifiers a customer is recognised.

Sources: conversations.md section 7 and memory.md section 6 of the contract; the seed document's Kiran example asks
that WhatsApp and phone of one number meet in one profile.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.addresses import Address, Channel, is_e164
from orchestrator.domain.linking import LINKED, Linking
from orchestrator.domain.messages import CallType, Direction, InboundMessage
from orchestrator.domain.variants import variants


class ParticipantType(StrEnum):
    """Roles of a participant; only CUSTOMER has a profile (seed document)."""

    CUSTOMER = "CUSTOMER"
    HUMAN_AGENT = "HUMAN_AGENT"
    AI_AGENT = "AI_AGENT"
    AGENT = "AGENT"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Sides:
    """The participant types of a message's two parties, and how they were told apart."""

    author: ParticipantType
    recipient: ParticipantType
    reason: str


_INBOUND = (ParticipantType.CUSTOMER, ParticipantType.AGENT)
_OUTBOUND = (ParticipantType.AGENT, ParticipantType.CUSTOMER)
_BOTH_OURS = (ParticipantType.AGENT, ParticipantType.AGENT)
_UNKNOWN = (ParticipantType.UNKNOWN, ParticipantType.UNKNOWN)


def sides(message: InboundMessage, *, numbers: AbstractSet[str], literals: AbstractSet[str]) -> Sides:
    """Tell our side from the customer's; both UNKNOWN when nothing tells (profiles may then still do).

    In order: the account's registered `numbers`; the direction that the provider states; the one side that the rules'
    `literals` name (as a rule our own, but a rule may name a customer: so a stated direction goes first); that the
    message was received, which every incoming one is. Two addresses of ours talking to each other are both AGENT.
    """
    told = _by_names(message, numbers, "number")
    if told is None and message.direction is not None:
        told = Sides(*(_INBOUND if message.direction is Direction.INBOUND else _OUTBOUND), "direction")
    named = _by_names(message, literals, "rule")
    if told is None and named is not None and named.author is not named.recipient:
        told = named
    if told is None and message.was_received:
        told = Sides(*_INBOUND, "direction")
    return told or named or Sides(*_UNKNOWN, "none")


def _by_names(message: InboundMessage, ours: AbstractSet[str], reason: str) -> Sides | None:
    """What it tells that some addresses are ours; None when neither side is one of them."""
    match message.author.canonical in ours, message.recipient.canonical in ours:
        case (True, True):
            return Sides(*_BOTH_OURS, reason)
        case (True, False):
            return Sides(*_OUTBOUND, reason)
        case (False, True):
            return Sides(*_INBOUND, reason)
    return None


def sides_by_profile(*, author_known: bool, recipient_known: bool) -> Sides:
    """Neither side is ours: exactly one known profile makes that side the CUSTOMER, anything else tells nothing."""
    if author_known == recipient_known:
        return Sides(*_UNKNOWN, "none")
    known = (ParticipantType.CUSTOMER, ParticipantType.UNKNOWN)
    return Sides(*(known if author_known else known[::-1]), "profile")


@dataclass(frozen=True, slots=True, order=True)
class Identifier:
    """A value by which a memory store recognises a profile, already normalised for its type."""

    id_type: str
    value: str


@dataclass(frozen=True, slots=True)
class Variant:
    """Another form of an identifier. Somebody may be known by it, but nobody gets it who did not use it."""

    identifier: Identifier
    of: Identifier
    """What was really used."""


@dataclass(frozen=True, slots=True)
class Recognition:
    """How an address is looked up in a memory store."""

    lookup: tuple[Identifier, ...]
    """Asked in this order; the first that has a profile decides. The profile found gains the missing ones."""
    anchor: Identifier
    """The one that a new profile must win to exist, so that two first messages at once make one profile."""
    variants: tuple[Variant, ...] = ()
    """Asked after those, in this order."""


def recognition(address: Address, *, call_type: str = CallType.PSTN, linking: Linking = LINKED) -> Recognition | None:
    """The identifiers of an address; None where its channel has none (client and SIP calls, RCS sender ids, video).

    A WhatsApp number is looked up as `whatsapp`, then as `phone`; its new profile is anchored on `phone`, so that an
    SMS of the same number arriving at the same instant finds the same profile.
    """
    number = address.canonical
    by_number = is_e164(number) and not (address.channel is Channel.VOICE and call_type != CallType.PSTN)
    match address.channel:
        case Channel.WHATSAPP if by_number:
            return _by_number(number, linking, "whatsapp", *(["phone"] if linking.phone_and_whatsapp else []))
        case Channel.SMS | Channel.RCS | Channel.VOICE if by_number:
            return _by_number(number, linking, "phone")
        case Channel.CHAT:
            return _recognised_by(Identifier("chat", number))
        case Channel.EMAIL:
            return _recognised_by(Identifier("email", number))
    return None


def recognition_of_all(addresses: Iterable[Address], *, linking: Linking = LINKED) -> Recognition | None:
    """How somebody is looked up who owns all these addresses: by each in turn.

    The least identifier anchors. The others are taken after it in ascending order, so two callers who introduce the
    same person at once, with the addresses in any order, do not wait for each other.
    """
    known = [one for address in addresses if (one := recognition(address, linking=linking)) is not None]
    if not known:
        return None
    lookup = dict.fromkeys(identifier for one in known for identifier in one.lookup)
    others = dict.fromkeys(variant for one in known for variant in one.variants)
    return Recognition(tuple(lookup), min(one.anchor for one in known), tuple(others))


def _by_number(number: str, linking: Linking, *id_types: str) -> Recognition:
    """Recognised by a number as each of these types; the last one anchors."""
    other_forms = variants(number) if linking.number_variants else ()
    lookup = tuple(_identifier(id_type, number) for id_type in id_types)
    others = (Variant(_identifier(used.id_type, form), used) for form in other_forms for used in lookup)
    return Recognition(lookup, lookup[-1], tuple(others))


def _identifier(id_type: str, number: str) -> Identifier:
    return Identifier(id_type, f"whatsapp:{number}" if id_type == "whatsapp" else number)


def _recognised_by(identifier: Identifier) -> Recognition:
    return Recognition((identifier,), identifier)
