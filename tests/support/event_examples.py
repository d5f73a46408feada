"""One real event of each type, from a story that is played through the webhooks; for docs/events.md."""

import ast
import inspect
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.domain import events
from orchestrator.domain.events import EventType
from tests.support import traffic
from tests.support.app import Service, running_service
from tests.support.database import TestServer, worker_database
from tests.support.documents import between
from tests.support.factories import make_configuration
from tests.support.memory import new_store
from tests.support.openapi import document
from tests.support.traffic import KIRAN, US

Examples = Mapping[str, dict[str, Any]]
"""By type."""

_PREFIX = "conversations.v2."
_RESOURCES = ("conversation", "participant", "communication")
_LEFT_OUT = {"configuration"}
"""Of a conversation, in events: its callback URLs may hold secrets."""
_ID = re.compile(r"\b((?:conv|mem)_[a-z]+)_[0-9a-z]{26}\b|\b([A-Z]{2})[0-9a-f]{32}\b")
_TIMES = (
    (re.compile(r"\d{4}-[\d-]+T[\d:]+\.\d{3}Z"), "2026-02-03T09:15:04.216Z"),
    (re.compile(r"\d{4}-[\d-]+T[\d:]+Z"), "2026-02-03T09:15:04Z"),
)


async def play(service: Service) -> Examples:
    """Kiran writes and is answered, is given a name, and the conversation ends."""
    store = await new_store(service)
    await make_configuration(service, conversationGroupingType=traffic.BY_PROFILE, memoryStoreId=store)
    await traffic.message(service, KIRAN, US, "Where is my parcel?")
    answer = await traffic.message(service, US, KIRAN, "It will be with you tomorrow.")
    report = await service.post_webhook(
        "/ingest/twilio/message-status", {"MessageSid": answer, "MessageStatus": "delivered"}
    )
    assert report.status_code == 200, report.text
    (conversation,) = await traffic.conversations(service)
    path = f"/v2/Conversations/{conversation['id']}"
    kiran = next(one for one in conversation["participants"] if one["type"] == "CUSTOMER")
    renamed = await service.api.put(f"{path}/Participants/{kiran['id']}", json={"name": "Kiran", "type": "CUSTOMER"})
    assert renamed.status_code == 200, renamed.text
    await service.api.patch(path, json={"status": "CLOSED"})
    log = (await service.api.get("/orchestrator/v1/Events")).json()["events"]
    told = [{"eventType": one["eventType"], "timestamp": one["timestamp"], "data": one["data"]} for one in log]
    return {one["eventType"]: one for one in reversed(json.loads(_steady(json.dumps(told))))}


async def play_alone() -> Examples:
    """The same on a database that goes away again."""
    TestServer.start()
    try:
        async with worker_database("_events") as database_url, running_service(database_url) as service:
            return await play(service)
    finally:
        TestServer.stop()


def _steady(text: str) -> str:
    """The same text whenever it is played: ids are numbered, and all happens at one moment."""
    numbers: dict[str, int] = {}

    def numbered(found: "re.Match[str]") -> str:
        number = numbers.setdefault(found[0], len(numbers) + 1)
        return f"{found[1]}_01kgh3k1w8fmkrxj2c5a9d7e{number:02}" if found[1] else f"{found[2]}{number:032}"

    for times, moment in _TIMES:
        text = times.sub(moment, text)
    return _ID.sub(numbered, text)


def with_current_events(text: str, examples: Examples) -> str:
    """The page of events, saying what code and service say."""
    told = [_section(event_type, when, examples.get(event_type)) for event_type, when in _told().items()]
    text = between("events", "\n".join(told).rstrip("\n"), text)
    return between("fields", "\n".join(_tables()).rstrip("\n"), text)


def _told() -> dict[EventType, str]:
    """When each type is told, by its docstring."""
    (kind,) = [one for one in ast.parse(inspect.getsource(events)).body if isinstance(one, ast.ClassDef)]
    told = {}
    for line, after in zip(kind.body, kind.body[1:], strict=False):
        match line, after:
            case ast.Assign(targets=[ast.Name(id=name)]), ast.Expr(value=ast.Constant(value=str(text))):
                told[EventType(name)] = text
    assert list(told) == list(EventType), "every type needs a docstring"
    return told


def _section(event_type: EventType, when: str, example: dict[str, Any] | None) -> str:
    resource = event_type.partition("_")[0].lower()
    section = f"### {event_type}\n\n{when}"
    if example is None:
        return f"{section}\n"
    written = json.dumps(example, indent=2)
    return f"{section} `data` is the [{resource}](#{resource}).\n\n```json\n{written}\n```\n"


def _tables() -> Iterator[str]:
    """A table for each object in the payloads."""
    waiting, seen = [_PREFIX + name for name in _RESOURCES], set[str]()
    while waiting:
        name = waiting.pop(0)
        schema = document()["components"]["schemas"][name]
        if name in seen or "properties" not in schema:
            continue
        seen.add(name)
        fields = {field: told for field, told in schema["properties"].items() if field not in _LEFT_OUT}
        waiting += [one for told in fields.values() for one in _references(told)]
        rows = [f"| `{field}` | {_type(told)} | {_note(told)} |" for field, told in fields.items()]
        yield "\n".join([f"### {_name(name)}\n", "| field | type | |", "|---|---|---|", *rows, ""])


def _references(part: Any) -> Iterator[str]:
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _references(value)
    if isinstance(part, dict) and "$ref" in part:
        yield part["$ref"].rpartition("/")[2]


def _name(schema: str) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", schema.removeprefix(_PREFIX).replace("_", " "))
    return words.capitalize()


def _type(told: dict[str, Any]) -> str:
    if "$ref" in told:
        return _referred(told["$ref"].rpartition("/")[2])
    if kinds := told.get("anyOf") or told.get("oneOf"):
        return " or ".join(_type(one) for one in kinds)
    if told.get("type") == "array":
        return f"list of {_type(told['items'])}"
    if "additionalProperties" in told:
        return f"object of {_type(told['additionalProperties'])}"
    if "const" in told:
        return f"`{told['const']}`"
    return (
        "time"
        if told.get("format") == "date-time"
        else {"null": "null", "string": "text"}.get(told["type"], told["type"])
    )


def _referred(name: str) -> str:
    schema = document()["components"]["schemas"][name]
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    return f"[{_name(name).lower()}](#{_name(name).lower().replace(' ', '-')})"


def _note(told: dict[str, Any]) -> str:
    return str(told.get("description", ""))
