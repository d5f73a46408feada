"""Why something landed where it did, or nowhere, in sentences: from the trace that the service keeps."""

from collections.abc import Collection, Sequence
from typing import Any

Trace = dict[str, Any]

_OUTCOMES = {
    "NEW": "It opened a new conversation.",
    "JOINED": "It joined the conversation that was open.",
    "REOPENED": "It joined a conversation that was INACTIVE and is ACTIVE again.",
}


def sentences(trace: Trace) -> list[str]:
    """What decided, one sentence each, the outcome first."""
    if trace["outcome"] == "UNCAPTURED":
        return [_sentence(trace["reason"])]
    told = [_OUTCOMES[trace["outcome"]], _capture(trace), _grouping(trace), _profile(trace["profile"])]
    if codes := trace.get("diagnostics"):
        told.append(f"Something went wrong with the profile: {', '.join(map(str, codes))}.")
    return [sentence for sentence in told if sentence]


def news(told: Sequence[str], before: Collection[str]) -> list[str]:
    """The outcome, and what was not said before."""
    return [sentence for number, sentence in enumerate(told) if number == 0 or sentence not in before]


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _capture(trace: Trace) -> str:
    if attribute := trace.get("attribute"):
        return f"Its call says where it belongs: {attribute['name']}={attribute['value']}."
    rule = trace["rule"]
    return f"Rule {rule['position'] + 1} of {rule['channel']} captured it: from {rule['from']} to {rule['to']}."


def _grouping(trace: Trace) -> str:
    return f"{trace['groupingType']}: its key is {trace['key']}." if trace["key"] else ""


def _profile(profile: Trace | None) -> str:
    if profile is None:
        return "Nobody was recognised."
    by = profile["identifier"]
    how = f" by {by['idType']} {by['value']}" if by else ""
    return f"Profile {profile['profileId']} was {profile['outcome']}{how}."
