"""Who is who, and by what a customer is recognised (contract: conversations.md section 7, memory.md section 6)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.addresses import Address, Channel, parse
from orchestrator.domain.identity import (
    Identifier,
    ParticipantType,
    Recognition,
    Sides,
    recognition,
    recognition_of_all,
    sides,
    sides_by_profile,
)
from orchestrator.domain.linking import Linking
from orchestrator.domain.messages import CallType, Direction
from tests.domain.strategies import addresses, identities, message, phone_channels, phone_numbers

AGENT, CUSTOMER, UNKNOWN = ParticipantType.AGENT, ParticipantType.CUSTOMER, ParticipantType.UNKNOWN
INBOUND, OUTBOUND = Direction.INBOUND, Direction.OUTBOUND
OPPOSITE = {None: None, INBOUND: OUTBOUND, OUTBOUND: INBOUND}

ANN, US, DESK = (parse(Channel.SMS, number) for number in ("+15551234567", "+16505550199", "+16505550100"))

NO_VARIANTS = Linking(number_variants=False)
UNLINKED = Linking(phone_and_whatsapp=False, number_variants=False)

directions = st.none() | st.sampled_from(Direction)
parties = st.sampled_from([ANN, US, DESK])
ours = st.frozensets(parties.map(lambda address: address.canonical))


@given(parties, parties, directions, ours, ours)
def test_the_other_way_round_the_sides_are_swapped(
    one: Address, other: Address, direction: Direction | None, numbers: frozenset[str], literals: frozenset[str]
) -> None:
    there = sides(message(one, other, direction=direction), numbers=numbers, literals=literals)
    back = sides(message(other, one, direction=OPPOSITE[direction]), numbers=numbers, literals=literals)
    assert back == Sides(there.recipient, there.author, there.reason)


_ONE_SIDE = {(True, False): (AGENT, CUSTOMER), (False, True): (CUSTOMER, AGENT)}


def first_that_tells(
    by_number: tuple[bool, bool], by_rule: tuple[bool, bool], direction: Direction | None, *, was_received: bool
) -> tuple[ParticipantType, ParticipantType, str]:
    """The order of precedence, written down as a list: the first line that applies."""
    answers = [
        (by_number in _ONE_SIDE, _ONE_SIDE.get(by_number), "number"),
        (by_number == (True, True), (AGENT, AGENT), "number"),
        (direction is INBOUND, (CUSTOMER, AGENT), "direction"),
        (direction is OUTBOUND, (AGENT, CUSTOMER), "direction"),
        (by_rule in _ONE_SIDE, _ONE_SIDE.get(by_rule), "rule"),
        (was_received, (CUSTOMER, AGENT), "direction"),
        (by_rule == (True, True), (AGENT, AGENT), "rule"),
        (True, (UNKNOWN, UNKNOWN), "none"),
    ]
    types, reason = next((types, reason) for applies, types, reason in answers if applies)
    assert types is not None
    return *types, reason


@given(parties, parties, directions, ours, ours, st.booleans())
def test_registered_numbers_go_before_a_stated_direction_before_literals(
    author: Address,
    recipient: Address,
    direction: Direction | None,
    numbers: frozenset[str],
    literals: frozenset[str],
    was_received: bool,
) -> None:
    given_message = replace(message(author, recipient, direction=direction), was_received=was_received)
    told = sides(given_message, numbers=numbers, literals=literals)
    expected = first_that_tells(
        (author.canonical in numbers, recipient.canonical in numbers),
        (author.canonical in literals, recipient.canonical in literals),
        direction,
        was_received=was_received,
    )
    assert (told.author, told.recipient, told.reason) == expected


@pytest.mark.parametrize(
    ("direction", "numbers", "literals", "expected"),
    [
        # "the Twilio-owned number (SMS, voice) or registered WhatsApp sender is the agent, the other side the customer"
        (None, {US}, {}, Sides(CUSTOMER, AGENT, "number")),
        (OUTBOUND, {US}, {ANN}, Sides(CUSTOMER, AGENT, "number")),
        # README, "Which side is ours": numbers, literal addresses in capture rules, and the Direction of the event
        (None, {}, {US}, Sides(CUSTOMER, AGENT, "rule")),
        # a rule may name the customer: then the direction that the provider states is right
        (INBOUND, {}, {ANN}, Sides(CUSTOMER, AGENT, "direction")),
        (INBOUND, {}, {}, Sides(CUSTOMER, AGENT, "direction")),
        (OUTBOUND, {}, {ANN, US}, Sides(AGENT, CUSTOMER, "direction")),
        # "Both sides owned (agent-to-agent) … both AGENT"
        (INBOUND, {ANN, US}, {ANN}, Sides(AGENT, AGENT, "number")),
        (None, {}, {ANN, US}, Sides(AGENT, AGENT, "rule")),
        # "Neither side recognised"
        (None, {}, {}, Sides(UNKNOWN, UNKNOWN, "none")),
    ],
)
def test_a_message_from_ann_to_us(
    direction: Direction | None, numbers: set[Address], literals: set[Address], expected: Sides
) -> None:
    told = sides(
        message(ANN, US, direction=direction),
        numbers={address.canonical for address in numbers},
        literals={address.canonical for address in literals},
    )
    assert told == expected


@pytest.mark.parametrize(
    ("author_known", "recipient_known", "expected"),
    [
        # "exactly one hit → that one becomes CUSTOMER; none → both UNKNOWN …; both hit … both UNKNOWN"
        (True, False, Sides(CUSTOMER, UNKNOWN, "profile")),
        (False, True, Sides(UNKNOWN, CUSTOMER, "profile")),
        (False, False, Sides(UNKNOWN, UNKNOWN, "none")),
        (True, True, Sides(UNKNOWN, UNKNOWN, "none")),
    ],
)
def test_exactly_one_known_profile_is_the_customer(
    *, author_known: bool, recipient_known: bool, expected: Sides
) -> None:
    assert sides_by_profile(author_known=author_known, recipient_known=recipient_known) == expected


def only(id_type: str, value: str) -> Recognition:
    return Recognition((Identifier(id_type, value),), Identifier(id_type, value))


@given(phone_numbers, phone_channels)
def test_one_number_is_one_phone_on_every_channel(number: str, channel: Channel) -> None:
    """README, "Identity": RCS numbers, SMS and PSTN voice are `phone`; WhatsApp meets them there."""
    recognised_by = recognition(parse(channel, number), linking=NO_VARIANTS)
    assert recognised_by is not None
    assert recognised_by.anchor == Identifier("phone", number)
    assert recognised_by.lookup[-1] == recognised_by.anchor
    if channel is not Channel.WHATSAPP:
        assert recognised_by == only("phone", number)


@given(phone_numbers)
def test_whatsapp_is_looked_up_as_whatsapp_then_as_phone(number: str) -> None:
    address = parse(Channel.WHATSAPP, f"whatsapp:{number}")
    whatsapp, phone = Identifier("whatsapp", f"whatsapp:{number}"), Identifier("phone", number)
    assert recognition(address, linking=NO_VARIANTS) == Recognition((whatsapp, phone), phone)
    assert recognition(address, linking=UNLINKED) == Recognition((whatsapp,), whatsapp)


@given(phone_numbers, phone_channels.filter(lambda channel: channel is not Channel.WHATSAPP))
def test_linking_matters_to_whatsapp_alone(number: str, channel: Channel) -> None:
    address = parse(channel, number)
    assert recognition(address, linking=Linking(phone_and_whatsapp=False)) == recognition(address)


@given(addresses(Channel.VOICE), st.sampled_from([CallType.CLIENT, CallType.PUBLIC_SIP]), st.booleans())
def test_client_and_sip_calls_are_not_recognised(address: Address, call_type: CallType, link: bool) -> None:
    """conversations.md 7: "VOICE CLIENT identities do not resolve"; memory.md 6.2: SIP none, even with a number."""
    assert recognition(address, call_type=call_type, linking=Linking(phone_and_whatsapp=link)) is None


@given(addresses())
def test_the_anchor_is_one_of_the_identifiers_looked_up(address: Address) -> None:
    recognised_by = recognition(address)
    if recognised_by is not None:
        assert recognised_by.anchor in recognised_by.lookup
        assert len(set(recognised_by.lookup)) == len(recognised_by.lookup)


@given(identities)
def test_names_are_recognised_on_chat_alone(name: str) -> None:
    assert recognition(parse(Channel.CHAT, name)) == only("chat", name)
    for channel in (Channel.SMS, Channel.VOICE, Channel.RCS, Channel.WHATSAPP, Channel.VIDEO):
        assert recognition(parse(channel, name)) is None


@pytest.mark.parametrize(
    ("channel", "address", "expected"),
    [
        # memory.md 6.2 and 6.3
        (Channel.RCS, "rcs:+15551234567", only("phone", "+15551234567")),
        (Channel.RCS, "rcs:brand_acme_agent", None),
        (Channel.EMAIL, "Ann@Example.com", only("email", "ann@example.com")),
        (Channel.CHAT, "client:alice", only("chat", "alice")),
        (Channel.VIDEO, "+15551234567", None),
        (Channel.SMS, "12345", None),
    ],
)
def test_identifiers_of_the_contract(channel: Channel, address: str, expected: Recognition | None) -> None:
    assert recognition(parse(channel, address)) == expected


owned = st.lists(addresses(), max_size=5)


@given(owned, st.booleans())
def test_somebody_is_recognised_by_every_address_of_theirs_in_turn(given_addresses: list[Address], link: bool) -> None:
    alone = [recognition(address, linking=Linking(phone_and_whatsapp=link)) for address in given_addresses]
    known = [one for one in alone if one is not None]
    together = recognition_of_all(given_addresses, linking=Linking(phone_and_whatsapp=link))
    if not known:
        assert together is None
        return
    assert together is not None
    assert together.anchor == min(together.lookup), "whatever the order of the addresses"
    assert set(together.lookup) == {identifier for one in known for identifier in one.lookup}
    assert len(set(together.lookup)) == len(together.lookup)
    first_seen = [identifier for one in known for identifier in one.lookup]
    assert list(together.lookup) == sorted(set(first_seen), key=first_seen.index)


@given(addresses(), st.integers(1, 3), st.booleans())
def test_one_address_however_often_is_recognised_as_by_itself(address: Address, times: int, link: bool) -> None:
    assert recognition_of_all([address] * times, linking=Linking(phone_and_whatsapp=link)) == recognition(
        address, linking=Linking(phone_and_whatsapp=link)
    )


def test_two_phones_and_a_mailbox() -> None:
    given_addresses = [
        parse(Channel.VIDEO, "ann"),
        parse(Channel.WHATSAPP, "whatsapp:+15551234567"),
        parse(Channel.SMS, "+15559876543"),
        parse(Channel.VOICE, "+15551234567"),
        parse(Channel.EMAIL, "Ann@Example.com"),
    ]
    mailbox = Identifier("email", "ann@example.com")
    assert recognition_of_all(given_addresses) == Recognition(
        (
            Identifier("whatsapp", "whatsapp:+15551234567"),
            Identifier("phone", "+15551234567"),
            Identifier("phone", "+15559876543"),
            mailbox,
        ),
        anchor=mailbox,
    )
    assert recognition_of_all([]) is None
