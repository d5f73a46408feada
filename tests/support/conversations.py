"""Conversations and participants that callers create, and the grouping keys that this comes to."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from orchestrator.domain.addresses import Channel, parse
from orchestrator.domain.configuration import GroupingType
from orchestrator.domain.grouping import Member, keys_of_members
from orchestrator.domain.identity import ParticipantType
from orchestrator.tables import metadata
from tests.support.app import Service
from tests.support.refusals import refusal

PATH = "/v2/Conversations"
KEPT = {"calls", "conversation_summaries"}
"""What the provider told of a call stays for its time, as receipts do; what a store knows is the profile's."""
BELONGINGS = sorted(
    table.name for table in metadata.tables.values() if "conversation_id" in table.columns and table.name not in KEPT
)
"""The tables that know of conversations: what belongs to one goes with it."""

Fetch = Callable[..., Awaitable[list[Any]]]
Held = set[tuple[str, str, str]]
"""Scope (the configuration, or nothing), grouping key, and the conversation that holds it."""


def on(channel: str, address: str, channel_id: str | None = None) -> dict[str, Any]:
    """An address."""
    return {"channel": channel, "address": address, **({"channelId": channel_id} if channel_id else {})}


def sms(number: str) -> dict[str, Any]:
    """A phone number for messages."""
    return on("SMS", number)


def whatsapp(number: str) -> dict[str, Any]:
    """The same number on WhatsApp."""
    return on("WHATSAPP", f"whatsapp:{number}")


def someone(of_type: str | None, *addresses: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A participant as a caller describes it."""
    return {**({"type": of_type} if of_type else {}), "addresses": list(addresses), **more}


def customer(*addresses: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A customer with these addresses."""
    return someone("CUSTOMER", *addresses, **more)


def agent(*addresses: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Our side, with these addresses."""
    return someone("AI_AGENT", *addresses, **more)


async def post(service: Service, *participants: dict[str, Any], **body: Any) -> httpx.Response:
    """Ask for a conversation."""
    given = {**body, "participants": list(participants)} if participants else body
    return await service.api.post(PATH, json=given)


async def create(service: Service, *participants: dict[str, Any], **body: Any) -> dict[str, Any]:
    """A conversation that is created as asked for."""
    answer = await post(service, *participants, **body)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def close(service: Service, conversation: dict[str, Any]) -> None:
    """Close a conversation."""
    answer = await service.api.put(f"{PATH}/{conversation['id']}", json={"status": "CLOSED"})
    assert answer.status_code == 200, answer.text


def conflict(answer: httpx.Response, resource: dict[str, Any]) -> None:
    """The refusal that names the resource in the way wherever clients look for it."""
    body = refusal(answer, 409, 400)
    assert answer.headers["X-Conflicting-Resource-Id"] == resource["id"]
    assert body["details"] == {"conflictingResourceId": resource["id"]}
    assert resource["id"] in body["message"]
    assert body["more_info"] == "https://www.twilio.com/docs/errors/400"


def people(conversation: dict[str, Any]) -> str:
    """The path of a conversation's participants."""
    return f"{PATH}/{conversation['id']}/Participants"


async def join(service: Service, conversation: dict[str, Any], participant: dict[str, Any]) -> dict[str, Any]:
    """A participant who is added as asked for."""
    answer = await service.api.post(people(conversation), json=participant)
    assert answer.status_code == 201, answer.text
    joined: dict[str, Any] = answer.json()
    return joined


async def keys_held(fetch: Fetch, account_id: str) -> Held:
    """The grouping keys that conversations of the account hold."""
    rows = await fetch(
        "select configuration_id, key, conversation_id from conversation_keys where account_id = $1", account_id
    )
    return {(row["configuration_id"], row["key"], row["conversation_id"]) for row in rows}


async def keys_waited_for(fetch: Fetch, account_id: str) -> Held:
    """The grouping keys that conversations of the account wait for, each with one that does."""
    rows = await fetch(
        "select configuration_id, key, conversation_id from waiting_keys where account_id = $1", account_id
    )
    return {(row["configuration_id"], row["key"], row["conversation_id"]) for row in rows}


async def keys_meant(fetch: Fetch, account_id: str) -> Held:
    """The keys that the open conversations of the account should hold, by those who take part in them."""
    rows = await fetch(
        """
        select c.id, coalesce(c.configuration_id, '') as scope, p.id as participant_id, p.type, p.profile_id,
               a.channel, a.address,
               coalesce(c.settings, v.settings) ->> 'conversationGroupingType' as grouping
        from conversations c
        join participants p on p.account_id = c.account_id and p.conversation_id = c.id
        left join participant_addresses a on a.account_id = p.account_id and a.conversation_id = c.id
          and a.participant_id = p.id
        left join configuration_versions v on v.account_id = c.account_id
          and v.configuration_id = c.configuration_id and v.version = c.configuration_version
        where c.account_id = $1 and c.status <> 'CLOSED'
        """,
        account_id,
    )
    members: dict[tuple[str, str, str], dict[str, Member]] = {}
    for row in rows:
        of_one = members.setdefault((row["id"], row["scope"], row["grouping"]), {})
        known = of_one.get(row["participant_id"], Member(ParticipantType(row["type"]), (), row["profile_id"]))
        addresses = () if row["channel"] is None else (parse(Channel(row["channel"]), row["address"]),)
        of_one[row["participant_id"]] = Member(known.type, known.addresses + addresses, known.profile_id)
    return {
        (scope, key, conversation_id)
        for (conversation_id, scope, grouping), of_one in members.items()
        for key in keys_of_members(GroupingType(grouping), list(of_one.values()))
    }


async def keys_of(service: Service, conversation: dict[str, Any]) -> set[str]:
    """The keys that a conversation holds; everything the account holds must be what its open conversations mean."""
    held = await keys_held(service.fetch, service.account.account_id)
    assert held == await keys_meant(service.fetch, service.account.account_id)
    return {key for _, key, conversation_id in held if conversation_id == conversation["id"]}
