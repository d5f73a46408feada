"""Landings, worked out again from their traces: by what a trace says, the configurations of then, and the time.

Nothing of the service is asked or used. What a trace leaves open, or says wrongly, fails here.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.model.talks import BY_CHANNEL, BY_PROFILE, Said, Talk, Timeouts

Body = Mapping[str, Any]
Trace = Mapping[str, Any]
FIRST = ("NEW", "REOPENED")
"""What comes before JOINED, of things that happen at one moment."""


@dataclass(frozen=True)
class Sent:
    """What the provider told of."""

    sid: str
    channel: str
    sender: str
    to: str
    at: datetime
    call_type: str | None = None


@dataclass
class Configurations:
    """The settings of an account: for each configuration, from when on which version holds."""

    history: dict[str, list[tuple[datetime, Body]]] = field(default_factory=dict)

    def at(self, moment: datetime) -> dict[str, tuple[int, Body]]:
        """Number and settings of the versions that hold at a moment."""
        found = {}
        for configuration_id, versions in self.history.items():
            held = [(number, body) for number, (since, body) in enumerate(versions, 1) if since <= moment]
            if held:
                found[configuration_id] = held[-1]
        return found

    def named(self, moment: datetime) -> set[str]:
        """The addresses that rules name then."""
        settings = [setting for _, body in self.at(moment).values() for setting in body["channelSettings"].values()]
        return {rule[end] for setting in settings for rule in setting["captureRules"] for end in ("from", "to")} - {"*"}


def plain(address: str) -> str:
    """Without the prefix of its channel."""
    return address.partition(":")[2] or address


def takes(rule: Body, channel: str, sender: str, to: str, call_type: str | None) -> bool:
    """Whether a rule, as it was written, captures something."""
    wanted = dict(rule.get("metadata") or {})
    if channel == "VOICE":
        wanted.setdefault("callType", "PSTN")
    ends = rule["from"] in ("*", plain(sender)) and rule["to"] in ("*", plain(to))
    return ends and wanted.get("callType", call_type) == call_type


def rules(body: Body, channel: str) -> list[Body]:
    """Those of a channel."""
    return list(body["channelSettings"].get(channel, {}).get("captureRules", ()))


def capturing(configurations: Mapping[str, tuple[int, Body]], sent: Sent) -> dict[str, int]:
    """The configurations that capture it, each with the position of its first rule that does."""
    found: dict[str, int] = {}
    for configuration_id, (_, body) in configurations.items():
        for position, rule in enumerate(rules(body, sent.channel)):
            if takes(rule, sent.channel, sent.sender, sent.to, sent.call_type):
                found.setdefault(configuration_id, position)
    return found


class People:
    """Who is known by what: profiles, told by traces."""

    def __init__(self) -> None:
        self._owners: dict[tuple[str, str, str], str] = {}
        self._since: dict[str, datetime | None] = {}
        """When each profile was made; None: before anything was said."""

    def introduce(self, store: str, number: str, profile: str) -> None:
        """Somebody is known before anything is said."""
        self._owners[store, "phone", number] = profile
        self._since[profile] = None

    def learn(self, store: str, trace: Trace, now: datetime) -> None:
        """The customer's address leads to the profile from now on, as what it is on this channel and as a phone."""
        found = trace["profile"]
        if found is None:
            return
        if found["outcome"] == "created":
            # All that was written together with what made the profile says so.
            assert self._since.setdefault(found["profileId"], now) == now
        number = plain(_customer(trace))
        values = {"phone": number, "whatsapp": f"whatsapp:{number}"}
        for id_type in ("phone", "whatsapp") if trace["channel"] == "WHATSAPP" else ("phone",):
            assert self._owners.setdefault((store, id_type, values[id_type]), found["profileId"]) == found["profileId"]

    def check(self, store: str, trace: Trace, now: datetime) -> None:
        """The identifier is the customer's, or another form of it, and leads to the profile, which was there."""
        found = trace["profile"]
        if found is None:
            self._check_nobody(store, trace, now)
            return
        identifier = found["identifier"]
        assert plain(found.get("variantOf") or identifier["value"]) == plain(_customer(trace))
        assert self._owners[store, identifier["idType"], identifier["value"]] == found["profileId"]
        assert found["profileId"] in self._since

    def _check_nobody(self, store: str, trace: Trace, now: datetime) -> None:
        """The address identifies nobody; or no side is known to be ours, and not just one of them has a profile."""
        if trace["sides"]["toldBy"] != "none":
            assert trace["diagnostics"] == [530001]
            assert trace["from"].startswith("client:")
            return
        known = [self._owners.get((store, "phone", plain(trace[end]))) for end in ("from", "to")]
        before = [profile for profile in known if profile is not None and self._since[profile] != now]
        assert len(before) == (2 if "diagnostics" in trace else 0)


class Derivation:
    """What there is by now, told by traces alone; each is checked against it, and then believed."""

    def __init__(self, configurations: Configurations) -> None:
        self._configurations = configurations
        self._holders: dict[tuple[str, str], Talk] = {}
        self.people = People()
        self.talks: dict[str, Talk] = {}
        self.outcomes: dict[str, int] = {}

    def sweep(self, now: datetime) -> None:
        """The timers are looked at: a conversation that is late for two steps takes both."""
        for talk in self.talks.values():
            talk.grow_old(now)

    def hear(self, traces: Collection[tuple[Trace, Sent]], now: datetime) -> None:
        """What happened at one moment."""
        for trace, _ in traces:
            self.people.learn(self._body(trace)["memoryStoreId"], trace, now)
        for trace, sent in sorted(traces, key=lambda pair: pair[0]["outcome"] not in FIRST):
            self._capture(trace, sent)
            self._sides(trace, sent)
            self.people.check(self._body(trace)["memoryStoreId"], trace, now)
            self._land(trace, sent, self._key(trace))
            self.outcomes[trace["because"]] = self.outcomes.get(trace["because"], 0) + 1

    def _body(self, trace: Trace) -> Body:
        versions = self._configurations.history[trace["configurationId"]]
        body: Body = versions[trace["configurationVersion"] - 1][1]
        return body

    def _capture(self, trace: Trace, sent: Sent) -> None:
        """The rule is the first one that takes it, in the version that held then."""
        assert (trace["channel"], trace["from"], trace["to"]) == (sent.channel, sent.sender, sent.to)
        current = self._configurations.at(sent.at)
        version, body = current[trace["configurationId"]]
        assert (trace["configurationVersion"], trace["displayName"]) == (version, body["displayName"])
        position = capturing(current, sent)[trace["configurationId"]]
        rule = rules(body, sent.channel)[position]
        assert trace["rule"] == {"channel": sent.channel, "position": position, "from": rule["from"], "to": rule["to"]}

    def _sides(self, trace: Trace, sent: Sent) -> None:
        """Calls state their direction; else a side that a rule names is ours; else a profile may tell."""
        named = self._configurations.named(sent.at)
        ours = [plain(end) in named for end in (sent.sender, sent.to)]
        told = {name: trace["sides"][name] for name in ("author", "recipient")}
        if sent.channel == "VOICE" or ours == [False, True]:
            assert told == {"author": "CUSTOMER", "recipient": "AGENT"}
        elif ours == [True, False]:
            assert told == {"author": "AGENT", "recipient": "CUSTOMER"}
        else:
            assert sorted(told.values()) == ["CUSTOMER" if trace["profile"] else "UNKNOWN", "UNKNOWN"]
        reasons = {"direction"} if sent.channel == "VOICE" else {"rule"} if any(ours) else {"profile", "none"}
        assert trace["sides"]["toldBy"] in reasons

    def _key(self, trace: Trace) -> str:
        """The grouping key: by the profile of the customer, or by both addresses."""
        grouping = self._body(trace)["conversationGroupingType"]
        assert trace["groupingType"] == grouping
        if grouping == BY_PROFILE and trace["profile"] is not None:
            return f"profile {trace['profile']['profileId']}"
        pair = " ".join(sorted((plain(trace["from"]), plain(trace["to"]))))
        return f"channel {trace['channel']} {pair}" if grouping == BY_CHANNEL else f"addresses {pair}"

    def _land(self, trace: Trace, sent: Sent, key: str) -> None:
        """In the open conversation that holds the key, or in a new one."""
        assert trace["key"] == key
        place = (trace["configurationId"], key)
        holder = self._holders.get(place)
        if holder is not None and holder.is_open(sent.at):
            because = {"INACTIVE": ("REOPENED", "WAS_INACTIVE")}.get(holder.status, ("JOINED", "HOLDS_KEY"))
        elif holder is not None and holder.status != "CLOSED":
            because = ("NEW", "HOLDER_HAS_ENDED")
            assert trace["succeeds"] == holder.id
            holder.status = "CLOSED"
        else:
            because = ("NEW", "KEY_WAS_FREE")
        assert (trace["outcome"], trace["because"]) == because, trace
        if because[0] == "NEW":
            holder = self._open(trace, sent)
            self._holders[place] = holder
        assert holder is not None
        assert trace["conversationId"] == holder.id
        holder.hear(Said(sent.sender, sent.channel), sent.at)

    def _open(self, trace: Trace, sent: Sent) -> Talk:
        assert trace["conversationId"] not in self.talks
        talk = Talk(trace["groupingType"], Said(sent.sender, sent.channel), sent.at, _timeouts(self._body(trace)))
        talk.id = trace["conversationId"]
        self.talks[talk.id] = talk
        return talk


def _customer(trace: Trace) -> str:
    address: str = trace["from"] if trace["sides"]["author"] == "CUSTOMER" else trace["to"]
    return address


def _timeouts(body: Body) -> dict[str, Timeouts]:
    return {
        channel: ((setting["statusTimeouts"] or {}).get("inactive"), (setting["statusTimeouts"] or {}).get("closed"))
        for channel, setting in body["channelSettings"].items()
    }


def explained(trace: Trace, sent: Sent, configurations: Mapping[str, tuple[int, Body]]) -> None:
    """Check a trace of something that was not captured: all configurations are in it, and what differs does."""
    considered = {one["configurationId"]: one for one in trace["considered"]}
    assert considered.keys() == configurations.keys()
    assert sum(len(one["nearest"]) for one in considered.values()) <= 5
    for configuration_id, one in considered.items():
        version, body = configurations[configuration_id]
        assert (one["configurationVersion"], one["rulesOfChannel"]) == (version, len(rules(body, sent.channel)))
        for near in one["nearest"]:
            written = rules(body, near["channel"])[near["position"]]
            assert (near["from"], near["to"]) == (written["from"], written["to"])
            _differs(near, sent)


def _differs(near: Trace, sent: Sent) -> None:
    """What the rule says is not what the message has, and nothing else is in the way."""
    told = {one["field"]: one for one in near["differences"]}
    ends = [plain(sent.sender), plain(sent.to)]
    if "direction" in told:
        ends.reverse()
    for name, end in zip(("from", "to"), ends, strict=True):
        if name in told:
            assert (told[name]["rule"], told[name]["message"]) == (near[name], end)
            assert near[name] not in ("*", end)
        else:
            assert near[name] in ("*", end)
    assert ("channel" in told) == (near["channel"] != sent.channel)
    asked = near["metadata"].get("callType", sent.call_type)
    assert ("metadata" in told) == (near["channel"] == sent.channel and asked != sent.call_type)
    assert told
