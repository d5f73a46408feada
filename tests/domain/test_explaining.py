"""Traces in words: each outcome has its sentences, and whatever is missing is left out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.explaining import considered, sentences

KEY = "addresses +1 +2"
RULE = {"channel": "SMS", "position": 1, "from": "*", "to": "+16505550199"}
LANDED = {"conversationId": "conv_1", "configurationId": "conf_1", "displayName": "Support", "rule": RULE, "key": KEY}


def difference(field: str, **more: Any) -> str:
    """What is said of one difference."""
    near = {**RULE, "differences": [{"field": field, "rule": "a", "message": "b", **more}]}
    (told,) = considered({"displayName": "Support", "rulesOfChannel": 1, "nearest": [near]}, "SMS")
    start, end = "Near, in “Support”: rule 2 of SMS (from * to +16505550199), but ", "."
    assert told.startswith(start)
    assert told.endswith(end)
    return told[len(start) : -len(end)]


@pytest.mark.parametrize(
    ("trace", "last"),
    [
        ({"outcome": "NEW"}, "It opened conversation conv_1: no open one held this key."),
        (
            {"outcome": "NEW", "succeeds": "conv_0"},
            "It opened conversation conv_1: conv_0 held this key until it ended.",
        ),
        ({"outcome": "JOINED"}, "It joined conversation conv_1, which holds this key."),
        ({"outcome": "JOINED", "key": None}, "It joined conversation conv_1, which its call names."),
        ({"outcome": "REOPENED"}, "It joined conversation conv_1, which was INACTIVE and became ACTIVE again."),
        ({"outcome": "NEW", "dryRun": True}, "It would open a new conversation: no open one held this key."),
        (
            {"outcome": "REOPENED", "dryRun": True, "openSince": "2026-02-03T09:15:04Z"},
            (
                "It would join conversation conv_1, which is INACTIVE and would be ACTIVE again; "
                "it is open since 2026-02-03T09:15:04Z."
            ),
        ),
    ],
)
def test_why_it_is_that_conversation(trace: dict[str, Any], last: str) -> None:
    told = sentences({**LANDED, **trace})
    captured = "Would be captured" if "dryRun" in trace else "Captured"
    assert told[0] == f"{captured} by rule 2 of SMS (from * to +16505550199) in “Support”."
    assert told[-1] == last


def test_who_the_customer_is() -> None:
    found: dict[str, Any] = {
        "outcome": "found",
        "profileId": "mem_1",
        "identifier": {"idType": "phone", "value": "+552"},
        "variantOf": "+551",
        "ambiguous": ["mem_2", "mem_3"],
    }
    told = sentences({"outcome": "JOINED", "profile": found, "diagnostics": [530001]})
    assert told[1:4] == [
        "The customer is profile mem_1, known by phone +552, another form of +551.",
        "Other profiles match as well and were not taken: mem_2, mem_3.",
        "Diagnostic 530001: no profile was looked for, or several were found and nothing tells which of them counts.",
    ]
    made = {"outcome": "created", "profileId": None, "identifier": {"idType": "phone", "value": "+552"}}
    assert sentences({"outcome": "NEW", "profile": made, "dryRun": True})[1] == (
        "Nobody was known by phone +552: a profile would be made."
    )


def test_by_what_it_is_grouped() -> None:
    by_profile = {**LANDED, "outcome": "NEW", "groupingType": "GROUP_BY_PROFILE"}
    assert "No profile is known to group by" in " ".join(sentences(by_profile))
    assert "Grouped by the customer's profile" in " ".join(sentences({**by_profile, "key": "profile mem_1"}))


@pytest.mark.parametrize(
    ("trace", "told"),
    [
        ({"outcome": "DUPLICATE"}, "The provider told of it before: the first time counts, and nothing was changed."),
        (
            {"outcome": "REFUSED", "errorCode": 20001, "reason": "/To: this field is required"},
            "Refused with error 20001: /To: this field is required.",
        ),
        (
            {"outcome": "PLACED", "origin": "API", "conversationId": "conv_1"},
            "It was put into conversation conv_1 over the API; capture rules had no part in it.",
        ),
        (
            {"outcome": "PLACED", "origin": "ACTION", "actionId": "act_1", "conversationId": "conv_1"},
            "Action act_1 sent it in conversation conv_1; capture rules had no part in it.",
        ),
        ({"outcome": "UNCAPTURED", "reason": "no rule"}, "Not captured: no rule."),
        ({}, "No trace was kept."),
    ],
)
def test_what_did_not_land_by_a_rule(trace: dict[str, Any], told: str) -> None:
    assert sentences(trace) == [told]


def test_what_differs() -> None:
    assert difference("direction") == "it takes what goes the other way"
    assert difference("channel") == "this is b"
    assert difference("from") == "its `from` is a, not b"
    assert difference("to", sameNumber=True) == "its `to` is a, which is b in another form"
    assert difference("metadata", name="callType") == "it asks for callType a, not b"
    assert difference("metadata", name="callType", message=None) == "it asks for callType a, not none"


def test_rules_of_other_channels_are_told_of_where_there_are_none_of_its_own() -> None:
    other = {**RULE, "channel": "VOICE", "differences": [{"field": "channel", "rule": "VOICE", "message": "SMS"}]}
    asked = {"displayName": "Support", "nearest": [other]}
    told = list(considered({**asked, "rulesOfChannel": 0}, "SMS"))
    assert told[0] == "“Support” has no capture rule for SMS."
    assert len(told) == 2
    assert list(considered({**asked, "rulesOfChannel": 1}, "SMS")) == []


@given(st.sampled_from(["NEW", "JOINED", "REOPENED", "PLACED", "UNCAPTURED", "REFUSED", "DUPLICATE", "?"]))
def test_there_is_always_something_to_say(outcome: str) -> None:
    assert all(sentences({"outcome": outcome}))
    assert sentences({"outcome": outcome})
