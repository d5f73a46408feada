"""Which traffic a capture rule catches (contract: conversations.md section 4)."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.addresses import Channel, parse
from orchestrator.domain.capture import ANY, CaptureRule, matches, matching_rule, rule_from_wire
from orchestrator.domain.messages import CallType, InboundMessage
from tests.domain.strategies import address_or_none, channels, message, phone_numbers, texts, written

ANN, US = "+15551234567", "+16505550199"

PARTIES = {
    "Ann": [ANN, f"whatsapp:{ANN}", "tel:+1 (555) 123-4567"],
    "us": [US, f"whatsapp:{US}", "rcs:+1-650-555-0199"],
    "agent": ["agent-1", "client:agent-1"],
    "brand": ["brand_acme_agent", "rcs:brand_acme_agent"],
    "desk": ["sip:Desk@example.com", "SIP:Desk@Example.COM:5060;transport=tcp"],
}
"""Spellings of a few addresses. Two spellings are one address when they stand in one row."""

parties = st.sampled_from(sorted(PARTIES))
attributes = st.fixed_dictionaries(
    {},
    optional={"callType": st.sampled_from([kind.value for kind in CallType]), "chatService": st.sampled_from("AB")},
)


def spelt(party: str) -> st.SearchStrategy[str]:
    return st.just(ANY) if party == ANY else st.sampled_from(PARTIES[party])


@st.composite
def traffic(draw: st.DrawFn, channel: Channel) -> tuple[str, str, InboundMessage]:
    """A message, and between whom."""
    author, recipient = draw(parties), draw(parties)
    found = message(
        parse(channel, draw(spelt(author))), parse(channel, draw(spelt(recipient))), attributes=draw(attributes)
    )
    return author, recipient, found


@st.composite
def rules(draw: st.DrawFn, channel: Channel) -> tuple[str, str, Mapping[str, str], CaptureRule]:
    """A rule, and whom and what it names."""
    sender, recipient = draw(parties | st.just(ANY)), draw(parties | st.just(ANY))
    metadata = draw(attributes)
    body = {"from": draw(spelt(sender)), "to": draw(spelt(recipient)), "metadata": metadata}
    return sender, recipient, metadata, rule_from_wire(channel, body)


@given(st.data(), channels)
def test_a_rule_matches_when_both_sides_and_the_metadata_do(data: st.DataObject, channel: Channel) -> None:
    author, recipient, found = data.draw(traffic(channel))
    rule_sender, rule_recipient, metadata, rule = data.draw(rules(channel))
    wanted = {"callType": "PSTN", **metadata} if channel is Channel.VOICE else metadata
    expected = (
        rule_sender in (author, ANY)
        and rule_recipient in (recipient, ANY)
        and wanted.items() <= dict(found.attributes).items()
    )
    assert matches(found, rule) == expected


@given(st.data(), channels)
def test_the_first_rule_that_matches_is_the_one(data: st.DataObject, channel: Channel) -> None:
    _, _, found = data.draw(traffic(channel))
    several = [rule for *_, rule in data.draw(st.lists(rules(channel), max_size=6))]
    matching = [position for position, rule in enumerate(several) if matches(found, rule)]
    assert matching_rule(found, several) == (matching[0] if matching else None)


def sms(sender: str, recipient: str) -> InboundMessage:
    return message(parse(Channel.SMS, sender), parse(Channel.SMS, recipient))


def call(sender: str, recipient: str, call_type: CallType) -> InboundMessage:
    return message(parse(Channel.VOICE, sender), parse(Channel.VOICE, recipient), call_type=call_type)


@given(phone_numbers, phone_numbers)
def test_two_rules_are_needed_for_both_directions(number: str, customer: str) -> None:
    """Section 4: `{from: N, to: *}` and `{from: *, to: N}`."""
    out = rule_from_wire(Channel.SMS, {"from": number, "to": "*"})
    back = rule_from_wire(Channel.SMS, {"from": "*", "to": number})
    assert matching_rule(sms(number, customer), [out, back]) == 0
    assert matching_rule(sms(customer, number), [out, back]) == (0 if customer == number else 1)
    assert matches(sms(customer, number), out) == (customer == number)


@given(phone_numbers, phone_numbers, st.sampled_from(CallType))
def test_any_to_any_catches_every_pstn_call_and_no_other(sender: str, recipient: str, call_type: CallType) -> None:
    everything = rule_from_wire(Channel.VOICE, {"from": "*", "to": "*", "metadata": {}})
    assert matches(call(sender, recipient, call_type), everything) == (call_type is CallType.PSTN)


@pytest.mark.parametrize("call_type", CallType)
@pytest.mark.parametrize("wanted", CallType)
def test_calls_are_caught_by_rules_of_their_call_type(call_type: CallType, wanted: CallType) -> None:
    """Section 4: "CLIENT/SIP calls are captured only by a rule with that callType"."""
    rule = rule_from_wire(Channel.VOICE, {"from": "*", "to": "agent-1", "metadata": {"callType": wanted.value}})
    assert matches(call("client:bob", "client:agent-1", call_type), rule) == (call_type is wanted)


@pytest.mark.parametrize("metadata", [{}, None, "absent"])
def test_pstn_is_asked_for_on_voice_alone(metadata: Any) -> None:
    body: dict[str, Any] = {"from": "*", "to": US} | ({} if metadata == "absent" else {"metadata": metadata})
    assert rule_from_wire(Channel.VOICE, body).metadata == {"callType": "PSTN"}
    assert rule_from_wire(Channel.SMS, body).metadata == {}


def test_chat_is_caught_by_its_chat_service() -> None:
    """Section 4: `chatService` = `IS…` for CHAT; both sides may be `*`."""
    rule = rule_from_wire(Channel.CHAT, {"from": "*", "to": "*", "metadata": {"chatService": "IS1"}})
    ann, us = parse(Channel.CHAT, "ann"), parse(Channel.CHAT, "us")
    assert matches(message(ann, us, attributes={"chatService": "IS1"}), rule)
    assert not matches(message(ann, us, attributes={"chatService": "IS2"}), rule)
    assert not matches(message(ann, us), rule)


@given(st.data(), phone_numbers, phone_numbers)
def test_whatsapp_rules_with_and_without_prefix_are_the_same(data: st.DataObject, sender: str, recipient: str) -> None:
    bare = rule_from_wire(Channel.WHATSAPP, {"from": sender, "to": recipient})
    prefixed = {"from": f"whatsapp:{sender}", "to": f"whatsapp:{recipient}"}
    punctuated = {"from": data.draw(written(sender)), "to": data.draw(written(recipient))}
    assert bare == rule_from_wire(Channel.WHATSAPP, prefixed) == rule_from_wire(Channel.WHATSAPP, punctuated)


@given(channels, texts, st.sampled_from(["*", " * "]))
def test_a_rule_names_its_literal_sides(channel: Channel, text: str, anyone: str) -> None:
    address = address_or_none(channel, text)
    if address is not None and address.canonical != ANY:
        literal = (address.canonical,)
        assert rule_from_wire(channel, {"from": text, "to": anyone}).literals == literal
        assert rule_from_wire(channel, {"from": anyone, "to": text}).literals == literal
        assert rule_from_wire(channel, {"from": text, "to": text}).literals == literal * 2
    assert rule_from_wire(channel, {"from": anyone, "to": anyone}).literals == ()
