"""Identifier values: one form per person, whoever writes it and however."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.domain.addresses import Channel, InvalidAddress, parse
from orchestrator.domain.identifiers import MAX_LENGTH, TYPES, IdentitySettings, Normalization, normalise
from orchestrator.domain.identity import recognition
from orchestrator.domain.linking import Linking

area_codes = st.from_regex(r"[2-9][0-9]{2}", fullmatch=True)
subscribers = st.from_regex(r"[2-9][0-9]{6}", fullmatch=True)
e164 = st.one_of(
    st.builds("+1{}{}".format, area_codes, subscribers),
    st.from_regex(r"\+447[0-9]{9}", fullmatch=True),
    st.from_regex(r"\+9198[0-9]{8}", fullmatch=True),
)


def normalised(id_type: str, value: str) -> str | None:
    try:
        return normalise(id_type, value)
    except ValueError:
        return None


@given(st.sampled_from(TYPES), st.text() | e164 | st.from_regex(r"[0-9 .()+-]{6,18}", fullmatch=True))
@example("email", "İ@Example.COM")
@example("phone", "0000000000")
@example("chat", "client: client:x")
def test_normalising_twice_changes_nothing(id_type: str, value: str) -> None:
    once = normalised(id_type, value)
    if once is not None:
        assert 1 <= len(once) <= MAX_LENGTH
        assert normalise(id_type, once) == once


@given(st.sampled_from([*TYPES, "userId"]), st.sampled_from(Normalization), st.text() | e164)
@example("userId", Normalization.NONE, "\n a")
@example("userId", Normalization.EMAIL, " \u00a0 ")
def test_whatever_a_type_is_normalised_by_is_done_once(id_type: str, rule: Normalization, value: str) -> None:
    try:
        once = normalise(id_type, value, rule)
    except ValueError:
        return
    assert normalise(id_type, once, rule) == once
    assert "\x00" not in once


def test_a_store_knows_its_own_types_only() -> None:
    with pytest.raises(ValueError, match="it has email, whatsapp, phone, chat"):
        IdentitySettings().normalise("userId", "a")


@given(area_codes, subscribers)
def test_all_forms_of_a_us_number_agree(area: str, number: str) -> None:
    exchange, line = number[:3], number[3:]
    forms = [
        f"+1{area}{number}",
        f"1{area}{number}",
        f"{area}{number}",
        f"({area}) {exchange}-{line}",
        f"1-{area}-{exchange}-{line}",
        f"+1 {area}.{exchange}.{line}",
        f" tel:+1{area}{number} ",
        f"sms:{area}{number}",
        f"rcs:+1{area}{number}",
        f"WhatsApp:+1{area}{number}",
    ]
    assert {normalise("phone", form) for form in forms} == {f"+1{area}{number}"}
    assert {normalise("whatsapp", form) for form in forms} == {f"whatsapp:+1{area}{number}"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1-317-555-6789", "+13175556789"),
        ("+44 7700 900123", "+447700900123"),
        ("447700900123", "+447700900123"),
        ("011 44 7700 900123", "+447700900123"),
        ("+44 (0) 7700 900123", "+447700900123"),
        ("0479123456", "+10479123456"),
    ],
)
def test_phone_numbers(value: str, expected: str) -> None:
    assert normalise("phone", value) == expected


@pytest.mark.parametrize(
    ("id_type", "value"),
    [
        ("phone", ""),
        ("phone", "   "),
        ("phone", "5551234"),
        ("phone", "+123"),
        ("phone", "+1-800-FLOWERS"),
        ("phone", "ann@example.com"),
        ("phone", "317 555 6789 ext 5"),
        ("phone", "sip:317@example.com"),
        ("phone", "9" * 19),
        ("whatsapp", "whatsapp:"),
        ("whatsapp", "ann"),
        ("email", " \t "),
        ("email", "a\x00b@example.com"),
        ("email", "\ud800@example.com"),
        ("email", "a" * 256),
        ("chat", "client:"),
        ("chat", "x" * 256),
        ("pushUserID", "abc"),
        ("Phone", "+13175556789"),
    ],
)
def test_what_cannot_be_an_identifier(id_type: str, value: str) -> None:
    with pytest.raises(ValueError, match=r"identifier|phone number|international number"):
        normalise(id_type, value)


def test_email_loses_spaces_and_case() -> None:
    assert normalise("email", " Ann @Example.COM ") == "ann@example.com"


addresses = e164 | e164.map("whatsapp:{}".format) | st.emails() | st.text(st.characters(codec="utf-8"), min_size=1)


@given(st.sampled_from(Channel), addresses, st.booleans())
def test_traffic_is_recognised_by_what_clients_write(channel: Channel, address: str, link: bool) -> None:
    """Whoever writes an address as an identifier and whoever sends from it meet in one profile."""
    if channel is Channel.EMAIL and len(address.split()) != 1:
        return  # addresses of mail traffic hold no spaces
    try:
        recognised_by = recognition(parse(channel, address), linking=Linking(phone_and_whatsapp=link))
    except InvalidAddress:
        return
    if recognised_by is not None:
        for identifier in recognised_by.lookup:
            assert normalise(identifier.id_type, identifier.value) == identifier.value
            if channel is not Channel.EMAIL:
                assert normalise(identifier.id_type, address) == identifier.value
