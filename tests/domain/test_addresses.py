"""When two addresses are the same one, and what cannot be an address (contract: conversations.md section 3.2)."""

import re
from itertools import product

import phonenumbers
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from orchestrator.domain.addresses import MAX_LENGTH, Address, Channel, InvalidAddress, canonical, is_e164, parse
from tests.domain.strategies import address_or_none, channels, identities, phone_numbers, texts, written


def canonical_or_none(channel: Channel, text: str) -> str | None:
    try:
        return canonical(channel, text)
    except InvalidAddress:
        return None


@pytest.mark.parametrize(
    ("channel", "address", "expected"),
    [
        # "strip one leading whatsapp:/rcs:/sms:/tel:; if it parses as E.164 … keep +digits"
        (Channel.WHATSAPP, "whatsapp:+15551234567", "+15551234567"),
        (Channel.RCS, "rcs:+15551234567", "+15551234567"),
        (Channel.SMS, "sms:+1.555.123.4567", "+15551234567"),
        (Channel.VOICE, "tel:+1-555-123-4567", "+15551234567"),
        (Channel.VOICE, "(+1) 555 123 4567", "+15551234567"),
        # "RCS agent ids are not numbers"
        (Channel.RCS, "rcs:brand_acme_agent", "brand_acme_agent"),
        # "client: prefix stripped for CLIENT identities"
        (Channel.VOICE, "client:agent-1", "agent-1"),
        # "sip: URIs lower-case host, drop port/params"
        (Channel.VOICE, "sip:Ann@Example.COM:5060;transport=tcp", "sip:Ann@example.com"),
        (Channel.VOICE, "SIPS:Ann@[2001:DB8::1]:5061?subject=x", "sips:Ann@[2001:db8::1]"),
        (Channel.VOICE, "sip:Example.com", "sip:example.com"),
        # "emails lower-cased"
        (Channel.EMAIL, "Ann@Example.com", "ann@example.com"),
        # "everything else compared byte-exact (chat identities are case-sensitive)"
        (Channel.CHAT, "Ann@Example.com", "Ann@Example.com"),
        (Channel.SMS, "12345", "12345"),
        (Channel.SMS, "ACME", "ACME"),
    ],
)
def test_canonical_forms_of_the_contract(channel: Channel, address: str, expected: str) -> None:
    assert canonical(channel, address) == expected


@given(channels, texts)
@example(Channel.SMS, "+49 (0) 0 001234567")
@example(Channel.SMS, "+44\x85 0 7700 900123")
@example(Channel.VOICE, "sip:ann@example.com:1:2")
@example(Channel.VOICE, "sip:ann@example.com :5060 ;transport=tcp")
@example(Channel.EMAIL, "İ@Example.COM")
def test_canonical_of_canonical_is_itself(channel: Channel, text: str) -> None:
    once = canonical_or_none(channel, text)
    assume(once is not None)
    assert canonical(channel, once or "") == once


@given(st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)), st.from_regex(r"[0-9]{6,12}", fullmatch=True))
@example(381, "00934567")
@example(261, "8867331")
@example(43, "08818")
def test_numbers_of_no_numbering_plan_have_one_canonical_too(country: int, national: str) -> None:
    once = canonical_or_none(Channel.SMS, f"+{country}{national}")
    assume(once is not None)
    assert canonical(Channel.SMS, once or "") == once


@given(st.data(), phone_numbers, channels)
def test_every_written_form_of_a_number_is_that_number(data: st.DataObject, number: str, channel: Channel) -> None:
    assert canonical(channel, data.draw(written(number))) == number


@given(st.data(), phone_numbers, phone_numbers)
def test_different_numbers_never_share_a_canonical(data: st.DataObject, one: str, other: str) -> None:
    same = canonical(Channel.SMS, data.draw(written(one))) == canonical(Channel.VOICE, data.draw(written(other)))
    assert same == (one == other)


def test_valid_numbers_of_every_country_are_kept_digit_by_digit() -> None:
    for region, kind in product(phonenumbers.SUPPORTED_REGIONS, phonenumbers.PhoneNumberType.values()):
        if found := phonenumbers.example_number_for_type(region, kind):
            number = phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
            if len(number) > 7:  # a few countries have numbers of fewer than seven digits
                assert canonical(Channel.SMS, number) == number


def test_a_number_of_no_country_is_compared_by_its_digits() -> None:
    assert canonical(Channel.SMS, "+999 123-4567") == "+9991234567"


@given(identities)
@example("\u017fms:ann")
@example("(+bob)")
def test_chat_identities_are_kept_byte_by_byte(identity: str) -> None:
    assert canonical(Channel.CHAT, identity) == identity
    assert canonical(Channel.VOICE, f"client:{identity}") == identity


sip_users = st.from_regex(r"[A-Za-z0-9_.!~*'()&=+$,;?/-]{1,12}", fullmatch=True)
sip_hosts = st.sampled_from(["Example.com", "pbx.example.ORG", "192.0.2.1", "[2001:DB8::1]"])
sip_tails = st.tuples(
    st.sampled_from(["", ":5060", ":5061"]), st.sampled_from(["", ";transport=tcp", ";user=phone?a=b", "?a=b"])
).map("".join)


@given(sip_users, sip_hosts, sip_tails, st.sampled_from(["sip", "SIP", "Sip"]))
def test_case_of_a_sip_host_port_and_parameters_do_not_matter(user: str, host: str, tail: str, scheme: str) -> None:
    plain = canonical(Channel.VOICE, f"sip:{user}@{host.lower()}")
    assert canonical(Channel.VOICE, f"{scheme}:{user}@{host.upper()}{tail}") == plain


@given(sip_users, sip_users, sip_hosts, sip_hosts, sip_tails)
@example("Ann", "ann", "Example.com", "Example.com", "")
@example("+15551234567;ext=1", "+15551234567;ext=1", "Example.com", "192.0.2.1", "")
def test_user_and_host_of_a_sip_address_matter(user: str, other: str, host: str, elsewhere: str, tail: str) -> None:
    one = canonical(Channel.VOICE, f"sip:{user}@{host}{tail}")
    assert (one == canonical(Channel.VOICE, f"sip:{other}@{elsewhere}")) == (user == other and host == elsewhere)


@given(st.emails())
def test_case_of_an_email_does_not_matter(email: str) -> None:
    assume(not email.startswith("+"))
    assert canonical(Channel.EMAIL, email.upper()) == canonical(Channel.EMAIL, email) == email.lower()


_NUMBERS_PUNCTUATION = str.maketrans("", "", "".join(filter(str.isspace, map(chr, range(0x3001)))) + ".-()/")


def without_prefixes(text: str) -> str:
    """An address without the words that only say what kind of address follows."""
    head, colon, rest = text.strip().partition(":")
    if colon and head.strip().lower() in ("whatsapp", "rcs", "sms", "tel", "client"):
        return without_prefixes(rest)
    return text.strip()


def why_not(channel: Channel, text: str) -> str | None:
    """Which of the reasons to refuse an address applies."""
    if len(text) > 254:
        return "at most 254 characters"
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        return "control characters"
    bare = without_prefixes(text)
    if not bare:
        return "must not be empty"
    if bare == "*":
        return "stands for every address"
    by_number = channel in (Channel.VOICE, Channel.SMS, Channel.RCS, Channel.WHATSAPP)
    if by_number and bare.startswith("+") and not re.fullmatch(r"\+[0-9]{7,15}", bare.translate(_NUMBERS_PUNCTUATION)):
        return "international number"
    return None


@given(channels, st.one_of(texts, st.text("+0123456789 -().", min_size=1), st.text("a:+ 1\n", min_size=250)))
@example(Channel.CHAT, " ")
@example(Channel.CHAT, " client: ")
@example(Channel.SMS, "+123456")
@example(Channel.SMS, "+1234567890123456")
@example(Channel.SMS, "+bob")
@example(Channel.CHAT, "+bob")
@example(Channel.EMAIL, "+tag@example.com")
@example(Channel.WHATSAPP, "whatsapp:*")
@example(Channel.CHAT, "x" * (MAX_LENGTH + 1))
@example(Channel.CHAT, "x" * MAX_LENGTH)
@example(Channel.CHAT, "a\x7fb")
def test_refused_are_exactly_the_empty_the_long_control_characters_and_bad_numbers(channel: Channel, text: str) -> None:
    reason = why_not(channel, text)
    if reason is None:
        assert parse(channel, text) == Address(channel, text, canonical(channel, text))
    else:
        with pytest.raises(InvalidAddress, match=reason):
            parse(channel, text)


@given(channels, texts, st.text(" \t\u00a0"), st.text(" \t\u00a0"))
def test_spaces_around_an_address_do_not_matter(channel: Channel, text: str, before: str, after: str) -> None:
    assert canonical_or_none(channel, f"{before}{text}{after}") == canonical_or_none(channel, text)


@given(channels, texts)
def test_an_address_is_echoed_as_it_came(channel: Channel, text: str) -> None:
    address = address_or_none(channel, text)
    assume(address is not None)
    assert address is not None
    assert address.address == text
    assert address.canonical == canonical(channel, text) != ""


@given(st.data(), phone_numbers, identities)
def test_phone_numbers_are_told_from_names(data: st.DataObject, number: str, identity: str) -> None:
    assert is_e164(canonical(Channel.SMS, data.draw(written(number))))
    assert not is_e164(canonical(Channel.CHAT, identity))
