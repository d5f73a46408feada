"""Traces in words: why something landed where it did, or nowhere, said in a few sentences.

A trace is what the API answers, or what is stored: JSON in either case, of which any part may be missing.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Trace = Mapping[str, Any]

_TOLD_BY = {
    "number": "our side is a registered number",
    "rule": "a capture rule names our side",
    "direction": "the provider states the direction",
    "profile": "only the customer has a profile",
}
_GROUPINGS = {
    "GROUP_BY_PROFILE": "by the customer's profile",
    "GROUP_BY_PARTICIPANT_ADDRESSES": "by the pair of addresses, whatever the channel",
    "GROUP_BY_PARTICIPANT_ADDRESSES_AND_CHANNEL_TYPE": "by the pair of addresses and the channel",
}
_DIAGNOSTICS = {
    530001: "no profile was looked for, or several were found and nothing tells which of them counts",
    530003: "the memory store is not there, so the customer could not be looked up",
    530004: "the memory store is not there, so the customer got no profile",
}

_MOST_NEAR = 2
"""Rules of a configuration that came near, in words."""


def sentences(trace: Trace) -> list[str]:
    """What a trace tells, in the order in which it was decided; at least one sentence.

    Takes the trace of a communication, of traffic that was not captured or was refused, and the landings of a dry run:
    those, marked by `dryRun`, are told as what would be.
    """
    match trace.get("outcome"):
        case "NEW" | "JOINED" | "REOPENED":
            return list(_captured(trace))
        case "PLACED":
            return list(_placed(trace))
        case "UNCAPTURED":
            return [f"Not captured: {trace.get('reason')}.", *_nearness(trace)]
        case "REFUSED":
            return [f"Refused with error {trace.get('errorCode')}: {trace.get('reason')}."]
        case "DUPLICATE":
            return ["The provider told of it before: the first time counts, and nothing was changed."]
    return ["No trace was kept."]


def _captured(trace: Trace) -> Iterator[str]:
    if trace.get("origin") == "MESSAGES_API":
        yield "It was sent over this service's Messages API, and goes the way of traffic."
    yield _by(trace)
    yield from _sides(trace)
    yield from _profile(trace)
    for code in trace.get("diagnostics") or ():
        yield f"Diagnostic {code}: {_DIAGNOSTICS.get(code, 'see the list of errors')}."
    yield from _grouping(trace)
    yield _conversation(trace)
    for one in trace.get("alsoIn") or ():
        yield f"{_configuration(one)} captured it too, in conversation {one['conversationId']}."


def _by(trace: Trace) -> str:
    captured = "Would be captured" if trace.get("dryRun") else "Captured"
    where = _configuration(trace)
    if attribute := trace.get("attribute"):
        return f"{captured} in {where}, because its call says so: {attribute['name']} is {attribute['value']}."
    rule = trace.get("rule")
    return f"{captured} by {_rule(rule)} in {where}." if rule else f"{captured} in {where}."


def _sides(trace: Trace) -> Iterator[str]:
    told = trace.get("sides")
    if not told:
        return
    author, recipient = trace.get("from") or "its sender", trace.get("to") or "its recipient"
    if told["toldBy"] == "none":
        yield f"Nothing tells which of {author} and {recipient} is the customer."
        return
    reason = _TOLD_BY.get(told["toldBy"], told["toldBy"])
    yield f"{author} is {told['author']} and {recipient} is {told['recipient']}: {reason}."


def _profile(trace: Trace) -> Iterator[str]:
    found = trace.get("profile")
    if not found:
        return
    identifier = found.get("identifier")
    by = f"{identifier['idType']} {identifier['value']}" if identifier else "its identifier"
    if found["outcome"] == "created":
        made = "a profile would be made" if trace.get("dryRun") else f"profile {found['profileId']} was made"
        yield f"Nobody was known by {by}: {made}."
    else:
        form = f", another form of {found['variantOf']}" if found.get("variantOf") else ""
        yield f"The customer is profile {found['profileId']}, known by {by}{form}."
    if others := found.get("ambiguous"):
        yield f"Other profiles match as well and were not taken: {', '.join(others)}."


def _grouping(trace: Trace) -> Iterator[str]:
    key, grouping = trace.get("key"), str(trace.get("groupingType"))
    if not key:
        return
    if grouping == "GROUP_BY_PROFILE" and not key.startswith("profile "):
        yield f"No profile is known to group by, so it is grouped by the pair of addresses: key “{key}”."
    else:
        yield f"Grouped {_GROUPINGS.get(grouping, grouping)}: key “{key}”."


def _conversation(trace: Trace) -> str:
    would, conversation = trace.get("dryRun"), f"conversation {trace.get('conversationId') or ''}".strip()
    joins = f"{'would join' if would else 'joined'} {conversation}"
    if trace["outcome"] == "NEW":
        opened = "would open a new conversation" if would else f"opened {conversation}"
        before = trace.get("succeeds")
        held = f"{before} held this key until it ended" if before else "no open one held this key"
        return f"It {opened}: {held}."
    if trace["outcome"] == "REOPENED":
        held = "is INACTIVE and would be ACTIVE again" if would else "was INACTIVE and became ACTIVE again"
        return f"It {joins}, which {held}{_since(trace)}."
    return f"It {joins}, which {'holds this key' if trace.get('key') else 'its call names'}{_since(trace)}."


def _since(trace: Trace) -> str:
    return f"; it is open since {trace['openSince']}" if trace.get("openSince") else ""


def _placed(trace: Trace) -> Iterator[str]:
    conversation = f"conversation {trace['conversationId']}" if trace.get("conversationId") else "its conversation"
    if trace.get("origin") == "ACTION":
        yield f"Action {trace.get('actionId')} sent it in {conversation}; capture rules had no part in it."
    else:
        yield f"It was put into {conversation} over the API; capture rules had no part in it."
    if trace.get("reopened"):
        yield "The conversation was INACTIVE and became ACTIVE again."


def _nearness(trace: Trace) -> Iterator[str]:
    if attribute := trace.get("attribute"):
        yield f"Its call says {attribute['name']} is {attribute['value']}, which has ended."
    for one in trace.get("considered") or ():
        yield from considered(one, str(trace.get("channel")))


def considered(one: Trace, channel: str) -> Iterator[str]:
    """What a trace tells of one configuration: why it did not capture something of this channel."""
    if one.get("captured"):
        rule = one.get("rule")
        yield f"{_configuration(one)} captures it{f' by {_rule(rule)}' if rule else ''}."
        return
    near_by = one.get("nearest") or ()
    if one.get("rulesOfChannel"):  # those of other channels would only be in the way
        near_by = [near for near in near_by if near["channel"] == channel]
    else:
        yield f"{_configuration(one)} has no capture rule for {channel}."
    for near in near_by[:_MOST_NEAR]:
        differences = " and ".join(_difference(each) for each in near["differences"])
        yield f"Near, in {_configuration(one)}: {_rule(near)}, but {differences}."


def _difference(one: Trace) -> str:
    field, wanted, found = one["field"], one.get("rule"), one.get("message")
    if field == "direction":
        return "it takes what goes the other way"
    if field == "channel":
        return f"this is {found}"
    if field == "metadata":
        return f"it asks for {one.get('name')} {wanted}, not {found or 'none'}"
    if one.get("sameNumber"):
        return f"its `{field}` is {wanted}, which is {found} in another form"
    return f"its `{field}` is {wanted}, not {found}"


def _rule(rule: Trace) -> str:
    """As people count: the first one is rule 1."""
    return f"rule {rule['position'] + 1} of {rule['channel']} (from {rule['from']} to {rule['to']})"


def _configuration(trace: Trace) -> str:
    name, identifier = trace.get("displayName"), trace.get("configurationId")
    if name:
        return f"“{name}”"
    return f"configuration {identifier}" if identifier else "a conversation with settings of its own"
