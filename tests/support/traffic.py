"""Provider traffic for tests, and what became of it: over HTTP where there is a resource, else from the tables."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from prometheus_client import REGISTRY

from orchestrator.kernel.ids import new_sid
from orchestrator.tables import metadata
from tests.support.app import Service
from tests.support.factories import OUR_NUMBER

BY_PROFILE = "GROUP_BY_PROFILE"
BY_ADDRESSES = "GROUP_BY_PARTICIPANT_ADDRESSES"
BY_ADDRESSES_AND_CHANNEL = "GROUP_BY_PARTICIPANT_ADDRESSES_AND_CHANNEL_TYPE"

US = OUR_NUMBER
KIRAN, OTHER_PHONE = "+15551234567", "+15559876543"
"""The seed document's customer and their second phone."""


@dataclass(frozen=True)
class Event:
    """An event as it was recorded."""

    conversation_id: str
    sequence: int
    type: str
    data: dict[str, Any]


def channel(*rules: tuple[str, str], inactive: int | None = 10, closed: int | None = 60, **metadata: str) -> Any:
    """A channel's settings, with a rule for each pair of sender and recipient."""
    captured = [{"from": sender, "to": to, "metadata": metadata} for sender, to in rules]
    timeouts = {"inactive": inactive, "closed": closed}
    return {"captureRules": captured, "statusTimeouts": {name: value for name, value in timeouts.items() if value}}


def both_ways(number: str = US) -> tuple[tuple[str, str], tuple[str, str]]:
    """Rules for everything that a number receives and sends."""
    return ("*", number), (number, "*")


async def message(service: Service, sender: str, to: str, body: str = "hello", **more: str) -> str:
    """Let a message arrive; returns its SID."""
    sid = more.setdefault("MessageSid", new_sid("SM"))
    answer = await service.receive_message(sender, to, body, **more)
    assert answer.status_code == 200, answer.text
    return sid


async def speech(service: Service, sender: str, to: str, text: str = "hello", **more: str) -> str:
    """Let a final fragment of a call arrive; returns the call's SID."""
    call_sid = more.pop("call_sid", None) or new_sid("CA")
    answer = await service.receive_transcript(sender, to, text, call_sid=call_sid, **more)
    assert answer.status_code == 200, answer.text
    return call_sid


async def get(service: Service, path: str, **query: Any) -> dict[str, Any]:
    """A resource that is there."""
    response = await service.api.get(path, params=query)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


async def conversations(service: Service, **query: Any) -> list[dict[str, Any]]:
    """The account's conversations, oldest first."""
    found: list[dict[str, Any]] = (await get(service, "/v2/Conversations", **query))["conversations"]
    return found[::-1]


async def only_conversation(service: Service, **query: Any) -> dict[str, Any]:
    """The one conversation there is."""
    (found,) = await conversations(service, **query)
    return found


async def communications(service: Service, conversation: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    """What was said, in order."""
    page = await get(service, f"/v2/Conversations/{conversation['id']}/Communications", **query)
    found: list[dict[str, Any]] = page["communications"]
    return found


async def everything_said(service: Service) -> list[list[dict[str, Any]]]:
    """The communications of each conversation, oldest conversation first."""
    return [await communications(service, one) for one in await conversations(service)]


async def texts(service: Service) -> list[list[str]]:
    """What was said in each conversation."""
    return [[one["content"]["text"] for one in of_one] for of_one in await everything_said(service)]


async def trace(service: Service, communication: dict[str, Any]) -> dict[str, Any]:
    """Why a communication landed where it did."""
    body = await get(service, f"/orchestrator/v1/Communications/{communication['id']}/Trace")
    found: dict[str, Any] = body["trace"]
    return found


async def only_trace(service: Service) -> dict[str, Any]:
    """The trace of the one communication there is."""
    ((communication,),) = await everything_said(service)
    return await trace(service, communication)


def member(conversation: dict[str, Any], address: str) -> dict[str, Any]:
    """The participant who owns an address."""
    (found,) = [
        one for one in conversation["participants"] if address in [owned["address"] for owned in one["addresses"]]
    ]
    participant: dict[str, Any] = found
    return participant


def roles(conversation: dict[str, Any]) -> dict[str, str]:
    """Participant types by the participants' names."""
    return {one["name"]: one["type"] for one in conversation["participants"]}


async def change(service: Service, conversation: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Change a conversation over REST."""
    response = await service.api.patch(f"/v2/Conversations/{conversation['id']}", json=fields)
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


async def events(service: Service, conversation: dict[str, Any] | None = None) -> list[Event]:
    """The events of one conversation in their order, or all of the account by the time when their unit began."""
    order = "occurred_at, conversation_id, sequence" if conversation is None else "sequence"
    rows = await service.fetch(
        f"select conversation_id, sequence, type, body from events where account_id = $1 order by {order}",
        service.account.account_id,
    )
    return [
        Event(row["conversation_id"], row["sequence"], row["type"], orjson.loads(row["body"])["data"])
        for row in rows
        if conversation is None or row["conversation_id"] == conversation["id"]
    ]


async def event_types(service: Service, conversation: dict[str, Any] | None = None) -> list[str]:
    """The types of those events."""
    return [event.type for event in await events(service, conversation)]


async def uncaptured(service: Service) -> list[dict[str, Any]]:
    """The traces of traffic that nobody captured, oldest first."""
    rows = await service.fetch(
        "select trace from uncaptured where account_id = $1 order by id", service.account.account_id
    )
    return [row["trace"] for row in rows]


async def of_each_table(service: Service, aggregate: str, without: Iterable[str] = ()) -> dict[str, Any]:
    """What an aggregate of SQL is for the account's rows `t` of each table."""
    tables = sorted(name for name, table in metadata.tables.items() if "account_id" in table.c and name not in without)
    asked = " union all ".join(
        f"select '{table}' as name, {aggregate} as value from {table} t where account_id = $1" for table in tables
    )
    return {row["name"]: row["value"] for row in await service.fetch(asked, service.account.account_id)}


async def row_counts(service: Service, *, without: Iterable[str] = ()) -> dict[str, int]:
    """How many rows of the account each table has, to show that nothing was written."""
    return await of_each_table(service, "count(*)", without)


async def landed_counts(service: Service) -> dict[str, int]:
    """The same without the traces of what landed nowhere: a signed webhook that is refused leaves one."""
    return await row_counts(service, without=["uncaptured"])


async def contents(service: Service) -> dict[str, str | None]:
    """A digest of all rows of the account in each table, to show that nothing was changed either."""
    return await of_each_table(service, "md5(string_agg(t::text, ' ' order by t::text))")


def landings(channel: str, outcome: str) -> float:
    """The metric of landings."""
    value = REGISTRY.get_sample_value("orchestrator_landings_total", {"channel": channel, "outcome": outcome})
    return value or 0.0
