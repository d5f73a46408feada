"""The JSON form in which the journal keeps the states before a merge (`domain.merging`); times to the microsecond."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from orchestrator.domain.identifiers import IdentifierType, LimitPolicy
from orchestrator.domain.identity import Identifier
from orchestrator.domain.merging import Fact, Item, Kind, Merge, State, Types, identifier, trait
from orchestrator.memory.happenings import ParticipantKey

_IDS = {"observations": Kind.OBSERVATION, "summaries": Kind.SUMMARY, "aliases": Kind.ALIAS}


def to_json(done: Merge, created: Mapping[str, datetime], participants: Iterable[ParticipantKey]) -> dict[str, Any]:
    """Both states before a merge; when the profiles were made, and the participants who went from one to the other."""
    return rebased(
        {
            "survivor": {"createdAt": created[done.survivor_id].isoformat(), "participants": []},
            "merged": {"createdAt": created[done.merged_id].isoformat(), "participants": sorted(participants)},
            "limits": [
                {"idType": known.name, "limit": known.limit, "limitPolicy": known.limit_policy.value}
                for known in done.types.values()
            ],
        },
        done,
    )


def rebased(before: Mapping[str, Any], done: Merge) -> dict[str, Any]:
    """The same with other states."""
    return {
        **before,
        "survivor": {**before["survivor"], **_state_to_json(done.survivor)},
        "merged": {**before["merged"], **_state_to_json(done.merged)},
        "splitOff": None if done.split_off is None else _state_to_json(done.split_off),
    }


def from_json(merge_id: str, survivor_id: str, merged_id: str, before: Mapping[str, Any]) -> Merge:
    """A merge, to compute with."""
    return Merge(
        merge_id,
        survivor_id,
        merged_id,
        _state(before["survivor"]),
        _state(before["merged"]),
        _types(before["limits"]),
        None if before["splitOff"] is None else _state(before["splitOff"]),
    )


def participants(before: Mapping[str, Any]) -> frozenset[ParticipantKey]:
    """Those who had the id that was merged away."""
    return frozenset((conversation, participant) for conversation, participant in before["merged"]["participants"])


def _state_to_json(state: State) -> dict[str, Any]:
    items = sorted(state)
    return {
        "identifiers": [_identifier_to_json(item, state[item]) for item in items if item.kind is Kind.IDENTIFIER],
        "traits": [_trait_to_json(item, state[item]) for item in items if item.kind is Kind.TRAIT],
        **{name: [item.name for item in items if item.kind is kind] for name, kind in _IDS.items()},
    }


def _identifier_to_json(item: Item, fact: Fact) -> dict[str, Any]:
    return {"idType": item.name, "value": item.detail, "isUnique": fact.is_unique, "createdAt": _text(fact)}


def _trait_to_json(item: Item, fact: Fact) -> dict[str, Any]:
    return {"group": item.name, "name": item.detail, "value": fact.value, "updatedAt": _text(fact)}


def _state(body: Mapping[str, Any]) -> dict[Item, Fact]:
    held = {
        identifier(Identifier(one["idType"], one["value"])): Fact(
            datetime.fromisoformat(one["createdAt"]), is_unique=one["isUnique"]
        )
        for one in body["identifiers"]
    }
    told = {
        trait(one["group"], one["name"]): Fact(datetime.fromisoformat(one["updatedAt"]), one["value"])
        for one in body["traits"]
    }
    return {**held, **told, **{Item(kind, one): Fact() for name, kind in _IDS.items() for one in body[name]}}


def _types(limits: Iterable[Mapping[str, Any]]) -> Types:
    return {
        one["idType"]: IdentifierType(one["idType"], limit=one["limit"], limit_policy=LimitPolicy(one["limitPolicy"]))
        for one in limits
    }


def _text(fact: Fact) -> str | None:
    return None if fact.since is None else fact.since.isoformat()
