"""Checks of calls: those that TwiML or the API places, and a rule of another configuration takes too."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.cli.doctor.findings import Finding
from orchestrator.cli.doctor.seen import Configured, Seen
from orchestrator.domain.addresses import Channel, InvalidAddress, canonical
from orchestrator.domain.capture import ANY, CaptureRule
from orchestrator.domain.messages import CallType

Call = tuple[str, frozenset[str]]
"""Its SID, and the canonical addresses of its ends."""


def voice_twice(seen: Seen) -> Iterator[Finding]:
    """Calls that say themselves where they belong, and that a VOICE rule of another configuration captures as well.

    Only such calls have their SID on the addresses of the participants. What the named configuration's own rules would
    take is not captured twice.
    """
    told: set[tuple[str, int]] = set()
    for conversation in seen.conversations:
        for sid, ends in _active_calls(conversation):
            for one in seen.configurations:
                rule = _taking(one, ends)
                if rule is None or one.id == conversation["configurationId"] or (one.id, rule) in told:
                    continue
                told.add((one.id, rule))
                yield Finding(
                    "voice-twice",
                    f"{one.name}, VOICE, rule {rule}",
                    f"It also takes calls that are put into conversations by TwiML or over the API, such as {sid} in "
                    f"{conversation['id']}: what is said is in two conversations.",
                    "Leave that number out of the VOICE rules, or the attribute out of the TwiML.",
                )


def _active_calls(conversation: Mapping[str, Any]) -> Iterator[Call]:
    ends: defaultdict[str, set[str]] = defaultdict(set)
    for participant in conversation["participants"]:
        for address in participant["addresses"]:
            sid = address.get("channelId") or ""
            if address["channel"] == Channel.VOICE and sid.startswith("CA"):
                ends[sid].add(_canonical(str(address["address"])))
    yield from ((sid, frozenset(found)) for sid, found in ends.items() if len(found) > 1)


def _canonical(address: str) -> str:
    try:
        return canonical(Channel.VOICE, address)
    except InvalidAddress:
        return address


def _taking(one: Configured, ends: frozenset[str]) -> int | None:
    """The first rule that takes what these ends say to each other."""
    for position, rule in enumerate(one.settings.rules.get(Channel.VOICE, ())):
        if _is_of_phones(rule) == all(end.startswith("+") for end in ends) and _fits(rule, ends):
            return position
    return None


def _is_of_phones(rule: CaptureRule) -> bool:
    return rule.metadata.get("callType") == CallType.PSTN


def _fits(rule: CaptureRule, ends: frozenset[str]) -> bool:
    return any(
        rule.sender in (ANY, sender) and rule.recipient in (ANY, recipient)
        for sender in ends
        for recipient in ends - {sender}
    )


CHECKS = (voice_twice,)
