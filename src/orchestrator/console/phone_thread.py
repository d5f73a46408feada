"""What two phones said to each other, and where something that was just said has landed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.console.api import Answer
from orchestrator.console.line import Line
from orchestrator.console.page import Page, path_to
from orchestrator.console.uncaptured import channel_of, ends_of

_CONVERSATIONS = 5
"""So many of a line are looked into, the newest."""
_SAID = 1000

Json = Mapping[str, Any]


@dataclass(slots=True)
class Entry:
    """One message, or one sentence of a call."""

    at: str
    is_mine: bool
    """Whether the phone that is held has sent it."""
    text: str | None
    """None where it was not kept: of what was not captured."""
    resource_id: str | None
    communications: list[Json] = field(default_factory=list)
    """One for each conversation that captured it."""
    status: str | None = None
    """How far it got to the other phone."""
    uncaptured: Json | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """All of a line, oldest first."""

    entries: Sequence[Entry]
    answers: Sequence[Answer]
    """What it was made of."""


async def read_thread(page: Page, line: Line) -> Thread:
    """What the conversations of two phones have, and what no conversation has."""
    found, *messages = await page.together(
        page.ask("/orchestrator/v1/Search", q=line.mine, pageSize=100),
        *(
            page.ask(f"/2010-04-01/Accounts/{page.account_id}/Messages.json", From=one.mine, To=one.theirs)
            for one in (line, line.other_way)
        ),
    )
    conversations = [one for one in found.body["conversations"] if _is_of(line, one)] if found.succeeded else []
    said = await page.together(
        *(
            page.ask(path_to("/v2/Conversations/{}/Communications", one["id"]), pageSize=_SAID)
            for one in conversations[:_CONVERSATIONS]
        )
    )
    entries: dict[str, Entry] = {}
    for one in (one for answer in said if answer.succeeded for one in answer.body["communications"]):
        _add_communication(entries, line, one)
    texts = {one["sid"]: one["body"] for answer in messages if answer.succeeded for one in answer.body["messages"]}
    for one in found.body["uncaptured"] if found.succeeded else []:
        _add_uncaptured(entries, line, one, texts)
    return Thread(sorted(entries.values(), key=lambda entry: entry.at), [found, *said])


def next_position(thread: Thread, call_sid: str | None) -> int:
    """Of the next sentence of a call, counted from 1."""
    if not call_sid:
        return 1
    ids = [str(entry.resource_id).removeprefix(f"GT{call_sid[2:]}") for entry in thread.entries]
    return max((int(one) for one in ids if one.isdigit()), default=0) + 1


def _is_of(line: Line, conversation: Json) -> bool:
    known = {
        line.canonical(end["address"])
        for who in conversation["participants"]
        for end in who["addresses"]
        if end["channel"] == line.channel
    }
    return {line.canonical(line.mine), line.canonical(line.theirs)} <= known


def _add_communication(entries: dict[str, Entry], line: Line, said: Json) -> None:
    author, recipients = said["author"], said["recipients"]
    reached = next((end for end in recipients if line.has_ends(author["address"], end["address"])), None)
    if author["channel"] != line.channel or reached is None:
        return
    key = said["resourceId"] or said["id"]
    entry = entries.setdefault(
        key, Entry(said["createdAt"], line.is_mine(author["address"]), said["content"]["text"], said["resourceId"])
    )
    entry.communications.append(said)
    entry.status = reached.get("deliveryStatus") or entry.status


def _add_uncaptured(entries: dict[str, Entry], line: Line, one: Json, texts: Mapping[str, str | None]) -> None:
    trace, sid = one["trace"], one["resourceId"]
    sender, to = ends_of(trace)
    if sid in entries or not line.has_ends(sender, to) or channel_of(trace) != line.channel:
        return
    entries[sid or one["id"]] = Entry(
        one["receivedAt"], line.is_mine(sender), texts.get(sid), sid, uncaptured={**one, "reason": trace.get("reason")}
    )


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of something that was sent."""

    resource_id: str
    traces: Sequence[Answer]
    """One for each conversation that it landed in."""
    uncaptured: Json | None
    answers: Sequence[Answer]


async def landed(page: Page, resource_id: str) -> Landed:
    """Where a message or a sentence is now, by the provider's id of it."""
    conversations, uncaptured = await page.together(
        page.get("/v2/Conversations", channelId=resource_id),
        page.get("/orchestrator/v1/Uncaptured", resourceId=resource_id),
    )
    said = await page.together(
        *(
            page.get(path_to("/v2/Conversations/{}/Communications", one["id"]), channelId=resource_id)
            for one in conversations.body["conversations"]
        )
    )
    ids = [one["id"] for answer in said for one in answer.body["communications"] if one["resourceId"] == resource_id]
    traces = await page.together(*(page.ask(path_to("/orchestrator/v1/Communications/{}/Trace", one)) for one in ids))
    kept = uncaptured.body["uncaptured"]
    return Landed(resource_id, traces, kept[0] if kept and not ids else None, [conversations, *said, uncaptured])
