"""Whom an address reaches, and whose words count as one customer's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.addresses import Address, Channel, parse
from orchestrator.domain.identity import ParticipantType
from orchestrator.domain.replying import Person, owners, same_customer, strays
from tests.domain.strategies import addresses, phone_channels, phone_numbers

CUSTOMER, UNKNOWN, AGENT = ParticipantType.CUSTOMER, ParticipantType.UNKNOWN, ParticipantType.AGENT
NUMBER = "+15551234567"


def person(id_: str, *owned: Address, of_type: ParticipantType = CUSTOMER, profile: str | None = None) -> Person:
    return Person(id_, of_type, owned, profile)


@given(addresses(), st.lists(addresses(), max_size=4))
def test_who_has_the_very_address_is_reached_and_nobody_else(address: Address, others: list[Address]) -> None:
    theirs = [one for one in others if (one.channel, one.canonical) != (address.channel, address.canonical)]
    people = [person("others", *theirs), person("owner", address)]
    assert [one.id for one in owners(address, people)] == ["owner"]


@given(phone_numbers, phone_channels, phone_channels)
def test_a_phone_is_one_phone_on_every_channel_of_numbers(number: str, known: Channel, wanted: Channel) -> None:
    people = [person("ann", parse(known, number))]
    assert owners(parse(wanted, number), people) == people


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        (parse(Channel.SMS, NUMBER), parse(Channel.CHAT, NUMBER)),
        (parse(Channel.CHAT, NUMBER), parse(Channel.WHATSAPP, NUMBER)),
        (parse(Channel.VOICE, "client:kiran"), parse(Channel.CHAT, "kiran")),
        (parse(Channel.VOICE, "client:kiran"), parse(Channel.SMS, "kiran")),
        (parse(Channel.SMS, NUMBER), parse(Channel.SMS, "+15551234568")),
    ],
)
def test_equal_names_of_different_kinds_reach_nobody(known: Address, wanted: Address) -> None:
    assert owners(wanted, [person("ann", known)]) == []


def test_the_words_of_one_customer() -> None:
    """Those of a profile count together; not those of our side, and not of people without a profile."""
    ann, also_ann = person("ann", profile="p1"), person("also ann", profile="p1")
    agent, stranger = person("agent", of_type=AGENT, profile="p1"), person("stranger", of_type=UNKNOWN)
    nobody, bob = person("nobody"), person("bob", profile="p2")
    people = [ann, also_ann, agent, stranger, nobody, bob]
    assert same_customer(ann, people) == {"ann", "also ann"}
    assert same_customer(stranger, people) == {"stranger"}
    assert same_customer(nobody, people) == {"nobody"}
    assert same_customer(agent, people) == set()


def test_only_another_address_strays() -> None:
    sms, whatsapp = parse(Channel.SMS, NUMBER), parse(Channel.WHATSAPP, f"whatsapp:{NUMBER}")
    assert not strays(sms, None)
    assert not strays(sms, whatsapp)
    assert strays(sms, parse(Channel.SMS, "+15551234568"))
