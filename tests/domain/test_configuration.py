"""Settings as they are stored, read into values (contract: conversations.md section 2.5)."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.addresses import Channel, canonical
from orchestrator.domain.capture import CaptureRule
from orchestrator.domain.configuration import (
    GroupingType,
    StatusCallback,
    Timeouts,
    callbacks_from_wire,
    settings_from_wire,
)
from tests.domain.strategies import channels, phone_numbers

BARE = {"conversationGroupingType": "GROUP_BY_PROFILE", "memoryStoreId": "mem_store_01"}

minutes = st.none() | st.integers(1, 1_576_800)
timeouts = st.fixed_dictionaries({}, optional={"inactive": minutes, "closed": minutes})
rules = st.fixed_dictionaries({"from": phone_numbers | st.just("*"), "to": phone_numbers | st.just("*")})
channel_settings = st.dictionaries(
    channels.map(str),
    st.fixed_dictionaries(
        {}, optional={"statusTimeouts": st.none() | timeouts, "captureRules": st.none() | st.lists(rules, max_size=4)}
    ),
)


def test_a_configuration_as_the_api_returns_it() -> None:
    settings = settings_from_wire(
        {
            "displayName": "Care",
            "conversationGroupingType": "GROUP_BY_PARTICIPANT_ADDRESSES",
            "memoryStoreId": "mem_store_01",
            "channelSettings": {
                "SMS": {
                    "statusTimeouts": {"inactive": 10, "closed": 60},
                    "captureRules": [
                        {"from": "*", "to": "+16505550199", "metadata": {}},
                        {"from": "+16505550199", "to": "*"},
                    ],
                },
                "VOICE": {"statusTimeouts": {"inactive": None, "closed": 30}, "captureRules": None},
                "CHAT": {"statusTimeouts": None},
            },
            "statusCallbacks": [
                {"url": "https://example.com/events"},
                {"url": "https://example.com/", "method": "GET"},
            ],
        }
    )
    assert settings.grouping_type is GroupingType.ADDRESSES
    assert settings.memory_store_id == "mem_store_01"
    assert settings.rules == {
        Channel.SMS: (CaptureRule("*", "+16505550199", {}), CaptureRule("+16505550199", "*", {})),
        Channel.VOICE: (),
        Channel.CHAT: (),
    }
    assert settings.timeouts == {
        Channel.SMS: Timeouts(timedelta(minutes=10), timedelta(minutes=60)),
        Channel.VOICE: Timeouts(None, timedelta(minutes=30)),
        Channel.CHAT: Timeouts(None, None),
    }
    assert settings.literals == {"+16505550199"}
    assert settings.status_callbacks == (
        StatusCallback("https://example.com/events", "POST"),
        StatusCallback("https://example.com/", "GET"),
    )


@pytest.mark.parametrize("absent", [{}, {"channelSettings": None, "statusCallbacks": None}])
def test_nothing_is_captured_timed_or_told_by_default(absent: dict[str, Any]) -> None:
    settings = settings_from_wire({**BARE, **absent})
    assert (settings.rules, settings.timeouts) == ({}, {})
    assert (settings.literals, settings.status_callbacks) == (frozenset(), ())


@pytest.mark.parametrize("method", [None, ""])
def test_callbacks_are_posted_by_default(method: str | None) -> None:
    assert callbacks_from_wire([{"url": "https://example.com/", "method": method}])[0].method == "POST"


@given(channel_settings)
def test_literals_are_every_address_that_a_rule_of_any_channel_names(body: dict[str, Any]) -> None:
    named = {
        canonical(Channel(channel), rule[side])
        for channel, setting in body.items()
        for rule in setting.get("captureRules") or ()
        for side in ("from", "to")
        if rule[side] != "*"
    }
    assert settings_from_wire({**BARE, "channelSettings": body}).literals == named


@given(channel_settings)
def test_every_channel_keeps_its_own_rules_and_timers(body: dict[str, Any]) -> None:
    settings = settings_from_wire({**BARE, "channelSettings": body})
    assert settings.rules.keys() == settings.timeouts.keys() == {Channel(name) for name in body}
    for name, setting in body.items():
        channel, timers = Channel(name), setting.get("statusTimeouts") or {}
        assert len(settings.rules[channel]) == len(setting.get("captureRules") or ())
        for step in ("inactive", "closed"):
            found: timedelta | None = getattr(settings.timeouts[channel], step)
            assert (found and found // timedelta(minutes=1)) == timers.get(step)
