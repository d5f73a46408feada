"""What is left to do: one step after the other, each a request or many of a kind.

The order is what makes it safe. The new configuration captures nothing when it is made. Then it is given all rules in
one request, and the next request takes them from the old one: between the two a message lands in both, but none lands
nowhere. Only then the old conversations are closed: before, traffic would open others in their place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from orchestrator.cli.errors import CommandFailed
from orchestrator.cli.regrouping.state import CONFIGURATIONS, CONVERSATIONS, Body, State, Wish
from orchestrator.configurations.differences import between
from orchestrator.configurations.dry_runs import change_to_wire
from orchestrator.configurations.patches import PatchConfigurationRequest, patched

NEW = "{new}"
"""Stands for the id that the new configuration is going to have."""
LONGEST_DESCRIPTION = 512
_COPIED = ("memoryStoreId", "statusCallbacks", "intelligenceConfigurationIds", "memoryExtractionEnabled")


class Kind(StrEnum):
    """The steps, in their order."""

    CREATE = "create"
    GIVE = "give"
    TAKE = "take"
    BRIDGE = "bridge"
    CLOSE = "close"
    DELETE = "delete"
    FINISH = "finish"


@dataclass(frozen=True, slots=True)
class Step:
    """A request, or as many of a kind as there are conversations."""

    kind: Kind
    method: str
    path: str
    why: str
    body: Mapping[str, Any] | None = None
    changes: tuple[Mapping[str, Any], ...] = ()
    """What it changes of a configuration, field by field."""
    count: int = 1
    """How many requests it is."""
    if_version: int | None = None
    """The version of the configuration that the step was made for."""

    def as_json(self) -> dict[str, Any]:
        shown = {"step": self.kind.value, "method": self.method, "path": self.path, "why": self.why, "body": self.body}
        return {**shown, "changes": list(self.changes), "requests": self.count}


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps that are left, and the settings that they start from."""

    steps: tuple[Step, ...]
    new: Body = field(default_factory=dict)
    """The new configuration as it is, or is going to be made."""
    differs: tuple[str, ...] = ()
    """Where it says otherwise than the old one, because one of them was changed after it was made."""


def plan(state: State, wish: Wish) -> Plan:
    """The steps. Raises CommandFailed where the old configuration cannot be copied."""
    new = state.new or _made(state.old or {}, wish)
    steps = []
    if state.new is None:
        steps.append(_create(new))
    if state.old is not None:
        steps += [*_move(state.old, new), *_move_bridge(state, new), *_end(state, wish)]
    if state.old is None or _is_last(state, wish):
        steps.append(_finish(new, wish))
    return Plan(tuple(steps), new, _differs(state, wish))


def _differs(state: State, wish: Wish) -> tuple[str, ...]:
    if state.old is None or state.new is None:
        return ()
    moves = {"captureRules", "conversationsV1Bridge", "displayName"}
    made = _made(state.old, wish)
    found = between({name: state.new[name] for name in made}, made)
    return tuple(change.path for change in found if change.path.rpartition("/")[2] not in moves)


def _made(old: Body, wish: Wish) -> dict[str, Any]:
    """The new configuration: the old one's settings, without its rules and its bridge."""
    description = f"{old['description']}{wish.mark}"
    if len(description) > LONGEST_DESCRIPTION:
        raise CommandFailed(
            f"the description of {wish.old_id} is too long: until all is done, the new one's ends with{wish.mark}. "
            f"Shorten it to {LONGEST_DESCRIPTION - len(wish.mark)} characters"
        )
    return {
        "displayName": wish.name or old["displayName"],
        "description": description,
        "conversationGroupingType": wish.grouping.value,
        **{name: old[name] for name in _COPIED},
        "channelSettings": {
            channel: {"statusTimeouts": setting["statusTimeouts"], "captureRules": []}
            for channel, setting in old["channelSettings"].items()
        },
        "conversationsV1Bridge": None,
    }


def _create(new: Body) -> Step:
    body = {name: value for name, value in new.items() if value is not None}
    why = "the same settings with another grouping type; no rules yet, so that nothing is captured twice"
    return Step(Kind.CREATE, "POST", CONFIGURATIONS, why, body)


def _move(old: Body, new: Body) -> list[Step]:
    given, taken = dict[str, Any](), dict[str, Any]()
    for channel, setting in old["channelSettings"].items():
        if not setting["captureRules"]:
            continue
        there = new["channelSettings"].get(channel, {**setting, "captureRules": []})
        missing = [rule for rule in setting["captureRules"] if rule not in there["captureRules"]]
        if missing:
            given[channel] = {**there, "captureRules": [*there["captureRules"], *missing]}
        taken[channel] = {**setting, "captureRules": []}
    steps = []
    if given:
        why = "it captures from now on; until the next request, both do"
        steps.append(_patch(Kind.GIVE, new, {"channelSettings": given}, why))
    if taken or old["conversationsV1Bridge"]:
        body: dict[str, Any] = {"channelSettings": taken} if taken else {}
        if old["conversationsV1Bridge"]:
            body["conversationsV1Bridge"] = None
        steps.append(_patch(Kind.TAKE, old, body, "it captures nothing any more"))
    return steps


def _move_bridge(state: State, new: Body) -> list[Step]:
    if state.bridge is None:
        return []
    body = {"conversationsV1Bridge": dict(state.bridge)}
    return [
        _patch(
            Kind.BRIDGE,
            {**new, "version": None},
            body,
            "one configuration at a time may have a bridge, so it comes last",
        )
    ]


def _end(state: State, wish: Wish) -> list[Step]:
    """Close and delete. What is left to its timers has to end first."""
    count = len(state.open_conversations)
    steps = []
    if wish.closes and count:
        why = "open conversations of the old configuration; what customers write next opens new ones"
        path = f"{CONVERSATIONS}/{{conversation}}"
        steps.append(Step(Kind.CLOSE, "PATCH", path, why, {"status": "CLOSED"}, count=count))
    if _is_last(state, wish):
        why = "nothing is left of it but closed conversations, which stay"
        steps.append(Step(Kind.DELETE, "DELETE", f"{CONFIGURATIONS}/{wish.old_id}", why))
    return steps


def _is_last(state: State, wish: Wish) -> bool:
    """Whether this run comes to the end."""
    return wish.closes or not state.open_conversations


def _finish(new: Body, wish: Wish) -> Step:
    body = {"description": str(new["description"]).removesuffix(wish.mark)}
    return _patch(Kind.FINISH, {**new, "version": None}, body, "all is done, so the mark goes")


def _patch(kind: Kind, before: Body, body: dict[str, Any], why: str) -> Step:
    """A PATCH of a configuration as it is at this point, which nobody else may have changed since."""
    after = patched(before, PatchConfigurationRequest.model_validate(body))
    changes = tuple(change_to_wire(change) for change in between(before, after))
    path = f"{CONFIGURATIONS}/{before.get('id', NEW)}"
    return Step(kind, "PATCH", path, why, body, changes, if_version=before.get("version"))
