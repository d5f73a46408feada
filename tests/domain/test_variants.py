"""Numbers with two written forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.addresses import Channel, canonical, parse
from orchestrator.domain.identity import Identifier, Recognition, Variant, recognition, recognition_of_all
from orchestrator.domain.linking import Linking
from orchestrator.domain.variants import variants
from tests.domain.strategies import address_or_none, phone_numbers

IN_TWO_FORMS = ("+55", "+54", "+52")

near_misses = st.builds(
    "{}{}{}".format,
    st.sampled_from(["+55", "+55119", "+5511", "+54", "+549", "+54911", "+5411", "+52", "+521", "+1", "+595", "52"]),
    st.sampled_from(["", "1", "9", "2", "6"]),
    st.text("0123456789", min_size=5, max_size=12),
)
"""Numbers of the three countries, or nearly."""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+5511987654321", "+551187654321"),
        ("+5599961234567", "+559961234567"),
        ("+5511999999999", "+551199999999"),
        ("+5491123456789", "+541123456789"),
        ("+5493511234567", "+543511234567"),
        ("+5215512345678", "+525512345678"),
    ],
)
def test_both_forms_lead_to_each_other(one: str, other: str) -> None:
    assert variants(one) == (other,)
    assert variants(other) == (one,)


@pytest.mark.parametrize(
    "number",
    [
        "+551132654321",  # a landline has eight digits
        "+5511932654321",  # a mobile number that came after the ninth digit
        "+5510987654321",  # no area ends in 0
        "+55119876543210",
        "+548001234567",  # toll-free
        "+54911234567890",
        "+521234567890",
        "+5211234567890",
        "+15551234567",
        "+447700900123",
        "5511987654321",
        "+5511987654321\n",
        "+55119876543\u0662\u0663",
        "kiran",
        "",
    ],
)
def test_others_have_one_form(number: str) -> None:
    assert variants(number) == ()


@given(near_misses | phone_numbers)
def test_to_be_a_variant_is_mutual(number: str) -> None:
    forms = variants(number)
    assert number not in forms
    assert len(forms) <= 1
    for form in forms:
        assert variants(form) == (number,)
        assert abs(len(form) - len(number)) == 1
        assert form[:3] == number[:3]
        assert number.startswith(IN_TWO_FORMS)
        assert 12 <= len(form) - 1 <= 13


@given(near_misses)
def test_a_variant_of_what_traffic_is_compared_by_is_compared_by_itself(number: str) -> None:
    address = address_or_none(Channel.SMS, number)
    for form in variants(address.canonical) if address else ():
        assert canonical(Channel.SMS, form) == form


ONE, OTHER = "+5511987654321", "+551187654321"


def phone(number: str) -> Identifier:
    return Identifier("phone", number)


def whatsapp(number: str) -> Identifier:
    return Identifier("whatsapp", f"whatsapp:{number}")


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.RCS, Channel.VOICE])
def test_a_phone_is_looked_up_by_its_other_form_too(channel: Channel) -> None:
    expected = Recognition((phone(ONE),), phone(ONE), (Variant(phone(OTHER), phone(ONE)),))
    assert recognition(parse(channel, ONE)) == expected


def test_whatsapp_is_looked_up_by_both_forms_as_both_types() -> None:
    address = parse(Channel.WHATSAPP, ONE)
    others = (Variant(whatsapp(OTHER), whatsapp(ONE)), Variant(phone(OTHER), phone(ONE)))
    assert recognition(address) == Recognition((whatsapp(ONE), phone(ONE)), phone(ONE), others)
    unlinked = Linking(phone_and_whatsapp=False)
    assert recognition(address, linking=unlinked) == Recognition((whatsapp(ONE),), whatsapp(ONE), others[:1])


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.WHATSAPP])
def test_without_the_switch_there_are_no_other_forms(channel: Channel) -> None:
    by = recognition(parse(channel, ONE), linking=Linking(number_variants=False))
    assert by is not None
    assert by.variants == ()


def test_other_forms_of_all_that_somebody_owns() -> None:
    by = recognition_of_all([parse(Channel.SMS, ONE), parse(Channel.EMAIL, "k@example.com"), parse(Channel.RCS, OTHER)])
    assert by is not None
    assert by.lookup == (phone(ONE), Identifier("email", "k@example.com"), phone(OTHER))
    assert by.variants == (Variant(phone(OTHER), phone(ONE)), Variant(phone(ONE), phone(OTHER)))
