"""One conversation: its events in their order, why each communication landed there, and what time will bring."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.cli.api import Api
from orchestrator.cli.landing import traces
from orchestrator.cli.lists import Resource, all_of, path_of
from orchestrator.domain.addresses import Channel
from orchestrator.domain.configuration import settings_from_wire
from orchestrator.domain.explaining import sentences
from orchestrator.domain.lifecycle import Life, Status, Transition, next_transition

_PAGE = "1000"


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened."""

    event: Resource
    """As in the event log. Of a communication whose event is past its keeping: made of the communication."""
    reasons: Sequence[str] = ()
    """Why a communication landed here."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """What there is to tell."""

    conversation: Resource
    entries: Sequence[Entry]
    """The last ones, oldest first."""
    earlier: int
    """How many came before."""
    due: Transition | None
    """What time alone will bring next."""

    def as_json(self) -> dict[str, Any]:
        due = self.due and {"to": self.due.to, "at": self.due.at.isoformat().replace("+00:00", "Z")}
        return {
            "conversation": self.conversation,
            "nextTransition": due,
            "earlier": self.earlier,
            "timeline": [{**one.event, "reasons": list(one.reasons)} for one in self.entries],
        }


async def timeline_of(api: Api, conversation_id: str, limit: int) -> Timeline:
    """The last `limit` things that happened. Raises CommandFailed, of which Refused when there is no such one."""
    path = path_of("/v2/Conversations", conversation_id)
    conversation = await api.get(path)
    said = await all_of(api, f"{path}/Communications", "communications")
    events = _with_silent(await _events(api, conversation_id), said)
    shown = events[-limit:]
    return Timeline(conversation, await _explained(api, shown), len(events) - len(shown), _due(conversation, said))


async def _events(api: Api, conversation_id: str) -> list[Resource]:
    """Those that are kept, in their order."""
    page = await api.get("/orchestrator/v1/Events", conversationId=conversation_id, pageSize=_PAGE)
    found: list[Resource] = page["events"]
    while page["after"] < page["latest"]:
        page = await api.get(
            "/orchestrator/v1/Events", conversationId=conversation_id, pageSize=_PAGE, after=str(page["after"])
        )
        found += page["events"]
    return found


def _with_silent(events: list[Resource], said: Sequence[Resource]) -> list[Resource]:
    """Before the events, the communications whose own are no longer kept."""
    told = {one["data"]["id"] for one in events if one["eventType"] == "COMMUNICATION_CREATED"}
    silent = [
        {"eventType": "COMMUNICATION_CREATED", "timestamp": one["createdAt"], "sequence": None, "data": one}
        for one in said
        if one["id"] not in told
    ]
    return silent + events


async def _explained(api: Api, events: Sequence[Resource]) -> list[Entry]:
    ids = [one["data"]["id"] for one in events if one["eventType"] == "COMMUNICATION_CREATED"]
    found = dict(zip(ids, await traces(api, ids), strict=True))
    why = {one: sentences(trace) for one, trace in found.items() if trace is not None}
    return [
        Entry(one, why.get(one["data"]["id"], ()) if one["eventType"] == "COMMUNICATION_CREATED" else ())
        for one in events
    ]


def _due(conversation: Resource, said: Sequence[Resource]) -> Transition | None:
    """By the rule that the service itself follows, to the second: the API shows no fractions."""
    activity: dict[Channel, datetime] = {}
    for one in said:
        channel, at = Channel(one["author"]["channel"]), datetime.fromisoformat(one["createdAt"])
        activity[channel] = max(at, activity.get(channel, at))
    channels = frozenset(
        Channel(address["channel"]) for one in conversation["participants"] for address in one["addresses"]
    )
    timeouts = settings_from_wire(conversation["configuration"]).timeouts
    created_at = datetime.fromisoformat(conversation["createdAt"])
    return next_transition(Life(Status(conversation["status"]), created_at, activity, timeouts, channels))
